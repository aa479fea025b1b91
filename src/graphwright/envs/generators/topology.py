"""What every random topology is: a frozen dataclass of options that draws the edges of many graphs at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core.graph import Columns


@dataclass(frozen=True)
class Topology(ABC):
    """A law of random simple graphs: no self-loops, no parallel edges.

    Every option is a field with a default. `str(topology)` is the text that `parse_topology` reads: the name, and the
    options that are not at their default.
    """

    name: ClassVar[str]

    @abstractmethod
    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] int64 of graphs with `num_nodes` [B] int64, numbered over their union, each edge once.

        `num_nodes` is on the device of `generator`. Raises ValueError as `check_sizes`.
        """

    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        """`edges`, and the node columns [N, ...] that they came from, where this topology has any."""
        return self.edges(num_nodes, generator), {}

    def check_sizes(self, sizes: Tensor) -> None:  # noqa: B027
        """Raise ValueError where a graph cannot have one of the `sizes` [B]."""

    def num_nodes(self, sizes: Tensor) -> Tensor:
        """[B] int64: how many nodes graphs of these `sizes` [B] have; a board's size is its number of rows."""
        return sizes

    def __str__(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        given = [f"{field.name}={values[field.name]}" for field in fields(self) if values[field.name] != field.default]
        return f"{self.name}:{','.join(given)}" if given else self.name
