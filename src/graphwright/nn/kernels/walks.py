"""Walks between two nodes: what tells apart pairs whose nodes look alike, each on its own."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.segment import Segments


def random_walks(ends: Tensor, graph: GraphBatch, steps: int) -> Tensor:
    """out[p, k - 1] = (S^k)[u, v] for k = 1 to `steps`, with (u, v) = ends[:, p] of one graph each, [P, steps] float32.

    S[i, j] = (edges i → j) / √(out-degree of i · in-degree of j), so that in an undirected graph S^k[u, v] is the
    geometric mean of the probabilities that a random walk of k steps leads from u to v, and from v to u. No edge is
    known by anything but its ends. ends: [2, P] int64; pairs with the same source that stand side by side are reached
    by one search, which costs as much as there are edges within `steps` of it. No gradient passes.
    """
    if ends.device.type != "cpu":
        return random_walks_reference(ends, graph, steps)
    ptr, neighbours, leaving, arriving = _walked(graph)
    out = torch.empty(ends.shape[1], steps)
    _walks(*arrays(*ends, ptr, neighbours, leaving, arriving, out))
    return out


def random_walks_reference(ends: Tensor, graph: GraphBatch, steps: int) -> Tensor:
    """`random_walks` in plain torch: powers of a matrix for each graph, padded to the largest."""
    graphs, (source, destination) = graph.edge_graph, graph.edge_index - graph.node_ptr[:-1][graph.edge_graph]
    _, _, leaving, arriving = _walked(graph)
    size = int(graph.node_segments.lengths.max()) if graph.num_graphs else 0
    once = torch.zeros(graph.num_graphs, size, size, device=graph.device)
    share = leaving[graph.edge_index[0]] * arriving[graph.edge_index[1]]
    once.index_put_((graphs, source, destination), share, accumulate=True)
    own = graph.node_graph[ends[0]]
    u, v = ends - graph.node_ptr[:-1][own]
    power, found = once, []
    for _ in range(steps):
        found.append(power[own, u, v])
        power = power @ once
    return torch.stack(found, dim=1)


def closed_random_walks(graph: GraphBatch, steps: int) -> Tensor:
    """`random_walks` from every node back to itself, [N, steps]."""
    nodes = torch.arange(graph.num_nodes, device=graph.device)
    return random_walks(torch.stack([nodes, nodes]), graph, steps)


def random_walks_along_edges(graph: GraphBatch, steps: int) -> Tensor:
    """`random_walks` from the source to the destination of every edge, [E, steps]."""
    if "reverse" in graph.edges:  # the same from either end, and edges stand by their destination
        return random_walks(graph.edge_index.flip(0), graph, steps)
    order, _ = graph.out_edges
    found = random_walks(graph.edge_index[:, order], graph, steps)
    return torch.empty_like(found).index_copy_(0, order, found)


def random_walks_either_way(ends: Tensor, graph: GraphBatch, steps: int) -> Tensor:
    """[P, steps]: the mean of both ways, the same whichever of the two nodes stands first."""
    forth = random_walks(ends, graph, steps)
    return forth if "reverse" in graph.edges else (forth + random_walks(ends.flip(0), graph, steps)) / 2


def _walked(graph: GraphBatch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The row pointer [N + 1] and the destinations [E] of the edges out of each node; the share [N] of each node's
    degree in what leaves it, and in what arrives."""
    arriving = graph.in_degree.clamp(min=1).float().rsqrt()
    if "reverse" in graph.edges:
        return graph.in_edges.ptr, graph.edge_index[0], arriving, arriving
    rows, out = graph.out_edges
    return out.ptr, graph.edge_index[1][rows], _shares(out), arriving


def _shares(edges: Segments) -> Tensor:
    return edges.lengths.clamp(min=1).float().rsqrt()


@jit_as_written
def _walks(sources, destinations, ptr, neighbours, leaving, arriving, out):  # type: ignore[no-untyped-def]
    """A search from every run of equal sources; of each round only the nodes that it reaches are touched."""
    nodes = leaving.size
    weight, following = np.zeros(nodes, np.float32), np.zeros(nodes, np.float32)
    reached, next_reached = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    first = 0
    while first < sources.size:
        source, last = sources[first], first + 1
        while last < sources.size and sources[last] == source:
            last += 1
        reached[0], count, weight[source] = source, 1, 1
        for step in range(out.shape[1]):
            next_count = 0
            for place in range(count):
                node = reached[place]
                share = weight[node] * leaving[node]
                weight[node] = 0
                for edge in range(ptr[node], ptr[node + 1]):
                    neighbour = neighbours[edge]
                    if following[neighbour] == 0:
                        next_reached[next_count] = neighbour
                        next_count += 1
                    following[neighbour] += share * arriving[neighbour]
            weight, following = following, weight
            reached, next_reached, count = next_reached, reached, next_count
            for pair in range(first, last):
                out[pair, step] = weight[destinations[pair]]
        for place in range(count):
            weight[reached[place]] = 0
        first = last
