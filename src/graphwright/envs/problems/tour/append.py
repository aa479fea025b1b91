"""Tours that grow at their end: the chosen node comes after the last one, and before the first."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.problems.tour.plane import distance, distance_to_centre
from graphwright.envs.problems.tour.sequence import insert_after

NODE_FEATURES = ("from_end", "to_start")
GRAPH_FEATURES = ()


def begin(instances: GraphBatch) -> GraphBatch:
    """The columns that appending adds, of empty tours.

    from_end, to_start: [N] float64, from the last node and to the first; before there is one, to the centre of all.
    first, last: [B] int64, the ends of the tour, counted in their own graph; -1 before there are any.
    """
    nowhere = torch.full_like(instances.node_ptr[:-1], -1)
    centre = distance_to_centre(instances)
    return instances.with_nodes(from_end=centre, to_start=centre).with_graphs(first=nowhere, last=nowhere)


def place(state: GraphBatch, node: Tensor) -> Tensor:
    """[B] int64: after which node `node` [B] goes, itself in an empty tour; all numbered over the union."""
    last = state.graphs["last"]
    return torch.where(last < 0, node, last + state.node_ptr[:-1])


def extend(state: GraphBatch, node: Tensor) -> GraphBatch:
    """`state` after each graph's `node` [B], numbered over the union, has become the end of its tour."""
    following = insert_after(state, place(state, node), node)
    local = node - state.node_ptr[:-1]
    first = torch.where(state.graphs["first"] < 0, local, state.graphs["first"])
    rows = torch.arange(state.num_nodes, device=state.device)
    start = (first + state.node_ptr[:-1])[state.node_graph]
    return following.with_nodes(
        from_end=distance(state, rows, node[state.node_graph]), to_start=distance(state, rows, start)
    ).with_graphs(first=first, last=local)


def look(state: GraphBatch) -> dict[str, Tensor]:
    """What a network sees of each node, [N] float32 each; lengths are over `scale`."""
    each = state.graphs["scale"][state.node_graph]
    return {name: (state.nodes[name] / each).float() for name in NODE_FEATURES}


def look_at_all(state: GraphBatch) -> dict[str, Tensor]:
    """Nothing of each graph."""
    return {}
