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
from graphwright.core.rows import Table
from graphwright.envs.environment import Environment
from graphwright.workers.env_group import PackedArrays

_LINK = "link"
_ELSEWHERE = "the episodes of others begin and go on in their own processes; step their vector environment"


class ForeignEnvironment(Environment):
    """An environment whose dynamics run elsewhere: its state is its last observation, and only that is known of it.

    A state has the columns of `features`; the edge column `link` [E] int64, the row of each edge in the environment's
    own list; and for each action block a column `legal_NAME` of the table that its rows are tied to.

    Raises ValueError for actions on pairs of nodes, which no table has rows for.
    """

    def __init__(
        self, features: Features, actions: ActionSpec, undirected: bool = False, device: torch.device | str = "cpu"
    ) -> None:
        for block in actions.blocks:
            if actions.table(block) is None:
                raise ValueError(f"action {block.name!r}: list the pairs as edges of the observation, and use per_edge")
        self._features, self._actions = features, actions
        self.undirected = undirected
        self.device = device

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
        return Observation(
            state, tuple(_mask(state, self.actions.table(block), block) for block in self.actions.blocks)
        )

    def env_actions(self, state: GraphBatch, action: Tensor) -> np.ndarray | list[np.ndarray]:
        """The actions in the environments' own terms: number of the candidate, block, row, column.

        [B, 4] int64; or, where actions are continuous, one [n, columns] float32 for each graph.
        """
        if self.actions.continuous:
            return np.split(action.cpu().numpy(), self.actions.deciders(state).ptr[1:-1].tolist())
        block, row, column = self.actions.locate(state, action)
        own, number = row, action
        for place, kind in enumerate(self.actions.blocks):
            order = _own_rows(state, kind)
            if order is not None and order.numel():
                chosen = block == place
                start = kind.rows.segments(state).ptr[:-1]
                own = torch.where(chosen, order[torch.where(chosen, start + row, 0)], own)
                number = torch.where(chosen, action + (own - row) * kind.columns, number)
        return torch.stack([number, block, own, column], dim=1).cpu().numpy()

    def _with_mask(self, graph: GraphBatch, block: ActionBlock, legal: Tensor) -> GraphBatch:
        """`graph` with the column of `block` that holds `legal` [rows(, columns)], in the environment's own order."""
        order = _own_rows(graph, block)
        if order is None:
            return _with_column(graph, self.actions.table(block), block, legal)
        segments = block.rows.segments(graph)
        column = legal.new_zeros(graph.num_edges, *legal.shape[1:])
        column[block.rows.places(graph)] = legal[segments.ptr[:-1][segments.index] + order]
        return _with_column(graph, self.actions.table(block), block, column)


def _column(block: ActionBlock) -> str:
    return f"legal_{block.name}"


def _with_column(graph: GraphBatch, table: Table | None, block: ActionBlock, column: Tensor) -> GraphBatch:
    add = {"nodes": graph.with_nodes, "edges": graph.with_edges, "graphs": graph.with_graphs}
    assert table is not None
    return add[table](**{_column(block): column})


def _mask(state: GraphBatch, table: Table | None, block: ActionBlock) -> Tensor:
    assert table is not None
    column: Tensor = getattr(state, table)[_column(block)]
    return column if table != "edges" else column[block.rows.places(state)]


def _own_rows(state: GraphBatch, block: ActionBlock) -> Tensor | None:
    """[R] int64: where each row of the block stands in the environment's own list; None where orders agree."""
    if block.rows.table != "edges":
        return None
    segments, link = block.rows.segments(state), state.edges[_LINK][block.rows.places(state)]
    order = torch.argsort(segments.index * (link.max() + 1 if link.numel() else 1) + link)
    place = torch.empty_like(order)
    place[order] = segments.position
    return place
