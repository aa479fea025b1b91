"""Rules for adding links: by trying them all, by degrees, and by the Fiedler vector."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation, pair_ends, pair_segments
from graphwright.core.segment import segment_argmax
from graphwright.envs.problems.graph_robustness.robustness import robustness_of_sets
from graphwright.envs.rollouts import Choose

_NUDGE = 1e-12  # times a product of degrees: less than the least difference of two critical fractions


def greedy(targeted: bool) -> Choose:
    """The open pair whose link raises the critical fraction most, in time O(n² S m).

    Among equally good ones, which are many in large graphs, the least product of degrees wins, then the first.
    """

    def choose(observation: Observation) -> Tensor:
        """[B] int64; the graphs have the column `turn`."""
        graph, (legal,) = observation.graph, observation.masks
        one, other = pair_ends(graph)
        candidates = legal & (one < other)
        score = _degree_product(graph) * -_NUDGE
        for number, (begin, end) in enumerate(pairwise(pair_segments(graph).ptr.tolist())):
            rows = candidates[begin:end].nonzero().squeeze(1) + begin
            ends = torch.stack([one[rows], other[rows]], dim=1) - graph.node_ptr[number]
            score[rows] += torch.from_numpy(
                robustness_of_sets(graph, number, ends[:, None].cpu().numpy(), targeted)
            ).to(score)
        return segment_argmax(score.masked_fill(~candidates, -torch.inf), pair_segments(graph))

    return choose


def least_degree(observation: Observation) -> Tensor:
    """[B] int64: the open pair whose degrees have the least product, the first of equals."""
    graph, (legal,) = observation.graph, observation.masks
    return segment_argmax((-_degree_product(graph)).masked_fill(~legal, -torch.inf), pair_segments(graph))


def fiedler(observation: Observation) -> Tensor:
    """[B] int64: the open pair whose entries in the Fiedler vector differ most, the first of equals.

    The vector belongs to the second least eigenvalue of the Laplacian matrix, which such a link raises most to first
    order (Wang & Van Mieghem 2008, "Algebraic connectivity optimization via link addition").
    """
    graph, (legal,) = observation.graph, observation.masks
    vector = _fiedler_vector(graph)
    one, other = pair_ends(graph)
    apart = (vector[one] - vector[other]).abs()
    return segment_argmax(apart.masked_fill(~legal, -torch.inf), pair_segments(graph))


def _degree_product(graph: GraphBatch) -> Tensor:
    """[P] float64: the product of the degrees of each pair."""
    one, other = pair_ends(graph)
    return (graph.in_degree[one] * graph.in_degree[other]).double()


def _fiedler_vector(graph: GraphBatch) -> Tensor:
    """[N] float64. Smaller graphs are filled up with nodes of their own, whose eigenvalues lie above all others."""
    size, place = graph.node_segments.lengths, graph.node_segments.position
    width = max(int(size.max()), 2)
    laplacian = torch.zeros(graph.num_graphs, width, width, dtype=torch.float64, device=graph.device)
    laplacian.diagonal(dim1=1, dim2=2).fill_(2.0 * width + 1)
    laplacian[graph.node_graph, place, place] = graph.in_degree.double()
    source, destination = place[graph.edge_index]
    laplacian[graph.edge_graph, source, destination] = -1
    return torch.linalg.eigh(laplacian).eigenvectors[graph.node_graph, place, 1]
