"""The capability to change little: a step changes what is seen of few nodes, wherever these are."""

from __future__ import annotations

from typing import ClassVar

from graphwright.envs.environment import Environment


class Gradual(Environment):
    """An environment of undirected graphs that keep their nodes, whose steps change little of what is seen.

    One decision a step. What is seen may depend on the whole graph, and changes need not be near by: observations are
    compared. What changes for all nodes at once are columns of graphs. Where links are decided, they are the same in
    every step.
    """

    rare: ClassVar[tuple[str, ...]] = ()
    """The columns of graphs that stay as they are in most steps."""

    @property
    def gradual(self) -> bool:
        """Whether it does with these options."""
        return True
