"""Where searches begin and end: what turns a random graph into an instance of path search."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.core.segment import segment_argmax, segment_max, segment_sample
from graphwright.envs.problems.path_search.hops import first_true, hops_from, mark

_CLOSED = 0.2


def closed_edges(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """As `anywhere`, after a fifth of the edges, drawn independently, are gone: there are dead ends and detours."""
    rows, _ = graph.links
    stay = torch.rand(rows.numel(), generator=generator, device=graph.device) >= _CLOSED
    sizes = graph.node_segments.lengths
    return anywhere(from_edges(graph.edge_index[:, rows[stay]], sizes, undirected=True, nodes=graph.nodes), generator)


def anywhere(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A uniform `target`, and a uniform `start` at least two hops away from it where there is such a node.

    Both are in the connected part of the node of largest degree. Node columns `start` and `target` [N] bool.
    """
    target = mark(graph, _draw(graph, hops_from(graph, _hub(graph)) >= 0, generator))
    hops = hops_from(graph, target)
    farthest = segment_max(hops.float(), graph.node_segments)[graph.node_graph]
    start = mark(graph, _draw(graph, hops >= farthest.clamp(max=2), generator))
    return graph.with_nodes(start=start, target=target)


def around_a_ring(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """As `anywhere`, with `position` [N, 2] float32 on a circle in the order of the nodes, as in Watts-Strogatz."""
    nodes = graph.node_segments
    angle = nodes.position * (2 * math.pi) / nodes.lengths[nodes.index]
    return anywhere(graph.with_nodes(position=torch.stack([angle.cos(), angle.sin()], dim=1)), generator)


def far_apart(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """From the middle of a long path to one of its ends, either with the same probability; positions are dropped.

    The ends are those of two sweeps of breadth-first search, which in a tree find a longest path. Nothing but the graph
    tells where the target is. Node columns `start` and `target` [N] bool.
    """
    one = _farthest(graph, hops_from(graph, _hub(graph)))
    from_one = hops_from(graph, one)
    other = _farthest(graph, from_one)
    from_other = hops_from(graph, other)
    length = segment_max(from_one.float(), graph.node_segments).long()[graph.node_graph]
    middle = (from_one + from_other == length) & (from_one == length // 2)
    first = torch.rand(graph.num_graphs, generator=generator, device=graph.device) < 0.5
    target = torch.where(first[graph.node_graph], one, other)
    return graph.keep().with_nodes(start=mark(graph, first_true(graph, middle)), target=target)


def _hub(graph: GraphBatch) -> Tensor:
    """[N] bool: the first node of largest degree of each graph."""
    return mark(graph, segment_argmax(graph.in_degree.float(), graph.node_segments))


def _farthest(graph: GraphBatch, hops: Tensor) -> Tensor:
    """[N] bool: the first node of each graph where `hops` [N] is largest."""
    return mark(graph, segment_argmax(hops.float(), graph.node_segments))


def _draw(graph: GraphBatch, among: Tensor, generator: torch.Generator) -> Tensor:
    """[B] int64: a uniform node of each graph out of `among` [N] bool."""
    return segment_sample(torch.where(among, 0.0, -torch.inf), graph.node_segments, generator)
