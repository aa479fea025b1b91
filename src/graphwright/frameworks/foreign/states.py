"""Foreign environments as policies see them: the last observations, assembled into one `GraphBatch`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import (
    ActionBlock,
    ActionSpec,
    Features,
    GraphBatch,
    GraphError,
    Observation,
    Segments,
    Step,
    from_edges,
)
from graphwright.core.rows import DECIDERS, NEIGHBOURS, RowKind, Table
from graphwright.core.segment import segment_rank
from graphwright.envs.environment import Environment
from graphwright.workers.env_group import PackedArrays

_LINK, _PLACE = "link", "place"
_ELSEWHERE = "the episodes of others begin and go on in their own processes; step their vector environment"


class ForeignEnvironment(Environment):
    """An environment whose dynamics run elsewhere: its state is its last observation, and only that is known of it.

    A state has the columns of `features`; the edge column `link` [E] int64, the row of each edge in the environment's
    own list, and, where rows of nodes have holes, the node column `place` likewise; and for each action block a column
    `legal_NAME` of the table that its rows are tied to.

    room: how many rows each block has in the environment's own numbering, where it numbers its actions by rows that are
    fixed; None: by those that a graph has.

    Raises ValueError for actions on pairs of nodes, which no table has rows for, and where nodes or edges decide among
    other things than choices of their own.
    """

    def __init__(
        self,
        features: Features,
        actions: ActionSpec,
        undirected: bool = False,
        device: torch.device | str = "cpu",
        room: Sequence[int | None] | None = None,
    ) -> None:
        for block in actions.blocks:
            if actions.table(block) is None:
                raise ValueError(f"action {block.name!r}: list the pairs as edges of the observation, and use per_edge")
        if not actions.one_per_graph and [block.rows for block in actions.blocks] != [DECIDERS]:
            raise ValueError("where nodes or edges decide, environments of others take one per_decider block")
        self._features, self._actions = features, actions
        self.undirected = undirected
        self.device = device
        self.room = room

    @property
    @override
    def features(self) -> Features:
        return self._features

    @property
    @override
    def actions(self) -> ActionSpec:
        return self._actions

    @property
    @override
    def edits_graph(self) -> bool:
        return True

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        raise NotImplementedError(_ELSEWHERE)

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        raise NotImplementedError(_ELSEWHERE)

    def states(self, packs: Sequence[PackedArrays]) -> GraphBatch:
        """All graphs of `packs`, in order. Raises GraphError for links or masks that do not fit."""
        joined = {
            key: torch.cat([torch.from_numpy(pack[key]).to(self.device, non_blocking=True) for pack in packs])
            for key in packs[0]
        }
        nodes, links = Segments.from_lengths(joined["num_nodes"]), Segments.from_lengths(joined["num_links"])
        tables: dict[str, dict[str, Tensor]] = {"nodes": {}, "edges": {_LINK: links.position}, "graphs": {}}
        for key, column in joined.items():
            table, _, name = key.partition(".")
            if name:
                tables[table][name] = column
        edge_index = joined["links"].t() + nodes.ptr[:-1][links.index]
        graph = from_edges(edge_index, joined["num_nodes"], undirected=self.undirected, **tables)
        if self.actions.segments(graph).num_rows != joined["mask"].numel():
            raise GraphError(f"the masks have {joined['mask'].numel()} entries, the graphs other candidates")
        for block, legal in zip(self.actions.blocks, self.actions.divide(graph, joined["mask"]), strict=True):
            graph = self._with_mask(graph, block, legal)
        return graph

    @override
    def observe(self, state: GraphBatch) -> Observation:
        return Observation(state, tuple(_mask(state, self.actions, block) for block in self.actions.blocks))

    def env_actions(self, state: GraphBatch, action: Tensor) -> np.ndarray | list[np.ndarray]:
        """The actions in the environments' own terms: number of the candidate, block, row, column.

        [B, 4] int64; or, where nodes or edges decide, [rows] int64 or [rows, columns] float32 for each graph, in the
        environment's own order, −1 or NaN where a row decides nothing.
        """
        if not self.actions.one_per_graph:
            return self._rows_of_deciders(state, action)
        block, row, column = self.actions.locate(state, action)
        own = row
        for place, kind in enumerate(self.actions.blocks):
            rows, segments = self._own_rows(state, kind), kind.rows.segments(state)
            if rows.numel():
                chosen = block == place
                own = torch.where(chosen, rows[torch.where(chosen, segments.ptr[:-1] + row, 0)], own)
        number = self.numbers(state)[self.actions.segments(state).ptr[:-1] + action]
        return torch.stack([number, block, own, column], dim=1).cpu().numpy()

    def numbers(self, state: GraphBatch) -> Tensor:
        """[K] int64: the environment's own number of each candidate."""
        numbers, start = [], torch.zeros(state.num_graphs, dtype=torch.int64, device=state.device)
        for place, block in enumerate(self.actions.blocks):
            segments, own = self._kind(block).segments(state), self._own_rows(state, block)
            columns = torch.arange(block.columns, device=state.device)
            numbers.append(start[segments.index, None] + own[:, None] * block.columns + columns)
            room = None if self.room is None else self.room[place]
            start = start + (segments.lengths if room is None else room) * block.columns
        return self.actions.arrange(state, numbers)

    def _rows_of_deciders(self, state: GraphBatch, action: Tensor) -> list[np.ndarray]:
        graphs = self.actions.deciders(state)
        width = graphs.lengths
        if self.room is not None and self.room[0] is not None:
            width = torch.full_like(width, self.room[0])
        told = Segments.from_lengths(width)
        missing = torch.nan if self.actions.continuous else -1
        rows = action.new_full((told.num_rows, *action.shape[1:]), missing)
        rows[told.ptr[:-1][graphs.index] + self._own_rows(state, self.actions.blocks[0])] = action
        return np.split(rows.cpu().numpy(), told.ptr[1:-1].tolist())

    def _kind(self, block: ActionBlock) -> RowKind:
        return self.actions.decider if block.rows == DECIDERS else block.rows

    def _own_rows(self, state: GraphBatch, block: ActionBlock) -> Tensor:
        """[R] int64: the environment's own row of each row of the block."""
        kind = self._kind(block)
        if kind.table != "edges":
            position = kind.segments(state).position
            return state.nodes.get(_PLACE, position) if kind.table == "nodes" else position
        link = state.edges[_LINK][kind.places(state)]
        return link if self.room is not None and kind != NEIGHBOURS else segment_rank(link, kind.segments(state))

    def _with_mask(self, graph: GraphBatch, block: ActionBlock, legal: Tensor) -> GraphBatch:
        """`graph` with the column of `block` that holds `legal` [rows(, columns)], in the environment's own order."""
        kind, table = self._kind(block), self.actions.table(block)
        if kind.table != "edges":
            return _with_column(graph, table, block, legal)
        segments, places = kind.segments(graph), kind.places(graph)
        column = legal.new_zeros(graph.num_edges, *legal.shape[1:])
        column[places] = legal[segments.ptr[:-1][segments.index] + segment_rank(graph.edges[_LINK][places], segments)]
        return _with_column(graph, table, block, column)


def column_of(block: ActionBlock) -> str:
    """The column of a state that says which candidates of the block are legal."""
    return f"legal_{block.name}"


def _with_column(graph: GraphBatch, table: Table | None, block: ActionBlock, column: Tensor) -> GraphBatch:
    add = {"nodes": graph.with_nodes, "edges": graph.with_edges, "graphs": graph.with_graphs}
    assert table is not None
    return add[table](**{column_of(block): column})


def _mask(state: GraphBatch, actions: ActionSpec, block: ActionBlock) -> Tensor:
    table = actions.table(block)
    assert table is not None
    column: Tensor = getattr(state, table)[column_of(block)]
    kind = actions.decider if block.rows == DECIDERS else block.rows
    return column if table != "edges" else column[kind.places(state)]
