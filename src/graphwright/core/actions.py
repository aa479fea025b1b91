"""How actions are tied to a graph: one integer per decision, the place of the chosen candidate in its graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from graphwright.core.graph import GraphBatch
from graphwright.core.kernels.groups import interleave
from graphwright.core.rows import EDGES, GRAPHS, NEIGHBOURS, NODES, PAIRS, ROW_KINDS, UNORDERED_PAIRS, RowKind
from graphwright.core.segment import Segments


@dataclass(frozen=True)
class ActionBlock:
    """Candidates that are tied to the rows of one table: `columns` of them to each row.

    continuous: `columns` real numbers between -1 and 1 for each row, all chosen at once, instead of one candidate.
    """

    name: str
    rows: RowKind
    columns: int = 1
    continuous: bool = False

    def row_segments(self, graph: GraphBatch) -> Segments:
        """The rows of this block that each graph has."""
        return self.rows.segments(graph)


def per_node(name: str, columns: int = 1, *, continuous: int = 0) -> ActionBlock:
    """`columns` candidates for each node; or, with `continuous`, so many real numbers for each node that acts."""
    return ActionBlock(name, NODES, continuous or columns, continuous > 0)


def per_neighbour(name: str) -> ActionBlock:
    """The edges out of the node on which the agent stands, which the graph column `at` [B] int64 names."""
    return ActionBlock(name, NEIGHBOURS)


def per_edge(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each edge; an undirected edge is one row (`GraphBatch.links`)."""
    return ActionBlock(name, EDGES, columns)


def per_pair(name: str) -> ActionBlock:
    """Ordered pairs (u, v) of a graph's n nodes, joined or not: n² candidates, (u, v) at place u · n + v."""
    return ActionBlock(name, PAIRS)


def per_unordered_pair(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each unordered pair u < v of a graph's nodes, at row v · (v - 1) / 2 + u.

    The place of a pair does not depend on how many nodes there are.
    """
    return ActionBlock(name, UNORDERED_PAIRS, columns)


def per_graph(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each graph: a fixed action space, or one such as "stop" beside other blocks."""
    return ActionBlock(name, GRAPHS, columns)


class Choice(NamedTuple):
    """What an action names. block: [B] place in the spec; row: [B] row inside the graph; column: [B]; all int64."""

    block: Tensor
    row: Tensor
    column: Tensor


class Layout(NamedTuple):
    """How the candidates of all blocks are ordered graph by graph.

    segments: the candidates of each graph. order: [K] int64, the place of each where one block follows the other; None
    where there is one block only.
    """

    segments: Segments
    order: Tensor | None

    def arrange(self, values: Sequence[Tensor]) -> Tensor:
        """One value a candidate, [K], from one tensor a block; see `ActionSpec.arrange`."""
        if self.order is None:
            return values[0].reshape(-1)
        return torch.cat([value.reshape(-1) for value in values]).index_select(0, self.order)


@dataclass(frozen=True)
class ActionSpec:
    """All candidates of a graph: blocks in the order of the spec, rows in graph order, columns last.

    An action is the place of a candidate in its graph's list, [B] int64, so it means the same in every batch. Where the
    one block is continuous, it is [N, columns] float32 instead, and only the rows of nodes that act mean something.

    Raises ValueError for no block, for two of one name, and for a continuous one beside others.
    """

    blocks: tuple[ActionBlock, ...]

    def __init__(self, *blocks: ActionBlock) -> None:
        names = [block.name for block in blocks]
        if not blocks or len(set(names)) != len(names):
            raise ValueError(f"an ActionSpec needs one or more blocks with different names; got {names}")
        if len(blocks) > 1 and any(block.continuous for block in blocks):
            raise ValueError(f"a continuous block stands alone in its ActionSpec; got {names}")
        object.__setattr__(self, "blocks", blocks)

    def as_dict(self) -> dict[str, Any]:
        """The spec in words and numbers, for files; `from_dict` reads it."""
        return {"blocks": [{**vars(block), "rows": block.rows.name} for block in self.blocks]}

    @staticmethod
    def from_dict(described: Mapping[str, Any]) -> ActionSpec:
        """The spec that `as_dict` described."""
        return ActionSpec(*(ActionBlock(**{**b, "rows": ROW_KINDS[b["rows"]]}) for b in described["blocks"]))

    @property
    def continuous(self) -> bool:
        """Whether actions are real numbers for each node rather than one candidate for each graph."""
        return self.blocks[0].continuous

    def segments(self, graph: GraphBatch) -> Segments:
        """The candidates of each graph; the nodes of each graph, where actions are continuous."""
        if len(self.blocks) == 1 and (self.blocks[0].columns == 1 or self.continuous):
            return self.blocks[0].row_segments(graph)
        return Segments.from_lengths(self._lengths(graph).sum(0))

    def layout(self, graph: GraphBatch) -> Layout:
        """Where the candidates of all blocks stand."""
        if len(self.blocks) == 1:
            return Layout(self.segments(graph), None)
        total, order = interleave(self._ptr(graph))
        return Layout(Segments(total), order)

    def arrange(self, graph: GraphBatch, values: Sequence[Tensor]) -> Tensor:
        """One value a candidate, [K], from one tensor a block, [rows, columns] or [rows] where columns = 1."""
        return self.layout(graph).arrange(values)

    def divide(self, graph: GraphBatch, values: Tensor) -> tuple[Tensor, ...]:
        """One tensor a block, [rows, columns] or [rows] where columns = 1, from one value [K] a candidate."""
        order = self.layout(graph).order
        if order is None:
            parts: Sequence[Tensor] = [values]
        else:
            parts = torch.empty_like(values).index_copy(0, order, values).split(self._ptr(graph)[:, -1].tolist())
        return tuple(
            part if block.columns == 1 or block.continuous else part.unflatten(0, (-1, block.columns))
            for block, part in zip(self.blocks, parts, strict=True)
        )

    def locate(self, graph: GraphBatch, action: Tensor) -> Choice:
        """The block, the row inside its graph and the column that each `action` [B] names."""
        lengths = self._lengths(graph)
        block = (action >= lengths.cumsum(0)).sum(0)
        start = lengths.cumsum(0) - lengths
        inside = action - start.gather(0, block[None]).squeeze(0)
        columns = torch.tensor([b.columns for b in self.blocks], device=action.device)[block]
        return Choice(block, inside // columns, inside % columns)

    def compose(self, graph: GraphBatch, choice: Choice) -> Tensor:
        """The action [B] that names each `choice`: the inverse of `locate`."""
        lengths = self._lengths(graph)
        start = (lengths.cumsum(0) - lengths).gather(0, choice.block[None]).squeeze(0)
        columns = torch.tensor([b.columns for b in self.blocks], device=start.device)[choice.block]
        return start + choice.row * columns + choice.column

    def select(self, graph: GraphBatch, action: Tensor, index: Tensor) -> Tensor:
        """The actions of the graphs at `index` [S] int64 or [B] bool, out of those of all graphs."""
        if not self.continuous:
            return action[index]
        if index.dtype == torch.bool:
            index = index.nonzero().squeeze(1)
        return action[graph.node_segments.select(index)[1]]

    def _lengths(self, graph: GraphBatch) -> Tensor:
        """[blocks, B] int64: how many candidates each block has in each graph."""
        return self._ptr(graph).diff(dim=1)

    def _ptr(self, graph: GraphBatch) -> Tensor:
        """[blocks, B + 1] int64: where the candidates of each graph begin in each block."""
        ptrs = [(block.row_segments(graph).ptr, block.columns) for block in self.blocks]
        return torch.stack([ptr if columns == 1 else ptr * columns for ptr, columns in ptrs])
