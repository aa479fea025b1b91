"""The capability to be read from a user's graph."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment


@dataclass(frozen=True)
class Inputs:
    """Which columns of a user's graph `instance` reads, in small letters, so that what it does not read can be said.

    nodes, edges, graphs: their names. marks: further node columns, which say by true and false who plays a part.
    node_weight, edge_weight: further columns that hold weights, of which the first that is there counts.
    parallel: what becomes of edges between the same two nodes.
    """

    nodes: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    graphs: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    node_weight: tuple[str, ...] = ()
    edge_weight: tuple[str, ...] = ()
    parallel: str = "are one"


class Readable(Environment):
    """An environment whose instances are made of graphs that a user brings."""

    @property
    def inputs(self) -> Inputs | None:
        """What `instance` reads; None where that is not said."""
        return None

    @abstractmethod
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """What a user brings, as instances of this problem: only the columns that it needs, in the form that it needs.

        Instances are instances already and stay as they are. Raises GraphError, naming what is wrong and the remedy,
        where that cannot be.
        """
