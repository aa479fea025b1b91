"""Where the rows of an action block, and so masks and actions, go when nodes are renumbered."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.actions import ActionSpec
from graphwright.core.graph import GraphBatch
from graphwright.core.pairs import pair_ends, unordered_pair_nodes, unordered_pair_segments
from graphwright.core.rows import DECIDERS, PAIRS, RowKind


def carry_masks(
    actions: ActionSpec, graph: GraphBatch, renumbered: GraphBatch, place: Tensor, masks: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """The masks of `graph` as they are in `renumbered`, where node v is at `place[v]` [N] int64 over the union."""
    return tuple(
        torch.empty_like(mask).index_copy(0, places(actions, block.rows, graph, renumbered, place), mask)
        for block, mask in zip(actions.blocks, masks, strict=True)
    )


def carry_decisions(
    actions: ActionSpec, graph: GraphBatch, renumbered: GraphBatch, place: Tensor, values: Tensor
) -> Tensor:
    """`values` [D, ...] of the decisions of `graph` in the order that these have in `renumbered`."""
    if actions.one_per_graph:
        return values
    return torch.empty_like(values).index_copy(0, places(actions, DECIDERS, graph, renumbered, place), values)


def carry_action(
    actions: ActionSpec, graph: GraphBatch, renumbered: GraphBatch, place: Tensor, action: Tensor
) -> Tensor:
    """The action that means in `renumbered` what `action` [D] means in `graph`; -1 stays."""
    if actions.continuous:
        return carry_decisions(actions, graph, renumbered, place, action)
    segments, after = actions.segments(graph), actions.segments(renumbered)
    moved = carry_candidates(actions, graph, renumbered, place)
    chosen = moved[(segments.ptr[:-1] + action)[action >= 0]]
    decision = after.index[chosen]
    return torch.full_like(action, -1).index_put((decision,), chosen - after.ptr[:-1][decision])


def carry_candidates(actions: ActionSpec, graph: GraphBatch, renumbered: GraphBatch, place: Tensor) -> Tensor:
    """[K] int64: the candidate of `renumbered` that each candidate of `graph` becomes."""
    number = torch.arange(actions.segments(graph).num_rows)
    carried = actions.arrange(renumbered, carry_masks(actions, graph, renumbered, place, actions.divide(graph, number)))
    return torch.empty_like(number).index_copy(0, carried, number)


def places(actions: ActionSpec, rows: RowKind, graph: GraphBatch, renumbered: GraphBatch, place: Tensor) -> Tensor:
    """[rows] int64: the row of `renumbered` that each row of `graph` becomes.

    Rows between the same two nodes stay in their order.
    """
    here = torch.arange(renumbered.num_nodes)
    keys = _key(actions, rows, graph, place), _key(actions, rows, renumbered, here)
    before, after = (torch.argsort(key, stable=True) for key in keys)
    return torch.empty_like(before).index_copy(0, before, after)


def _key(actions: ActionSpec, rows: RowKind, graph: GraphBatch, place: Tensor) -> Tensor:
    """[rows] int64: a number for the nodes that each row is at, wherever `place` [N] puts them."""
    deciders = None if actions.one_per_graph else actions.decider.deciders(graph)[0]
    kind = actions.decider if rows == DECIDERS else rows
    if kind.table == "graphs":
        return torch.arange(graph.num_graphs)
    if kind.table == "nodes":
        return place[rows.places(graph, deciders)]
    if kind.table == "edges":
        edges = graph.links[0][deciders] if rows == DECIDERS else rows.places(graph, deciders)
        ends = place[graph.edge_index[:, edges]]
        unordered = kind.once and "reverse" in graph.edges
    elif kind == PAIRS:
        ends, unordered = place[torch.stack(pair_ends(graph))], False
    else:
        pairs = unordered_pair_segments(graph)
        local = torch.stack(unordered_pair_nodes(pairs.position))
        ends, unordered = place[local + graph.node_ptr[:-1][pairs.index]], True
    one, other = ends.sort(0).values if unordered else ends
    return other * graph.num_nodes + one
