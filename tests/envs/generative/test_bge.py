"""The BGe score against the predictive distribution, one sample after the other, and its equivalences."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import networkx as nx
import pytest
import torch
from scipy.stats import multivariate_t
from torch import Tensor

from flow_walk import walk
from graphwright.core import GraphBatch
from graphwright.envs.generative.bge import BGe, GeneratedData, local_scores
from graphwright.envs.generative.dag import Dags
from graphwright.envs.generative.edge_sets import PRESENT, complete_graphs
from graphwright.envs.generative.linear_gaussian import draw_samples, random_network
from strategies import seeded


def dags(num_nodes: int) -> tuple[GraphBatch, Tensor]:
    """All graphs, and their adjacency matrices [S, d, d] bool."""
    environment = Dags(num_nodes)
    states, _ = walk(environment, complete_graphs(1, num_nodes, directed=True), _keys)
    return states, adjacency(states, num_nodes)


def _keys(states: GraphBatch) -> list[tuple[bool, ...]]:
    parts = states.edges[PRESENT].split(states.edge_segments.lengths.tolist())
    return [tuple(part.tolist()) for part in parts]


def adjacency(states: GraphBatch, num_nodes: int) -> Tensor:
    source, destination = states.edge_index - states.node_ptr[states.edge_graph]
    matrix = torch.zeros(states.num_graphs, num_nodes, num_nodes, dtype=torch.bool)
    matrix[states.edge_graph, source, destination] = states.edges[PRESENT]
    return matrix


def predictive_log_marginal(data: Tensor, weight: float, degrees: float, scale: float) -> float:
    """log p(Y) of the columns of `data` [n, l] under μ ~ N(0, (weight W)⁻¹), W ~ Wishart(degrees, (scale I)⁻¹)."""
    size = data.shape[1]
    if not size:
        return 0.0
    mean, inverse_scale, total = torch.zeros(size).double(), scale * torch.eye(size).double(), 0.0
    for row in data:
        freedom = degrees - size + 1
        shape = inverse_scale * (weight + 1) / (weight * freedom)
        total += float(multivariate_t.logpdf(row.numpy(), mean.numpy(), shape.numpy(), df=freedom))
        inverse_scale = inverse_scale + weight / (weight + 1) * torch.outer(row - mean, row - mean)
        mean = (weight * mean + row) / (weight + 1)
        weight, degrees = weight + 1, degrees + 1
    return total


@pytest.mark.parametrize(("mean_weight", "degrees"), [(1.0, None), (0.3, 5.5), (2.5, 9.0)])
def test_local_scores_are_quotients_of_predictive_distributions(mean_weight: float, degrees: float | None) -> None:
    num_nodes = 4
    data = draw_samples(random_network(num_nodes, 4, seeded(3)), 12, seeded(4), noise=0.7) + 0.5
    table = local_scores(data, mean_weight=mean_weight, degrees=degrees)
    degrees = num_nodes + mean_weight + 1 if degrees is None else degrees
    scale = mean_weight * (degrees - num_nodes - 1) / (mean_weight + 1)

    def marginal(nodes: tuple[int, ...]) -> float:
        # precisions of a part of the nodes, the others integrated out, have as many degrees less as nodes are left out
        freedom = degrees - num_nodes + len(nodes)
        return predictive_log_marginal(data[:, sorted(nodes)], mean_weight, freedom, scale)

    for node in range(num_nodes):
        others = [other for other in range(num_nodes) if other != node]
        for size in range(num_nodes):
            for parents in itertools.combinations(others, size):
                bits = sum(1 << parent for parent in parents)
                assert float(table[node, bits]) == pytest.approx(marginal((*parents, node)) - marginal(parents))
                assert table[node, bits | 1 << node] == -math.inf


@pytest.mark.parametrize(("num_nodes", "classes"), [(2, 2), (3, 11), (4, 185)])
def test_equivalent_graphs_have_one_score_and_others_have_others(num_nodes: int, classes: int) -> None:
    # equal if and only if they have the same links and the same colliders (Verma & Pearl 1990);
    # counts of Gillispie & Perlman 2001, "Enumerating Markov equivalence classes of acyclic digraph models"
    states, matrices = dags(num_nodes)
    data = draw_samples(random_network(num_nodes, num_nodes / 2, seeded(5)), 30, seeded(6), noise=0.5)
    scores = BGe(local_scores(data)).score(states)
    assert scores.dtype == torch.float64
    groups = defaultdict(list)
    for matrix, score in zip(matrices, scores.tolist(), strict=True):
        groups[_links_and_colliders(matrix)].append(score)
    assert len(groups) == classes
    assert all(max(group) - min(group) < 1e-8 for group in groups.values())
    values = sorted(group[0] for group in groups.values())
    assert all(high - low > 1e-8 for low, high in itertools.pairwise(values))


def _links_and_colliders(matrix: Tensor) -> tuple[frozenset[frozenset[int]], frozenset[tuple[frozenset[int], int]]]:
    edges = [tuple(edge) for edge in matrix.nonzero().tolist()]
    links = frozenset(frozenset(edge) for edge in edges)
    colliders = {
        (frozenset((u, w)), v)
        for (u, v), (w, x) in itertools.combinations(edges, 2)
        if v == x and frozenset((u, w)) not in links
    }
    return links, frozenset(colliders)


def test_scores_of_a_batch_are_sums_of_local_scores() -> None:
    states, matrices = dags(3)
    table = torch.randn(3, 8, generator=seeded(), dtype=torch.float64)
    expected = [
        sum(float(table[v, sum(1 << u for u in range(3) if matrix[u, v])]) for v in range(3)) for matrix in matrices
    ]
    reward = BGe(table)
    assert reward.score(states).tolist() == pytest.approx(expected)
    log_reward = reward(Dags(3), states)
    assert float(log_reward[0]) == 0  # the graph without edges
    assert torch.allclose(log_reward, reward.score(states) - table[:, 0].sum())


def test_generated_data_are_always_the_same() -> None:
    reward, (states, _) = GeneratedData(samples=20, seed=1), dags(4)
    weight, data = reward.draw(4)
    assert data.shape == (20, 4)
    assert torch.equal(weight, GeneratedData(samples=20, seed=1).draw(4)[0])
    expected = BGe(local_scores(data))(Dags(4), states)
    assert torch.equal(reward(Dags(4), states), expected)
    assert torch.equal(GeneratedData(samples=20, seed=1)(Dags(4), states), expected)
    assert not torch.equal(GeneratedData(samples=20, seed=2)(Dags(4), states), expected)
    assert bool(expected.isfinite().all())
    assert GeneratedData().draw(2)[0].count_nonzero() == 1  # one pair alone, where two edges are asked for


def test_many_data_find_a_collider() -> None:
    weight = torch.zeros(3, 3).double()
    weight[0, 2], weight[1, 2] = 1.0, -1.0
    states, matrices = dags(3)
    score = BGe(local_scores(draw_samples(weight, 1000, seeded(), noise=0.5))).score(states)
    assert torch.equal(matrices[score.argmax()], weight != 0)
    assert int((score > score.max() - 1).sum()) == 1


def test_networks_are_acyclic_with_as_many_edges_as_asked_for_and_data_have_their_covariance() -> None:
    random = seeded()
    networks = [random_network(6, 5, random) for _ in range(400)]
    assert all(nx.is_directed_acyclic_graph(nx.from_numpy_array(w.numpy(), create_using=nx.DiGraph)) for w in networks)
    count = torch.stack([(weight != 0).sum() for weight in networks]).double()
    assert abs(count.mean() - 5) < 4 * math.sqrt(15 * (1 / 3) * (2 / 3) / 400)
    forward = torch.stack([weight != 0 for weight in networks]).double().mean(0)
    assert abs(forward.triu(1).sum() - forward.tril(-1).sum()) < 4 * math.sqrt(5 / 400)  # no order is preferred

    weight = networks[0]
    data = draw_samples(weight, 40_000, random, noise=0.1)
    mix = torch.linalg.inv(torch.eye(6).double() - weight)
    covariance = 0.01 * mix.T @ mix
    spread = torch.sqrt(torch.outer(covariance.diag(), covariance.diag()) + covariance.square())
    assert bool(((data.T.cov() - covariance).abs() < 5 * spread / math.sqrt(40_000)).all())


def test_what_has_no_score_is_refused() -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        local_scores(torch.tensor([[1.0, math.nan]]))
    with pytest.raises(ValueError, match="sets of parents"):
        local_scores(torch.zeros(2, 15))
    with pytest.raises(ValueError, match="w > d"):
        local_scores(torch.zeros(5, 3), degrees=4)
    with pytest.raises(ValueError, match="without a cycle"):
        random_network(3, 4, seeded())
