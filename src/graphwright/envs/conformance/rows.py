"""Where the rows of an action block, and so masks and actions, go when nodes are renumbered."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, pair_ends, unordered_pair_nodes, unordered_pair_segments
from graphwright.core.rows import PAIRS, RowKind


def carry_masks(
    actions: ActionSpec, graph: GraphBatch, renumbered: GraphBatch, place: Tensor, masks: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """The masks of `graph` as they are in `renumbered`, where node v is at `place[v]` [N] int64 over the union."""
    return tuple(
        torch.empty_like(mask).index_copy(0, places(block.rows, graph, renumbered, place), mask)
        for block, mask in zip(actions.blocks, masks, strict=True)
    )


def carry_action(
    actions: ActionSpec, graph: GraphBatch, renumbered: GraphBatch, place: Tensor, action: Tensor
) -> Tensor:
    """The action that means in `renumbered` what `action` [B] means in `graph`; -1 stays."""
    if actions.continuous:
        return torch.empty_like(action).index_copy(0, place, action)
    segments = actions.segments(graph)
    number = torch.arange(segments.num_rows)
    carried = actions.arrange(renumbered, carry_masks(actions, graph, renumbered, place, actions.divide(graph, number)))
    moved = torch.empty_like(number).index_copy(0, carried, number)
    chosen = (segments.ptr[:-1] + action).clamp(min=0, max=max(number.numel() - 1, 0))
    return torch.where(action < 0, action, moved[chosen] - segments.ptr[:-1]) if number.numel() else action


def places(rows: RowKind, graph: GraphBatch, renumbered: GraphBatch, place: Tensor) -> Tensor:
    """[rows] int64: the row of `renumbered` that each row of `graph` becomes.

    Rows between the same two nodes stay in their order.
    """
    keys = _key(rows, graph, place), _key(rows, renumbered, torch.arange(renumbered.num_nodes))
    before, after = (torch.argsort(key, stable=True) for key in keys)
    return torch.empty_like(before).index_copy(0, before, after)


def _key(rows: RowKind, graph: GraphBatch, place: Tensor) -> Tensor:
    """[rows] int64: a number for the nodes that each row is at, wherever `place` [N] puts them."""
    if rows.table == "graphs":
        return torch.arange(graph.num_graphs)
    if rows.table == "nodes":
        return place[rows.places(graph)]
    if rows.table == "edges":
        ends = place[graph.edge_index[:, rows.places(graph)]]
        unordered = rows.once and "reverse" in graph.edges
    elif rows == PAIRS:
        ends, unordered = place[torch.stack(pair_ends(graph))], False
    else:
        pairs = unordered_pair_segments(graph)
        local = torch.stack(unordered_pair_nodes(pairs.position))
        ends, unordered = place[local + graph.node_ptr[:-1][pairs.index]], True
    one, other = ends.sort(0).values if unordered else ends
    return other * graph.num_nodes + one
