"""Graphs of agents and landmarks: who sees whom, and what of each other."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments

AGENT, LANDMARK = 0, 1
"""Node column `type`."""


def crowd(agents: Tensor, landmarks: Tensor) -> GraphBatch:
    """Graphs of `agents` [B] and then `landmarks` [B] int64, every agent joined to all others in both directions.

    Landmarks are not joined to each other. Node column `type` [N] int64; edge column `type` [E] int64, 0 from agent to
    agent, 1 from landmark to agent, 2 from agent to landmark.
    """
    sizes = agents + landmarks
    nodes, pairs = Segments.from_lengths(sizes), Segments.from_lengths(sizes * sizes)
    size = sizes[pairs.index]
    end, source = pairs.position // size, pairs.position % size
    few = agents[pairs.index]
    joined = ((end < few) | (source < few)) & (end != source)
    type_ = torch.where(source >= few, 1, torch.where(end >= few, 2, 0))
    counts = torch.bincount(pairs.index[joined], minlength=sizes.numel())
    begin = nodes.ptr[:-1][pairs.index]
    return GraphBatch.trusted(
        torch.stack([source + begin, end + begin])[:, joined],
        nodes,
        Segments.from_lengths(counts),
        nodes={"type": (nodes.position >= agents[nodes.index]).long()},
        edges={"type": type_[joined]},
    )


def of_type(graph: GraphBatch, type_: int) -> Tensor:
    """[M] int64: the nodes of that type."""
    return (graph.nodes["type"] == type_).nonzero().squeeze(1)


def members(graph: GraphBatch, type_: int) -> tuple[Tensor, Segments]:
    """The nodes of that type [M] int64, and each graph's share of them (M → B)."""
    rows = of_type(graph, type_)
    return rows, Segments.from_lengths(torch.bincount(graph.node_graph[rows], minlength=graph.num_graphs))


def by_team(graph: GraphBatch, column: str, type_: int) -> Tensor:
    """[B, A, ...]: a column of the nodes of that type, of teams of one size."""
    return graph.nodes[column][of_type(graph, type_)].unflatten(0, (graph.num_graphs, -1))


SIGHT = {"relative": 2, "distance": 1, "near": 1, "nearest": 2}
"""Edge columns of `sight` and their widths."""


def sight(state: GraphBatch) -> dict[str, Tensor]:
    """Where the source of each edge is, as its destination sees it, from the node column `position`.

    `relative` [E, 2]; `distance` [E]; `near` [E], exp(-4 distance); `nearest` [E, 2] bool, whether no other edge of its
    type into the same node, and none out of the same node, is shorter.
    """
    position, (source, end) = state.nodes["position"], state.edge_index
    relative = position.index_select(0, source) - position.index_select(0, end)
    distance = relative.norm(dim=1)
    nearest = torch.stack([least_of_type(distance, node, state) for node in (end, source)], 1)
    return {"relative": relative, "distance": distance, "near": (-4 * distance).exp(), "nearest": nearest}


def least_of_type(distance: Tensor, node: Tensor, state: GraphBatch) -> Tensor:
    """[E] bool: whether the `distance` of each edge is the least of those of its type at its `node` [E]."""
    place = 3 * node + state.edges["type"]
    least = torch.full((3 * state.num_nodes,), torch.inf, dtype=distance.dtype, device=distance.device)
    return distance == least.scatter_reduce(0, place, distance, "amin")[place]
