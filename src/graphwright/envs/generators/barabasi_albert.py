"""Preferential attachment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.generators.topology import Topology

_MANY = 4_000
"""Nodes that join a graph: from so many on they do in a compiled loop, which draws other numbers by the same law."""


@dataclass(frozen=True)
class BarabasiAlbert(Topology):
    """A star of m + 1 nodes grows: each new node joins m different nodes, drawn one by one in proportion to degree.

    Barabási & Albert (1999), "Emergence of scaling in random networks", with the details of networkx. A graph of n
    nodes has exactly m (n - m) edges.

    m: edges that a new node brings, at least 1; a graph needs more than m nodes.
    """

    name: ClassVar[str] = "barabasi-albert"
    m: int = 4

    def __post_init__(self) -> None:
        if self.m < 1:
            raise ValueError(f"{self.name}: m={self.m} edges a node; m must be at least 1, such as m=4")

    def check_sizes(self, num_nodes: Tensor) -> None:
        """Raise ValueError where a graph has m nodes or fewer."""
        wrong = num_nodes[num_nodes <= self.m].tolist()
        if wrong:
            need = f"m={self.m} needs more than {self.m} nodes, not {wrong[0]}"
            raise ValueError(f"{self.name}: {need}; lower m or drop the size")

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        self.check_sizes(num_nodes)
        largest = max(num_nodes.tolist(), default=self.m + 1)
        near = torch.arange(self.m, largest, device=num_nodes.device)[:, None].repeat(1, self.m)
        near[0] = torch.arange(1, self.m + 1, device=num_nodes.device)  # row 0 is the star around node 0
        if largest - self.m > _MANY:
            return self._one_by_one(num_nodes, generator)
        ends = torch.stack([near, torch.zeros_like(near)], dim=1).repeat(num_nodes.numel(), 1, 1, 1)  # [B, rows, 2, m]
        for row in range(1, largest - self.m):
            ends[:, row, 1] = _draw_distinct(ends[:, :row].flatten(1), self.m, generator)
        ends += Segments.from_lengths(num_nodes).ptr[:-1, None, None, None]
        return ends.permute(2, 0, 1, 3)[:, near < num_nodes[:, None, None]]

    def _one_by_one(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """As `edges`, one graph after the other in a compiled loop."""
        begin, parts = Segments.from_lengths(num_nodes).ptr[:-1].tolist(), []
        for first, size in zip(begin, num_nodes.tolist(), strict=True):
            ends, row = torch.zeros(size - self.m, 2, self.m, dtype=torch.int64), 1
            ends[:, 0] = torch.arange(self.m, size)[:, None]
            ends[0, 0] = torch.arange(1, self.m + 1)
            while row < len(ends):  # a draw may be repeated, so how many numbers it takes is not known
                count = self.m * (len(ends) - row) + 1024
                draw = torch.rand(count, generator=generator, device=generator.device, dtype=torch.float64)
                row = _grow(*arrays(ends, draw.cpu()), row)
            parts.append(ends.transpose(0, 1).flatten(1) + first)
        return torch.cat(parts, dim=1).to(num_nodes.device)


@jit_as_written
def _grow(ends, draw, row):  # type: ignore[no-untyped-def]
    """Let nodes join from row `row` on until `draw` is used up; the row that comes next."""
    rows, _, m = ends.shape
    flat, used = ends.reshape(rows * 2 * m), 0
    while row < rows:
        found = 0
        while found < m:
            if used == draw.size:
                return row
            other = flat[min(int(draw[used] * (row * 2 * m)), row * 2 * m - 1)]
            used += 1
            new = True
            for k in range(found):
                new = new and ends[row, 1, k] != other
            if new:
                ends[row, 1, found] = other
                found += 1
        row += 1
    return row


def _draw_distinct(ends: Tensor, m: int, generator: torch.Generator) -> Tensor:
    """The first m different values of uniform draws from each row of `ends` [B, S], [B, m].

    A node stands among the ends of all edges as often as its degree says.
    """

    def draw() -> Tensor:
        place = torch.randint(ends.shape[1], (ends.shape[0], m), generator=generator, device=ends.device)
        return ends.gather(1, place)

    chosen = draw()
    while (repeated := (chosen[:, :, None] == chosen[:, None, :]).tril(-1).any(2)).any():
        chosen = torch.where(repeated, draw(), chosen)
    return chosen
