"""Covers and independent sets of large graphs: fast rules are the rules, bounds are bounds, local search only gains."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.independent_set import environment as sets
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET, IndependentSet
from graphwright.envs.problems.independent_set.local_search import heavier_set, rounds_at_once
from graphwright.envs.problems.independent_set.quick_bounds import (
    clique_cover_bound,
    cover_bound,
    matching_bound,
)
from graphwright.envs.problems.vertex_cover import environment as covers
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.envs.rollouts import play
from strategies import assert_same, cover_instances, seeded


def heaviest(instances: GraphBatch) -> list[float]:
    """The weight of the heaviest independent set of each graph, by trying all sets."""
    found = []
    for graph in range(instances.num_graphs):
        alone = instances.select(torch.tensor([graph]))
        masks = [1 << node for node in range(alone.num_nodes)]
        for u, v in alone.edge_index.T.tolist():
            masks[v] |= 1 << u
        weight = alone.nodes["weight"].double().tolist()

        def best(left: int, masks: list[int] = masks, weight: list[float] = weight) -> float:
            if not left:
                return 0.0
            node = left.bit_length() - 1
            return max(
                best(left & ~(1 << node), masks, weight), weight[node] + best(left & ~masks[node], masks, weight)
            )

        found.append(best((1 << alone.num_nodes) - 1))
    return found


@given(cover_instances(), st.booleans())
def test_fast_greedy_is_greedy(instances: GraphBatch, unit: bool) -> None:
    if unit:
        instances = instances.with_nodes(weight=torch.ones(instances.num_nodes))
    slow = play(VertexCover(), instances, covers.greedy)
    assert_same(VERTEX_COVER.heuristics["greedy"](VertexCover(), instances).nodes["selected"], slow.nodes["selected"])
    slow = play(IndependentSet(), instances, sets.greedy)
    fast = INDEPENDENT_SET.heuristics["greedy"](IndependentSet(), instances)
    assert_same(fast.nodes["selected"], slow.nodes["selected"])
    assert_same(fast.nodes["free"], slow.nodes["free"])


@given(cover_instances(), st.booleans())
def test_bounds_hold(instances: GraphBatch, unit: bool) -> None:
    if unit:
        instances = instances.with_nodes(weight=torch.full((instances.num_nodes,), 0.7))
    weight = instances.nodes["weight"]
    most = torch.tensor(heaviest(instances), dtype=torch.float64)
    assert (clique_cover_bound(instances, weight) >= most).all()
    bound, by = cover_bound(instances, weight)
    total = segment_sum(weight.double(), instances.node_segments)
    assert (bound <= total - most + 1e-9).all()
    assert "clique" in by
    assert ((0.7 * matching_bound(instances) <= total - most + 1e-6).all()) or not unit


def test_bounds_by_hand() -> None:
    """A triangle is one clique; half of a matching that goes round it is 3 / 2."""
    triangle = VERTEX_COVER.generator("watts-strogatz:k=2,p=0", (3,), "one")(1, seeded())
    assert clique_cover_bound(triangle, triangle.nodes["weight"]).item() == pytest.approx(1, abs=1e-12)
    assert matching_bound(triangle).item() == 1.5
    assert cover_bound(triangle, triangle.nodes["weight"])[0].item() == pytest.approx(2, abs=1e-12)


@given(cover_instances(), st.data())
def test_local_search_keeps_sets_independent_and_only_gains(instances: GraphBatch, data: st.DataObject) -> None:
    weight, start = instances.nodes["weight"], torch.zeros(instances.num_nodes, dtype=torch.bool)
    if data.draw(st.booleans()):
        start = INDEPENDENT_SET.heuristics["greedy"](IndependentSet(), instances).nodes["selected"]
    found = heavier_set(instances, weight, start, 0.0)
    state = IndependentSet().final_state(instances, found)
    source, destination = instances.edge_index
    assert not (found[source] & found[destination]).any()
    assert IndependentSet().is_complete(state).all()
    before = segment_sum(weight.double() * start, instances.node_segments)
    assert (IndependentSet().objective(state) >= before).all()


def test_a_dense_graph_does_not_keep_local_search_from_the_clock() -> None:
    """An exchange looks at all neighbours of neighbours: hamming10-4 took minutes when asked for seconds."""
    degrees = [np.full(1024, 848), np.full(10**6, 4), np.r_[np.full(10**5, 4), 10**5], np.zeros(3), np.zeros(0)]
    rounds = [rounds_at_once(degree) for degree in degrees]
    assert rounds == [27, 20_000, 199, 20_000, 20_000]
    everyone = from_edges(torch.combinations(torch.arange(40)).T, torch.tensor([40]), undirected=True)
    assert heavier_set(everyone, torch.ones(40), torch.zeros(40, dtype=torch.bool), 0.01).sum() == 1


@pytest.mark.parametrize("law", ["one", "uniform"])
def test_local_search_finds_the_optimum_of_small_graphs(law: str) -> None:
    instances = INDEPENDENT_SET.generator("erdos-renyi:p=0.2", (18,), law)(3, seeded())
    start = torch.zeros(instances.num_nodes, dtype=torch.bool)
    found = IndependentSet().final_state(instances, heavier_set(instances, instances.nodes["weight"], start, 0.05))
    assert IndependentSet().objective(found).tolist() == pytest.approx(heaviest(instances))
    assert INDEPENDENT_SET.improve is not None
    assert VERTEX_COVER.improve is not None
    nothing = VERTEX_COVER.heuristics["two-approximation"](VertexCover(), instances)
    cover = VERTEX_COVER.improve(VertexCover(), nothing, 0.05, 0)
    assert VertexCover().is_complete(cover).all()
    total = segment_sum(instances.nodes["weight"].double(), instances.node_segments)
    assert (total - VertexCover().objective(cover)).tolist() == pytest.approx(heaviest(instances))
