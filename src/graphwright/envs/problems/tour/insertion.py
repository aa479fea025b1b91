"""Tours that grow by cheapest insertion: the chosen node goes where it lengthens the tour least."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_argmax, segment_max
from graphwright.envs.problems.tour.plane import distance, distance_to_centre, segments_of
from graphwright.envs.problems.tour.sequence import insert_after, insertion_cost, share

NODE_FEATURES = ("gap", "cost", "regret")
GRAPH_FEATURES = ("largest_gap", "largest_cost", "spacing")


def begin(instances: GraphBatch) -> GraphBatch:
    """The columns that cheapest insertion adds, of empty tours.

    gap: [N] float64, from a node outside the tour to the nearest in it; before the first, to the centre of all.
    insertion_cost, second_cost: [N] float64, of the cheapest and the second cheapest place for a node outside.
    place, second_place: [N] int64, the nodes after which these are, counted in their own graph; -1 before the first.
    """
    zero = torch.zeros(instances.num_nodes, dtype=torch.float64, device=instances.device)
    nowhere = torch.full_like(zero, -1, dtype=torch.int64)
    return instances.with_nodes(
        gap=distance_to_centre(instances), insertion_cost=zero, second_cost=zero, place=nowhere, second_place=nowhere
    )


def place(state: GraphBatch, node: Tensor) -> Tensor:
    """[B] int64: after which node `node` [B] goes, itself in an empty tour; all numbered over the union."""
    found = state.nodes["place"][node]
    return torch.where(found < 0, node, found + state.node_ptr[:-1])


def extend(state: GraphBatch, node: Tensor) -> GraphBatch:
    """`state` after each graph's `node` [B], numbered over the union, has been inserted at its cheapest place.

    A place stays as good as it was unless it is the one that was taken, so only nodes that had it first or second look
    at the whole tour again: about n² pairs of a node and a place in the n steps of a tour, not n³.
    """
    before = place(state, node)
    following = insert_after(state, before, node)
    outside = (following.nodes["successor"] < 0).nonzero().squeeze(1)
    columns = {name: state.nodes[name] for name in ("insertion_cost", "second_cost", "place", "second_place")}
    old = {name: column[outside] for name, column in columns.items()}
    local = before - state.node_ptr[:-1]
    taken = local[state.node_graph[outside]]
    stale = (old["place"] < 0) | (old["place"] == taken) | (old["second_place"] == taken)
    cost, where = _with_new_places(following, outside, old, before, node)
    again = stale.nonzero().squeeze(1)
    cost[again], where[again] = _best_two_places(following, outside[again])
    from_node = distance(following, outside, node[state.node_graph[outside]])
    first = state.nodes["place"][outside] < 0
    gap = torch.where(first, from_node, torch.minimum(state.nodes["gap"][outside], from_node))
    return following.with_nodes(
        gap=torch.zeros_like(state.nodes["gap"]).index_copy(0, outside, gap),
        insertion_cost=torch.zeros_like(columns["insertion_cost"]).index_copy(0, outside, cost[:, 0]),
        second_cost=torch.zeros_like(columns["second_cost"]).index_copy(0, outside, cost[:, 1]),
        place=torch.full_like(columns["place"], -1).index_copy(0, outside, where[:, 0]),
        second_place=torch.full_like(columns["place"], -1).index_copy(0, outside, where[:, 1]),
    )


def look(state: GraphBatch) -> dict[str, Tensor]:
    """What a network sees of each node, [N] float32 each, log(1 + a length over scale), 0 for nodes in the tour.

    What lengths are to be compared with is in the columns of the graph: so an insertion changes those of the nodes
    alone for which it made a nearer or a cheaper place.
    """
    gap, cost, each = state.nodes["gap"], state.nodes["insertion_cost"], state.graphs["scale"][state.node_graph]
    return {
        "gap": _log(gap / each),
        "cost": _log(cost / each),
        "regret": _log((state.nodes["second_cost"] - cost) / each),
    }


def look_at_all(state: GraphBatch) -> dict[str, Tensor]:
    """What a network sees of each graph, [B] float32 each: the largest of its columns `gap` and `cost`, and `spacing`.

    spacing: log(1 + √(n / t)), the distance over scale of the t nodes of the tour if they were spread evenly.
    """
    scale, nodes = state.graphs["scale"], state.node_segments
    inside = (share(state) * nodes.lengths).clamp(min=1)
    return {
        "largest_gap": _log(_largest(state.nodes["gap"], nodes) / scale),
        "largest_cost": _log(_largest(state.nodes["insertion_cost"], nodes) / scale),
        "spacing": _log((nodes.lengths / inside).sqrt()),
    }


def _with_new_places(
    state: GraphBatch, outside: Tensor, old: dict[str, Tensor], before: Tensor, node: Tensor
) -> tuple[Tensor, Tensor]:
    """The two cheapest of the two known places and the two that inserting `node` made: costs, places [M, 2] each."""
    graph, start = state.node_graph[outside], state.node_ptr[:-1]
    first, second = insertion_cost(state, outside, before[graph]), insertion_cost(state, outside, node[graph])
    cost = torch.stack([old["insertion_cost"], old["second_cost"], first, second], dim=1)
    places = torch.stack([old["place"], old["second_place"], (before - start)[graph], (node - start)[graph]], dim=1)
    cost, order = cost.sort(dim=1, stable=True)
    return cost[:, :2], places.gather(1, order)[:, :2]


def _best_two_places(state: GraphBatch, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """The two cheapest of all places for `nodes` [M], one place twice where a tour has no more: [M, 2] each."""
    inside = (state.nodes["successor"] >= 0).nonzero().squeeze(1)
    choices, members = segments_of(state, inside).select(state.node_graph[nodes])
    cost = insertion_cost(state, nodes[choices.index], inside[members])
    costs, places = [], []
    for _ in range(2):
        best = choices.ptr[:-1] + segment_argmax(-cost, choices)
        costs.append(cost[best])
        places.append(inside[members[best]])
        cost = cost.index_fill(0, best[choices.lengths > 1], torch.inf)
    return torch.stack(costs, dim=1), torch.stack(places, dim=1) - state.node_ptr[:-1][state.node_graph[nodes]][:, None]


def _largest(values: Tensor, nodes: Segments) -> Tensor:
    """[B]: the largest of each graph, 0 in one without nodes."""
    return segment_max(values, nodes).clamp(min=0)


def _log(ratio: Tensor) -> Tensor:
    """log(1 + ratio), float32; rounded lengths may make a detour shorter than nothing."""
    return ratio.clamp(min=0).log1p().float()
