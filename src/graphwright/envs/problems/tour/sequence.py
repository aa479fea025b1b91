"""The node column `successor` [N] int64: which node of its own graph comes next in a closed tour, -1 outside."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.tour.plane import distance


def empty_tour(instances: GraphBatch) -> GraphBatch:
    """`instances` with no node in the tour."""
    return instances.with_nodes(successor=torch.full_like(instances.node_graph, -1))


def insert_after(state: GraphBatch, before: Tensor, node: Tensor) -> GraphBatch:
    """`state` with `node` [B] right after `before` [B]; numbered over the union, and the same in an empty tour."""
    start, successor = state.node_ptr[:-1], state.nodes["successor"]
    after = torch.where(before == node, node - start, successor[before])
    return state.with_nodes(successor=successor.index_copy(0, before, node - start).index_copy(0, node, after))


def in_order(instances: GraphBatch, order: Tensor) -> GraphBatch:
    """`instances` with the tour that visits the nodes `order` [N], a permutation inside each graph, of the union."""
    nodes = instances.node_segments
    start = nodes.ptr[:-1][nodes.index]
    following = start + (nodes.position + 1) % nodes.lengths[nodes.index]
    return instances.with_nodes(successor=torch.empty_like(order).index_copy(0, order, order[following] - start))


def tour_length(state: GraphBatch) -> Tensor:
    """[B] float64: the length of each closed tour."""
    node = (state.nodes["successor"] >= 0).nonzero().squeeze(1)
    after = state.nodes["successor"][node] + state.node_ptr[:-1][state.node_graph[node]]
    length = torch.zeros(state.num_nodes, dtype=torch.float64, device=state.device)
    return segment_sum(length.index_copy(0, node, distance(state, node, after)), state.node_segments)


def tour_order(state: GraphBatch) -> Tensor:
    """[k] int64: the nodes of the one tour of a batch of one graph, from its lowest on."""
    successor = state.nodes["successor"].tolist()
    start = next((node for node, after in enumerate(successor) if after >= 0), None)
    order = [] if start is None else [start]
    while order and successor[order[-1]] != start:
        order.append(successor[order[-1]])
    return torch.tensor(order, dtype=torch.int64)


def share(state: GraphBatch) -> Tensor:
    """[B] float64: how much of each graph's nodes is in the tour."""
    inside = segment_sum(state.nodes["successor"] >= 0, state.node_segments)
    return inside.double() / state.node_segments.lengths.clamp(min=1)


def insertion_cost(state: GraphBatch, node: Tensor, before: Tensor) -> Tensor:
    """[M] float64: by how much `node` [M] right after `before` [M] lengthens the tour; numbered over the union.

    The first node of a tour comes after itself and costs nothing.
    """
    after = state.nodes["successor"][before] + state.node_ptr[:-1][state.node_graph[before]]
    after = torch.where(state.nodes["successor"][before] < 0, before, after)
    ways = distance(state, torch.cat([before, node, before]), torch.cat([node, after, after]))
    there, back, straight = ways.view(3, -1)
    return there + back - straight
