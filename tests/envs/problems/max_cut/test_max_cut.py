"""Maximum cut: an episode by hand, its laws on random instances, and what it says to bad input."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.max_cut.environment import MaxCut, may_flip
from graphwright.envs.problems.max_cut.problem import MAX_CUT, approach, final_state
from graphwright.envs.rollouts import has_choice, play, unroll
from strategies import alone, assert_same, ragged_batches, relabelled, seeded, seeds


def weighted(pairs: list[tuple[int, int]], weight: list[float], sizes: list[int]) -> GraphBatch:
    """Instances from their undirected edges, numbered over all graphs."""
    edges = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
    columns = {"weight": torch.tensor(weight, dtype=torch.float32)}
    return MaxCut().instance(from_edges(edges, torch.tensor(sizes), undirected=True, edges=columns))


def triangle_and_edge() -> GraphBatch:
    """A triangle of weights 1 (0-1), 2 (1-2) and −4 (0-2); an edge of weight 3; a node alone."""
    return weighted([(0, 1), (1, 2), (0, 2), (3, 4)], [1, 2, -4, 3], [3, 2, 1])


@st.composite
def instances(draw: st.DrawFn) -> GraphBatch:
    """Some without edges; weights of −2 to 2, and so with ties and zeros."""
    graph = draw(ragged_batches(undirected=True)).keep()
    weight = torch.randint(-2, 3, (graph.num_edges,), generator=seeded(draw(seeds))).float()
    opposite = graph.edges["reverse"] + graph.edge_ptr[:-1][graph.edge_graph]
    return MaxCut().instance(graph.with_edges(weight=weight + weight[opposite]))


def cut_weight(graph: GraphBatch, side: Tensor) -> float:
    """Of one graph, edge by edge."""
    apart = [bool(side[u] != side[v]) for u, v in graph.edge_index.T.tolist()]
    return sum(w for w, cut in zip(graph.edges["weight"].tolist(), apart, strict=True) if cut) / 2


def test_an_episode_by_hand() -> None:
    environment = MaxCut(flips=1)
    state = environment.reset(triangle_and_edge())
    seen = environment.observe(state)
    scale = state.graphs["scale"]
    torch.testing.assert_close(scale, torch.tensor([(2 * 21 / 3) ** 0.5, 3.0, 1.0]))
    gain = seen.graph.nodes["gain"].sinh() * scale[state.node_graph]
    torch.testing.assert_close(gain, torch.tensor([-3.0, 3, -2, 3, 3, 0]))
    relative = torch.tensor([-3 / 5, 1, -2 / 6, 1, 1, 0])
    torch.testing.assert_close(seen.graph.nodes["relative_gain"], relative)
    pair = seen.graph.nodes["pair_gain"].sinh() * scale[state.node_graph]
    torch.testing.assert_close(pair[[0, 3]], torch.tensor([3.0, 0.0]))  # 0 with 2: −3 − 2 + 8, the edge stays uncut
    answered = seen.graph.nodes["answered"].sinh() * scale[state.node_graph]
    torch.testing.assert_close(answered[0], torch.tensor(-3.0 + (1 - 3) + 6))  # 1 would gain 1, not 3; and 2 now 6
    assert seen.masks[0].tolist() == [True] * 5 + [False]
    assert has_choice(environment, seen).tolist() == [True, True, False]

    both = state.select(torch.tensor([0, 1]))
    step = environment.step(both, torch.tensor([1, 0]))
    torch.testing.assert_close(step.reward, torch.tensor([3 / 14**0.5, 1.0]))
    assert step.terminated.tolist() == [False, False]
    worse = environment.step(step.state, torch.tensor([0, 1]))
    assert worse.state.graphs["cut"].tolist() == [-2, 0]
    assert worse.reward.tolist() == [0, 0]
    assert worse.terminated.tolist() == [False, True]
    assert environment.objective(worse.state).tolist() == [3, 3]
    nodes, links = environment.solution(alone(worse.state, 0))
    assert nodes.tolist() == [1]
    assert sorted(map(sorted, links.T.tolist())) == [[0, 1], [1, 2]]


@given(instances(), seeds)
def test_the_return_is_the_best_cut_and_columns_say_what_happened(batch: GraphBatch, seed: int) -> None:
    environment = MaxCut(flips=1.5)
    returns = torch.zeros(batch.num_graphs, dtype=torch.float64)
    best = torch.zeros(batch.num_graphs, dtype=torch.float64)
    for transition in unroll(environment, environment.reset(batch), random_choice(environment, seeded(seed))):
        returns[transition.episode] += transition.step.reward.double()
        for index, episode in enumerate(transition.episode.tolist()):
            graph = alone(transition.step.state, index)
            cut = cut_weight(graph, graph.nodes["side"])
            best[episode] = max(best[episode], cut)
            assert graph.graphs["cut"].item() == pytest.approx(cut)
            assert graph.graphs["best_cut"].item() == pytest.approx(best[episode].item())
            assert cut_weight(graph, graph.nodes["best_side"]) == pytest.approx(best[episode].item())
    final = play(environment, batch, random_choice(environment, seeded(seed)))
    torch.testing.assert_close(environment.objective(final), best)
    torch.testing.assert_close(returns, best / batch.graphs["scale"].double(), rtol=1e-4, atol=1e-4)


@given(instances(), seeds)
def test_a_gain_is_what_its_flip_brings(batch: GraphBatch, seed: int) -> None:
    environment = MaxCut()
    state = environment.reset(batch)
    state = state.with_nodes(side=torch.rand(batch.num_nodes, generator=seeded(seed)) < 0.5)
    seen = environment.observe(state).graph
    for index in range(batch.num_graphs):
        graph, view = alone(state, index), alone(seen, index)
        now = cut_weight(graph, graph.nodes["side"])
        for node in range(graph.num_nodes):
            flipped = graph.nodes["side"].clone()
            flipped[node] = ~flipped[node]
            gain = view.nodes["gain"][node].sinh() * graph.graphs["scale"][0]
            assert gain.item() == pytest.approx(cut_weight(graph, flipped) - now, abs=1e-4)


@given(instances(), st.floats(1e-3, 1e3))
def test_the_unit_of_the_weights_changes_nothing_that_is_seen(batch: GraphBatch, unit: float) -> None:
    environment = MaxCut()
    unit = 2.0 ** round(torch.tensor(unit).log2().item())
    other = environment.instance(batch.with_edges(weight=batch.edges["weight"] * unit))
    choose = random_choice(environment, seeded())
    for steps in zip(
        unroll(environment, environment.reset(batch), choose),
        unroll(environment, environment.reset(other), random_choice(environment, seeded())),
        strict=True,
    ):
        one, two = (environment.observe(transition.state).graph for transition in steps)
        for name in one.nodes:
            torch.testing.assert_close(one.nodes[name], two.nodes[name])


@given(instances())
def test_the_names_of_the_sides_change_nothing_that_is_seen(batch: GraphBatch) -> None:
    environment = MaxCut()
    state = environment.reset(batch)
    mirrored = state.with_nodes(side=~state.nodes["side"], best_side=~state.nodes["best_side"])
    one, two = environment.observe(state).graph, environment.observe(mirrored).graph
    for name in one.nodes:
        assert_same(one.nodes[name], two.nodes[name])


@given(instances(), seeds)
def test_relabelling_permutes_what_is_seen(batch: GraphBatch, seed: int) -> None:
    environment = MaxCut()
    state = environment.reset(batch)
    moved, place = relabelled(state, seeded(seed))
    one, two = environment.observe(state).graph, environment.observe(moved).graph
    for name in one.nodes:
        assert_same(one.nodes[name], two.nodes[name][place])


def test_a_flipped_node_rests_but_never_stops_an_episode() -> None:
    ring = weighted([(i, (i + 1) % 20) for i in range(20)], [1.0] * 20, [20])
    environment, state = MaxCut(), MaxCut().reset(ring)
    for node in range(4):
        state = environment.step(state, torch.tensor([node])).state
    assert (~may_flip(state)).nonzero().flatten().tolist() == [2, 3]
    pair = weighted([(0, 1)], [1.0], [10])  # rests for one flip, and eight nodes have no edge
    state = environment.reset(pair)
    for node in (0, 1, 0, 1):
        assert may_flip(state)[node]
        state = environment.step(state, torch.tensor([node])).state


@pytest.mark.parametrize("flips", [0.01, 2.0])
def test_the_environment_conforms(flips: float) -> None:
    generator = seeded()
    instances = [MAX_CUT.generator(sizes=(5, 9), law=law)(3, generator) for law in MAX_CUT.laws]
    check_environment(MaxCut(flips), GraphBatch.concat(instances))


def test_the_environment_conforms_where_there_is_little_to_do() -> None:
    check_environment(MaxCut(), triangle_and_edge())


@given(instances(), seeds)
def test_what_the_expert_approves_of_is_legal_and_leads_to_its_cut(batch: GraphBatch, seed: int) -> None:
    environment = MaxCut(flips=9)
    side = torch.rand(batch.num_nodes, generator=seeded(seed)) < 0.5
    state, goal = environment.reset(batch), final_state(environment, batch, side)
    assert not bool((approach(state, goal) & ~environment.observe(state).masks[0]).any())
    for _ in range(9 * batch.num_nodes):
        approved = approach(state, goal)
        rows = [(graph, v) for graph in range(batch.num_graphs) for v in _approved(state, approved, graph)[:1]]
        if not rows:
            break
        graphs, nodes = (torch.tensor(column) for column in zip(*rows, strict=True))
        state = state.replace(graphs, environment.step(state.select(graphs), nodes).state)
    wanted = environment.objective(goal)
    assert bool((environment.objective(state) >= wanted - 1e-6).all())


def _approved(state: GraphBatch, approved: Tensor, graph: int) -> list[int]:
    begin, end = state.node_ptr[graph : graph + 2].tolist()
    return approved[begin:end].nonzero().flatten().tolist()


def test_parallel_edges_add_up_and_loops_go() -> None:
    batch = weighted([(0, 1), (1, 0), (2, 2), (1, 2)], [1, 2.5, 9, -1], [3])
    assert batch.edges["weight"].tolist() == [3.5, 3.5, -1, -1]
    assert_same(MaxCut().instance(batch).edges["weight"], batch.edges["weight"])
    bare = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True)
    assert MaxCut().instance(bare).edges["weight"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.tensor([1.0, float("nan")]), "is nan between nodes"),
        (torch.tensor([float("inf"), float("inf")]), "weights are finite"),
        (torch.tensor([1.0, 2.0]), "opposite edge has another weight"),
        (torch.ones(2, 2), "give each edge one number"),
    ],
)
def test_weights_that_are_none_are_refused(weight: Tensor, message: str) -> None:
    graph = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True)
    with pytest.raises(GraphError, match=message) as error:
        MaxCut().instance(graph.with_edges(weight=weight))
    assert "\n" not in str(error.value)


def test_a_directed_graph_is_refused() -> None:
    with pytest.raises(GraphError, match="directed"):
        MaxCut().instance(from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False))


@pytest.mark.parametrize("flips", [0.0, -1.0, float("inf"), float("nan")])
def test_options_that_make_no_episode_are_refused(flips: float) -> None:
    with pytest.raises(ValueError, match="flips"):
        replace(MaxCut(), flips=flips)
