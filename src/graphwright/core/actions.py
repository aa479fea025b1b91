"""How actions are tied to a graph: one integer for each decision, the place of the chosen one of its candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from graphwright.core.action_blocks import ActionBlock
from graphwright.core.graph import ACTS, GraphBatch
from graphwright.core.kernels.groups import interleave
from graphwright.core.rows import DECIDERS, GRAPHS, ROW_KINDS, RowKind, Sizes, Table
from graphwright.core.segment import Segments, segment_sum

Decider = Literal["graphs", "nodes", "edges"]


class Choice(NamedTuple):
    """What an action names. block: [D] place in the spec; row: [D] row inside the decision; column: [D]; all int64."""

    block: Tensor
    row: Tensor
    column: Tensor


class Decisions(NamedTuple):
    """Who decides, among what.

    candidates: those of each decision (K → D). graphs: the decisions of each graph (D → B). row: [D] int64, the node,
    the place in `links` or the graph that decides.
    """

    candidates: Segments
    graphs: Segments
    row: Tensor


class Layout(NamedTuple):
    """How the candidates of all blocks are ordered decision by decision.

    segments: the candidates of each decision. order: [K] int64, the place of each where one block follows the other;
    None where there is one block only.
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
    """The candidates of every decision: blocks in the order of the spec, rows in their order, columns last.

    decider: who decides. "graphs": one decision a graph. "nodes", "edges": one for each node or edge whose column
    `acts` is true in the observed graph (of an undirected edge, in both directions), or for each where there is none.

    An action is the place of a candidate among those of its decision, [D] int64, so it means the same in every batch;
    -1 where there is no legal one. Where the one block is continuous, it is [D, columns] float32 instead.

    Raises ValueError for no block, for two of one name, for a continuous one beside others, and for candidates that the
    decider does not have.
    """

    blocks: tuple[ActionBlock, ...]
    decider: RowKind

    def __init__(self, *blocks: ActionBlock, decider: Decider = "graphs") -> None:
        names = [block.name for block in blocks]
        if not blocks or len(set(names)) != len(names):
            raise ValueError(f"an ActionSpec needs one or more blocks with different names; got {names}")
        if len(blocks) > 1 and any(block.continuous for block in blocks):
            raise ValueError(f"a continuous block stands alone in its ActionSpec; got {names}")
        for block in blocks:
            if decider not in block.rows.offered_to:
                able = " or ".join(map(repr, block.rows.offered_to))
                raise ValueError(f"action {block.name!r} is tied to {block.rows.name}: give decider={able}")
        object.__setattr__(self, "blocks", blocks)
        object.__setattr__(self, "decider", ROW_KINDS[decider])

    def as_dict(self) -> dict[str, Any]:
        """The spec in words and numbers, for files; `from_dict` reads it."""
        blocks = [{**vars(block), "rows": block.rows.name} for block in self.blocks]
        return {"blocks": blocks, "decider": self.decider.name}

    @staticmethod
    def from_dict(described: Mapping[str, Any]) -> ActionSpec:
        """The spec that `as_dict` described."""
        blocks = (ActionBlock(**{**block, "rows": ROW_KINDS[block["rows"]]}) for block in described["blocks"])
        return ActionSpec(*blocks, decider=described["decider"])

    @property
    def continuous(self) -> bool:
        """Whether actions are real numbers rather than candidates."""
        return self.blocks[0].continuous

    @cached_property
    def one_per_graph(self) -> bool:
        """Whether each graph has exactly one decision, D = B."""
        return self.decider == GRAPHS

    @property
    def columns(self) -> dict[Table, str]:
        """The columns of the observed graph, by table, that say who decides among what (`acts` may be absent)."""
        found: dict[Table, str] = {}
        for block in self.blocks:
            found |= block.rows.columns(self.decider)
        if not self.one_per_graph and self.decider.table is not None:
            found[self.decider.table] = ACTS
        return found

    def most(self, sizes: Sizes) -> int:
        """The most candidates that a graph of these sizes has, over all its decisions; decisions, where continuous."""
        decider = None if self.one_per_graph else self.decider
        return sum(
            block.rows.most(sizes, decider) * (1 if block.continuous else block.columns) for block in self.blocks
        )

    def most_choices(self, sizes: Sizes) -> int:
        """The most candidates that one decision of a graph of these sizes has; 1, where continuous."""
        return sum(block.rows.most(sizes) * (1 if block.continuous else block.columns) for block in self.blocks)

    def rows(self, graph: GraphBatch) -> tuple[Segments, ...]:
        """For each block, its rows of each decision."""
        deciders = None if self.one_per_graph else self.decider.deciders(graph)[0]
        return tuple([block.rows.segments(graph, deciders) for block in self.blocks])

    def decisions(self, graph: GraphBatch) -> Decisions:
        """Who decides in each graph, and among what."""
        row, graphs = self.decider.deciders(graph)
        return Decisions(self.segments(graph), graphs, row)

    def deciders(self, graph: GraphBatch) -> Segments:
        """The decisions of each graph (D → B)."""
        return self.decider.deciders(graph)[1]

    def segments(self, graph: GraphBatch) -> Segments:
        """The candidates of each decision (K → D); one for each decision, where actions are continuous."""
        if len(self.blocks) == 1 and (self.blocks[0].columns == 1 or self.continuous):
            return self.rows(graph)[0]
        return Segments.from_lengths(self._lengths(graph).sum(0))

    def graph_segments(self, graph: GraphBatch) -> Segments:
        """The candidates of each graph, those of all its decisions (K → B)."""
        segments = self.segments(graph)
        return segments if self.one_per_graph else Segments(segments.ptr[self.deciders(graph).ptr])

    def graph_rows(self, graph: GraphBatch) -> tuple[Segments, ...]:
        """For each block, its rows of each graph, those of all its decisions."""
        if self.one_per_graph:
            return self.rows(graph)
        graphs = self.deciders(graph).ptr
        return tuple(Segments(rows.ptr[graphs]) for rows in self.rows(graph))

    def table(self, block: ActionBlock) -> Table | None:
        """The table in which a column can hold one value for each row of `block`; None where there is none."""
        return self.decider.table if block.rows == DECIDERS else block.rows.table

    def layout(self, graph: GraphBatch) -> Layout:
        """Where the candidates of all blocks stand."""
        if len(self.blocks) == 1:
            return Layout(self.segments(graph), None)
        total, order = interleave(self._ptr(graph))
        return Layout(Segments(total), order)

    def joint(self, graph: GraphBatch, values: Tensor) -> Tensor:
        """[B, ...]: the sum of `values` [D, ...] over the decisions of each graph; bools are counted."""
        return values if self.one_per_graph else segment_sum(values, self.deciders(graph))

    def able(self, graph: GraphBatch, masks: Sequence[Tensor]) -> Tensor:
        """[D] bool: whether each decision has a legal candidate."""
        layout = self.layout(graph)
        return segment_sum(layout.arrange(masks), layout.segments) > 0

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
        """The block, the row inside its decision and the column that each `action` [D] names."""
        lengths = self._lengths(graph)
        block = (action >= lengths.cumsum(0)).sum(0)
        start = lengths.cumsum(0) - lengths
        inside = action - start.gather(0, block[None]).squeeze(0)
        columns = torch.tensor([b.columns for b in self.blocks], device=action.device)[block]
        return Choice(block, inside // columns, inside % columns)

    def compose(self, graph: GraphBatch, choice: Choice) -> Tensor:
        """The action [D] that names each `choice`: the inverse of `locate`."""
        lengths = self._lengths(graph)
        start = (lengths.cumsum(0) - lengths).gather(0, choice.block[None]).squeeze(0)
        columns = torch.tensor([b.columns for b in self.blocks], device=start.device)[choice.block]
        return start + choice.row * columns + choice.column

    def select(self, graph: GraphBatch, action: Tensor, index: Tensor) -> Tensor:
        """The actions of the graphs at `index` [S] int64 or [B] bool, out of those of all graphs."""
        if self.one_per_graph:
            return action[index]
        if index.dtype == torch.bool:
            index = index.nonzero().squeeze(1)
        return action[self.deciders(graph).select(index)[1]]

    def _lengths(self, graph: GraphBatch) -> Tensor:
        """[blocks, D] int64: how many candidates each block has for each decision."""
        return self._ptr(graph).diff(dim=1)

    def _ptr(self, graph: GraphBatch) -> Tensor:
        """[blocks, D + 1] int64: where the candidates of each decision begin in each block."""
        pairs = zip(self.rows(graph), self.blocks, strict=True)
        return torch.stack([rows.ptr if block.columns == 1 else rows.ptr * block.columns for rows, block in pairs])
