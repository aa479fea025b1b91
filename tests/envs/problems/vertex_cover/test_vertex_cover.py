"""Vertex cover: episodes by hand, its laws on random instances, and greedy against one graph at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.conformance import check_environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover, greedy
from graphwright.envs.rollouts import Transition, has_choice, play, unroll
from strategies import (
    NO_LIMIT,
    alone,
    assert_same,
    assert_same_batch,
    cover_instances,
    ragged_batches,
    relabelled,
    seeded,
    seeds,
)

MODES = {"useful": VertexCover(), "any": VertexCover(legal="any")}
both_modes = pytest.mark.parametrize("mode", MODES)


def path_and_star() -> GraphBatch:
    """0 - 1 - 2 - 3 with weights 1, 2, 4, 8; a star around its first node, of weight 3; two nodes without an edge."""
    return from_edges(
        torch.tensor([[0, 1, 2, 4, 4], [1, 2, 3, 5, 6]]),
        torch.tensor([4, 3, 2]),
        undirected=True,
        nodes={"weight": torch.tensor([1.0, 2, 4, 8, 3, 1, 1, 7, 9])},
    )


def moments(environment: VertexCover, instances: GraphBatch, seed: int) -> list[Transition]:
    """All steps of random episodes."""
    return list(unroll(environment, environment.reset(instances), random_choice(environment, seeded(seed))))


def each_graph(batch: GraphBatch, column: Tensor) -> tuple[Tensor, ...]:
    """A node column, graph by graph."""
    return column.split(batch.node_segments.lengths.tolist())


def is_cover(graph: GraphBatch) -> bool:
    """Whether every edge of one graph has a selected end, edge by edge."""
    selected = graph.nodes["selected"].tolist()
    return all(selected[u] or selected[v] for u, v in graph.edge_index.T.tolist())


def test_an_episode_by_hand() -> None:
    environment, state = VertexCover(), VertexCover().reset(path_and_star())
    seen = environment.observe(state)
    assert seen.graph.in_degree.tolist() == [1, 2, 2, 1, 2, 1, 1, 0, 0]
    assert seen.graph.nodes["relative_degree"].tolist() == [0.5, 1, 1, 0.5, 1, 0.5, 0.5, 0, 0]
    assert seen.graph.nodes["log_degree"].exp().sub(1).round().tolist() == seen.graph.in_degree.tolist()
    assert seen.masks[0].tolist() == [True] * 7 + [False] * 2
    assert has_choice(environment, seen).tolist() == [True, True, False]
    assert environment.is_complete(state).tolist() == [False, False, True]

    both = state.select(torch.tensor([0, 1]))
    step = environment.step(both, torch.tensor([1, 0]))
    assert step.reward.tolist() == [-2, -3]
    assert step.terminated.tolist() == [False, True]
    assert step.truncated.tolist() == [False, False]
    seen = environment.observe(step.state)
    assert seen.graph.in_degree.tolist() == [0, 0, 1, 1, 0, 0, 0]
    assert seen.graph.edge_index.tolist() == [[3, 2], [2, 3]]
    assert seen.masks[0].tolist() == [False, False, True, True, False, False, False]

    last = environment.step(step.state.select(torch.tensor([0])), torch.tensor([3]))
    assert last.reward.tolist() == [-8]
    assert last.terminated.tolist() == [True]
    assert environment.cost(last.state).tolist() == [10]


def test_in_the_published_setting_a_step_may_be_wasted() -> None:
    environment = MODES["any"]
    state = alone(environment.reset(path_and_star()), 0)
    for node, legal in ((1, [0, 2, 3]), (0, [2, 3])):  # 0 covers nothing that 1 does not
        step = environment.step(state, torch.tensor([node]))
        state = step.state
        assert not step.terminated
        assert environment.observe(state).masks[0].nonzero().squeeze(1).tolist() == legal
    step = environment.step(state, torch.tensor([3]))
    assert step.terminated
    assert environment.cost(step.state).item() == 1 + 2 + 8


@both_modes
@given(instances=cover_instances(), seed=seeds)
def test_an_episode_ends_when_all_is_covered_and_not_before(mode: str, instances: GraphBatch, seed: int) -> None:
    environment = MODES[mode]
    for transition in moments(environment, instances, seed):
        for index in range(transition.state.num_graphs):
            assert not is_cover(alone(transition.state, index))
            assert transition.step.terminated[index].item() == is_cover(alone(transition.step.state, index))
        assert not transition.step.truncated.any()


@both_modes
@given(instances=cover_instances(), seed=seeds)
def test_the_return_is_minus_the_cost(mode: str, instances: GraphBatch, seed: int) -> None:
    environment = MODES[mode]
    returns = torch.zeros(instances.num_graphs, dtype=torch.float64)
    for transition in moments(environment, instances, seed):
        returns[transition.episode] += transition.step.reward
    final = play(environment, instances, random_choice(environment, seeded(seed)))
    torch.testing.assert_close(returns, -environment.cost(final))
    for index, cost in enumerate(environment.cost(final).tolist()):
        graph = alone(final, index)
        assert cost == pytest.approx(sum(graph.nodes["weight"][graph.nodes["selected"]].tolist()))


@both_modes
@given(instances=cover_instances(), seed=seeds)
def test_there_is_a_legal_action_until_the_end(mode: str, instances: GraphBatch, seed: int) -> None:
    environment = MODES[mode]
    for transition in moments(environment, instances, seed):
        assert has_choice(environment, environment.observe(transition.state)).all()
        (mask,) = environment.observe(transition.state).masks
        node = transition.state.node_ptr[:-1] + transition.action
        assert mask[node].all()
        assert not transition.state.nodes["selected"][mask].any()
        if mode == "useful":  # what is chosen covers something
            before, after = (environment.observe(state).graph for state in (transition.state, transition.step.state))
            assert (before.in_degree[node] > 0).all()
            assert (after.in_degree[node] == 0).all()


@both_modes
@given(instances=cover_instances(), seed=seeds)
def test_observe_shows_the_uncovered_edges(mode: str, instances: GraphBatch, seed: int) -> None:
    for transition in moments(MODES[mode], instances, seed):
        seen = MODES[mode].observe(transition.state).graph
        seen.validate()
        selected = transition.state.nodes["selected"].tolist()
        edges = [(u, v) for u, v in transition.state.edge_index.T.tolist() if not selected[u] and not selected[v]]
        assert list(map(tuple, seen.edge_index.T.tolist())) == edges
        degree = torch.tensor([sum(v == node for _, v in edges) for node in range(seen.num_nodes)], dtype=torch.float32)
        torch.testing.assert_close(seen.nodes["log_degree"], (1 + degree).log())
        for part, relative in zip(
            each_graph(seen, degree), each_graph(seen, seen.nodes["relative_degree"]), strict=True
        ):
            torch.testing.assert_close(relative, part / max([1, *part.tolist()]))
        for name in ("selected", "weight"):
            assert_same(seen.nodes[name], transition.state.nodes[name])


@both_modes
@given(instances=cover_instances(), seed=seeds)
def test_batching_changes_nothing(mode: str, instances: GraphBatch, seed: int) -> None:
    environment = MODES[mode]
    for transition in moments(environment, instances, seed)[:2]:
        seen = environment.observe(transition.state)
        for index in range(transition.state.num_graphs):
            state = alone(transition.state, index)
            single, single_seen = environment.step(state, transition.action[[index]]), environment.observe(state)
            assert_same_batch(alone(transition.step.state, index), single.state)
            assert_same_batch(alone(seen.graph, index), single_seen.graph)
            assert_same(seen.masks[0][transition.state.node_graph == index], single_seen.masks[0])
            for name in ("reward", "terminated", "truncated"):
                assert_same(getattr(transition.step, name)[[index]], getattr(single, name))


@both_modes
@given(instances=cover_instances(), seed=seeds)
def test_relabelling_permutes_everything(mode: str, instances: GraphBatch, seed: int) -> None:
    environment = MODES[mode]
    for transition in moments(environment, instances, seed)[:2]:
        moved, place = relabelled(transition.state, seeded(seed))
        node = place[transition.state.node_ptr[:-1] + transition.action]
        step = environment.step(moved, node - moved.node_ptr[:-1])
        for name in ("reward", "terminated"):
            assert_same(getattr(step, name), getattr(transition.step, name))
        assert_same(step.state.nodes["selected"][place], transition.step.state.nodes["selected"])
        seen, moved_seen = environment.observe(transition.state), environment.observe(moved)
        assert_same(moved_seen.masks[0][place], seen.masks[0])
        for name in seen.graph.nodes:
            assert_same(moved_seen.graph.nodes[name][place], seen.graph.nodes[name])
        torch.testing.assert_close(environment.cost(step.state), environment.cost(transition.step.state))


@both_modes
@given(instances=cover_instances(), seed=seeds)
def test_no_method_changes_what_it_is_given(mode: str, instances: GraphBatch, seed: int) -> None:
    environment = MODES[mode]
    before = {name: tensor.clone() for name, tensor in instances.to_tensors().items()}
    for transition in moments(environment, instances, seed):
        copy = GraphBatch.from_tensors({name: tensor.clone() for name, tensor in transition.state.to_tensors().items()})
        environment.step(transition.state, transition.action)
        environment.observe(transition.state)
        environment.cost(transition.state)
        assert_same_batch(transition.state, copy)
    assert_same_batch(GraphBatch.from_tensors(before), instances)


@both_modes
def test_an_instance_without_edges_is_over_with_the_empty_cover(mode: str) -> None:
    environment, edgeless = MODES[mode], alone(path_and_star(), 2)
    assert not has_choice(environment, environment.observe(environment.reset(edgeless))).any()
    final = play(environment, edgeless, random_choice(environment, seeded()))
    assert environment.cost(final).tolist() == [0]


def greedy_alone(graph: GraphBatch) -> list[bool]:
    """What `greedy` promises, for one graph in plain Python: the first node of least weight per newly covered edge."""
    weight = graph.nodes["weight"].numpy()
    edges = set(map(tuple, graph.edge_index.T.tolist()))
    selected = [False] * graph.num_nodes
    while edges:
        degree = [sum(v == node for _, v in edges) for node in range(graph.num_nodes)]
        price = [weight[v] / np.float32(degree[v]) if degree[v] else np.inf for v in range(graph.num_nodes)]
        best = price.index(min(price))
        selected[best] = True
        edges = {(u, v) for u, v in edges if best not in (u, v)}
    return selected


@both_modes
@given(instances=cover_instances())
def test_greedy_is_the_greedy_of_each_graph(mode: str, instances: GraphBatch) -> None:
    environment = MODES[mode]
    steps = unroll(environment, environment.reset(instances), greedy)
    for _ in zip(range(instances.num_nodes + 1), steps, strict=False):
        pass
    assert next(steps, None) is None, "an episode has more steps than nodes"
    final = play(environment, instances, greedy)
    for index in range(instances.num_graphs):
        assert alone(final, index).nodes["selected"].tolist() == greedy_alone(alone(instances, index))


def test_greedy_by_hand() -> None:
    final = play(VertexCover(), path_and_star(), greedy)  # prices 1, 1, 2, 8: the first of equals, then 2 of 1, 2, 8
    assert final.nodes["selected"].nonzero().squeeze(1).tolist() == [0, 1, 2, 5, 6]


@given(ragged_batches(undirected=True))
def test_an_instance_is_simple_with_its_weights(graph: GraphBatch) -> None:
    instances = VertexCover().instance(graph.with_nodes(weight=graph.nodes["kind"]))
    instances.validate()
    assert list(instances.nodes) == ["weight"]
    assert list(instances.edges) == ["reverse"]
    assert list(instances.graphs) == ["scale"]
    assert_same(instances.nodes["weight"], graph.nodes["kind"].double())
    expected = {(u, v) for u, v in graph.edge_index.T.tolist() if u != v}
    pairs = list(map(tuple, instances.edge_index.T.tolist()))
    assert len(pairs) == len(expected)
    assert set(pairs) == expected
    assert_same(VertexCover().instance(graph).nodes["weight"], torch.ones(graph.num_nodes))


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0, -0.5])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    graph = path_and_star().with_nodes(weight=torch.tensor([1.0, 2, weight, 4, 5, 6, 7, 8, 9]))
    with pytest.raises(GraphError, match=r"node column 'weight' is (nan|inf|-1\.0|-0\.5) at node 2"):
        VertexCover().instance(graph)


def test_a_weight_of_more_than_a_number_is_refused() -> None:
    with pytest.raises(GraphError, match="weight"):
        VertexCover().instance(path_and_star().with_nodes(weight=torch.ones(9, 2)))


def test_a_directed_graph_is_refused() -> None:
    graph = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False)
    with pytest.raises(GraphError, match="directed"):
        VertexCover().instance(graph)


@both_modes
def test_the_environment_conforms(mode: str) -> None:
    check_environment(MODES[mode], VERTEX_COVER.generator()(8, seeded()))


@pytest.mark.parametrize("name", VERTEX_COVER.heuristics)
def test_heuristics_cover_and_are_not_better_than_the_optimum(name: str) -> None:
    instances = VERTEX_COVER.generator()(20, seeded())
    environment = VERTEX_COVER.environment
    state = VERTEX_COVER.heuristics[name](environment, instances)
    assert environment.is_complete(state).all()
    cost = environment.cost(state)
    assert VERTEX_COVER.solve_exactly is not None
    best = VERTEX_COVER.solve_exactly(environment, instances, NO_LIMIT)
    everything = segment_sum(instances.nodes["weight"], instances.node_segments)
    assert best.proven.all()
    assert (cost >= best.objective - 1e-5).all()
    assert (cost < everything).all()
