"""Cuts as they are sampled, one side of them: all on small graphs, against networkx."""

from __future__ import annotations

import math

import networkx as nx
import pytest
import torch

from flow_walk import walk
from graphwright.core import GraphBatch
from graphwright.envs.conformance import check_environment
from graphwright.envs.generation import ObjectiveReward
from graphwright.envs.problems.max_cut.environment import MaxCut
from graphwright.envs.problems.max_cut.one_side import OneSide
from graphwright.envs.problems.max_cut.problem import MAX_CUT
from graphwright.envs.problems.max_cut.weights import with_strength
from graphwright.envs.rollouts import play, uniform_choice
from sets_of_nodes import GRAPHS, assert_rest_depends_on_what_is_seen, edge_weights, graphs, sets, weighted_graph
from strategies import assert_same, assert_same_batch, seeded

SAMPLED = MAX_CUT.builder
assert isinstance(SAMPLED, OneSide)


def instance(graph: nx.Graph, weighted: bool = True) -> GraphBatch:
    """With weights -0.5, -0.375, -0.25, ..., or 1."""
    made = weighted_graph(graph).keep(edges=["weight"])
    return with_strength(made if weighted else made.with_edges(weight=torch.ones(made.num_edges)))


@graphs
def test_cuts_are_all_subsets(graph: nx.Graph) -> None:
    states, ways = walk(SAMPLED, instance(graph), lambda states: [*sets(states, "side")])
    assert states.num_graphs == len(set(sets(states, "side"))) == 2 ** len(graph)
    assert all(count == math.factorial(len(names)) for names, count in ways.items() if isinstance(names, frozenset))
    assert bool(SAMPLED.observe(states).masks[0].all())


@graphs
@pytest.mark.parametrize("weighted", [False, True])
def test_rewards_and_gains_are_those_of_networkx(graph: nx.Graph, weighted: bool) -> None:
    for (u, v), weight in zip(graph.edges, edge_weights(graph).tolist(), strict=True):
        graph.edges[u, v]["weight"] = weight if weighted else 1.0
    environment = OneSide(weighted)
    states, _ = walk(environment, instance(graph, weighted), lambda states: [*sets(states, "side")])
    cut = {chosen: nx.cut_size(graph, chosen, weight="weight") for chosen in sets(states, "side")}
    log_reward = ObjectiveReward(temperature=0.5)(environment, states)
    assert log_reward.dtype == torch.float64
    assert log_reward.tolist() == [2 * cut[chosen] for chosen in sets(states, "side")]
    assert_same(log_reward * 0.5, environment.objective(states))

    seen = environment.observe(states).graph.nodes
    relative, gain, log_gain = (
        seen[name].view(states.num_graphs, -1) for name in ("relative_gain", "gain", "log_gain")
    )
    total = [sum(abs(data["weight"]) for *_, data in graph.edges(v, data=True)) for v in graph]
    unit = max((abs(weight) for *_, weight in graph.edges(data="weight")), default=1.0)
    for row, chosen in enumerate(sets(states, "side")):
        flips = [cut[chosen ^ {v}] - cut[chosen] for v in graph]
        assert relative[row].tolist() == pytest.approx([g / t if t else 0 for g, t in zip(flips, total, strict=True)])
        assert gain[row].tolist() == pytest.approx([g / unit / 4 for g in flips])
        assert log_gain[row].tolist() == pytest.approx([math.copysign(math.log1p(abs(g / unit)), g) for g in flips])


@pytest.mark.parametrize("weighted", [False, True])
def test_they_conform(weighted: bool) -> None:
    check_environment(OneSide(weighted), GraphBatch.concat([instance(graph) for graph in GRAPHS.values()]))


def test_rewards_of_steps_add_up_to_the_cut_and_undo_takes_them_back() -> None:
    state = SAMPLED.reset(GraphBatch.concat([instance(GRAPHS[name]) for name in ("path", "cycle", "random")]))
    total = torch.zeros(3)
    for action in torch.tensor([[1, 1, 1], [3, 5, 6], [4, 2, 3]]):
        step = SAMPLED.step(state, action)
        before, again = SAMPLED.undo(step.state, action - 1)
        assert_same_batch(before, state)
        assert_same(again, action)
        assert not bool(step.terminated.any())
        state, total = step.state, total + step.reward
    torch.testing.assert_close(total.double() * state.graphs["scale"], SAMPLED.objective(state))
    stopped = SAMPLED.step(state, torch.zeros(3, dtype=torch.int64))
    assert_same_batch(stopped.state, state)
    assert stopped.terminated.tolist() == [True, True, True]
    assert stopped.reward.tolist() == [0, 0, 0]


def test_a_side_and_flips_to_it_are_the_same_cut() -> None:
    """Objective and solution are those of `MaxCut`, whatever led to the sides."""
    random = seeded()
    instances = MAX_CUT.generator(sizes=(9,), law="signed")(6, random)
    flipped = play(MaxCut(), instances, uniform_choice(MaxCut().actions, random))
    side = SAMPLED.reset(instances).with_nodes(side=flipped.nodes["best_side"])
    assert_same(SAMPLED.objective(side), MaxCut().objective(flipped))
    for graph in range(6):
        one, other = (state.select(torch.tensor([graph])) for state in (side, flipped))
        for left, right in zip(SAMPLED.solution(one), MaxCut().solution(other), strict=True):
            assert_same(left, right)


def test_the_rest_depends_on_what_is_seen_of_nodes_that_are_not_chosen() -> None:
    """States that show the same there, and so have chosen as many, have the same flow over reward."""
    graph = instance(nx.disjoint_union(nx.complete_graph(3), nx.path_graph(3)), weighted=False)
    assert_rest_depends_on_what_is_seen(SAMPLED, graph, "side")
