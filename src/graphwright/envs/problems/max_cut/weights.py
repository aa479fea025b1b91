"""Weighted undirected graphs: the instances of cutting problems, from users and at random."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, simplify
from graphwright.core.construction import on_both_directions
from graphwright.core.segment import segment_mean, segment_sum
from graphwright.envs.undirected import require_undirected
from graphwright.envs.weights import EDGE_WEIGHTS, edge_numbers, require_edges


def weighted_instance(graph: GraphBatch) -> GraphBatch:
    """The undirected simple graph with the columns of `with_strength`; loops go, weights of parallel edges add up.

    graph: undirected, with one of the edge columns `EDGE_WEIGHTS` [E], all ones where there is none; float64 unless
    it is float32.

    Raises GraphError for a directed graph and for weights that are not finite, not one number an edge, or different in
    the two directions of an edge.
    """
    require_undirected(graph, "a cut needs an undirected one")
    name, given = edge_numbers(graph, EDGE_WEIGHTS) or ("weight", torch.ones(graph.num_edges, device=graph.device))
    weight = given.double()
    require_edges(graph, name, weight, _in_range(weight), "weights are finite numbers of at most 3.4e38")
    opposite = weight[graph.edges["reverse"] + graph.edge_ptr[:-1][graph.edge_graph]]
    rule = "the opposite edge has another weight; give both directions the same"
    require_edges(graph, name, weight, weight == opposite, rule)

    key = graph.edge_index[1] * max(graph.num_nodes, 1) + graph.edge_index[0]
    _, pair = torch.unique_consecutive(key, return_inverse=True)  # parallel edges follow each other
    weight = weight.new_zeros(graph.num_edges).index_add(0, pair, weight)[pair]
    require_edges(graph, name, weight, _in_range(weight), "weights of parallel edges add up to at most 3.4e38")
    weight = weight.to(given.dtype)
    bare = GraphBatch(graph.edge_index, graph.node_ptr, graph.edge_ptr, edges={"weight": weight})
    return with_strength(simplify(bare))


def with_strength(graph: GraphBatch) -> GraphBatch:
    """`graph` with what its edge column `weight` [E] float32 is measured by, so that the unit changes no decision.

    Adds the node column `strength` [N] float32, Σ_j |w_ij|, and the graph column `scale` [B] float32, the root of the
    mean over nodes of Σ_j w_ij²: about what a flip changes where sides are random. 1 where all weights are 0.
    """
    weight = graph.edges["weight"].double()
    strength = segment_sum(weight.abs(), graph.in_edges)
    scale = segment_mean(segment_sum(weight.square(), graph.in_edges), graph.node_segments).sqrt()
    scale = torch.where(scale > 0, scale, 1)
    return graph.with_nodes(strength=strength.to(torch.float32)).with_graphs(scale=scale.to(torch.float32))


def uniform_weights(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """An edge column `weight` [E] float32, uniform in [0, 1), with the columns of `with_strength`."""
    return _weighted(graph, torch.rand(_num_links(graph), generator=generator, device=generator.device))


def signed_weights(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """As `uniform_weights`, but −1 or 1 with equal probability: a spin glass."""
    sign = torch.randint(2, (_num_links(graph),), generator=generator, device=generator.device)
    return _weighted(graph, 2 * sign.to(torch.float32) - 1)


def unit_weights(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """As `uniform_weights`, but all 1."""
    return _weighted(graph, torch.ones(_num_links(graph), device=generator.device))


def _num_links(graph: GraphBatch) -> int:
    return graph.links[0].numel()


def _weighted(graph: GraphBatch, weight: Tensor) -> GraphBatch:
    """`weight` [L], one for each undirected edge, in both its directions."""
    return with_strength(graph.keep().with_edges(weight=on_both_directions(graph, weight)))


def _in_range(weight: Tensor) -> Tensor:
    """[E] bool: what a network can see."""
    return weight.to(torch.float32).isfinite()
