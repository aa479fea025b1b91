"""How actions are tied to a graph: one integer per decision, the place of the chosen candidate in its graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from graphwright.core.graph import GraphBatch
from graphwright.core.segment import Segments

Rows = Literal["nodes", "edges", "graphs"]


@dataclass(frozen=True)
class ActionBlock:
    """Candidates that are tied to the rows of one table: `columns` of them to each row."""

    name: str
    rows: Rows
    columns: int = 1

    def row_segments(self, graph: GraphBatch) -> Segments:
        """The rows of this block that each graph has."""
        if self.rows == "nodes":
            return graph.node_segments
        if self.rows == "edges":
            return graph.links[1]
        return Segments(torch.arange(graph.num_graphs + 1, device=graph.device))


def per_node(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each node."""
    return ActionBlock(name, "nodes", columns)


def per_edge(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each edge; an undirected edge is one row (`GraphBatch.links`)."""
    return ActionBlock(name, "edges", columns)


def per_graph(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each graph: a fixed action space, or one such as "stop" beside other blocks."""
    return ActionBlock(name, "graphs", columns)


class Choice(NamedTuple):
    """What an action names. block: [B] place in the spec; row: [B] row inside the graph; column: [B]; all int64."""

    block: Tensor
    row: Tensor
    column: Tensor


@dataclass(frozen=True)
class ActionSpec:
    """All candidates of a graph: blocks in the order of the spec, rows in graph order, columns last.

    An action is the place of a candidate in its graph's list, so it means the same in every batch.
    """

    blocks: tuple[ActionBlock, ...]

    def __init__(self, *blocks: ActionBlock) -> None:
        names = [block.name for block in blocks]
        if not blocks or len(set(names)) != len(names):
            raise ValueError(f"an ActionSpec needs one or more blocks with different names; got {names}")
        object.__setattr__(self, "blocks", blocks)

    def segments(self, graph: GraphBatch) -> Segments:
        """The candidates of each graph."""
        if self._one_column_per_node:
            return graph.node_segments
        return Segments.from_lengths(self._lengths(graph).sum(0))

    def arrange(self, graph: GraphBatch, values: Sequence[Tensor]) -> Tensor:
        """One value a candidate, [K], from one tensor a block, [rows, columns] or [rows] where columns = 1."""
        flat = [value.reshape(-1) for value in values]
        if len(self.blocks) == 1:
            return flat[0]
        start = self.segments(graph).ptr[:-1] + self._lengths(graph).cumsum(0) - self._lengths(graph)
        places = []
        for block, block_start in zip(self.blocks, start, strict=True):
            rows = block.row_segments(graph)
            candidates = Segments(rows.ptr * block.columns)
            places.append(block_start[candidates.index] + candidates.position)
        order = torch.cat(places)
        source = torch.empty_like(order)
        source[order] = torch.arange(order.numel(), device=order.device)
        return torch.cat(flat)[source]

    def locate(self, graph: GraphBatch, action: Tensor) -> Choice:
        """The block, the row inside its graph and the column that each `action` [B] names."""
        lengths = self._lengths(graph)
        block = (action >= lengths.cumsum(0)).sum(0)
        start = lengths.cumsum(0) - lengths
        inside = action - start.gather(0, block[None]).squeeze(0)
        columns = torch.tensor([b.columns for b in self.blocks], device=action.device)[block]
        return Choice(block, inside // columns, inside % columns)

    @property
    def _one_column_per_node(self) -> bool:
        return len(self.blocks) == 1 and self.blocks[0].rows == "nodes" and self.blocks[0].columns == 1

    def _lengths(self, graph: GraphBatch) -> Tensor:
        """[blocks, B] int64: how many candidates each block has in each graph."""
        return torch.stack([block.row_segments(graph).lengths * block.columns for block in self.blocks])
