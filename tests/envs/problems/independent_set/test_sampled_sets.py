"""Independent sets as they are sampled: all of them on small graphs, against networkx and brute force."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import networkx as nx
import pytest
import torch

from flow_walk import legal, walk
from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.conformance import check_environment
from graphwright.envs.generation import ObjectiveReward
from graphwright.envs.generators import InstanceGenerator, unit_weights
from graphwright.envs.generators.rb import ModelRB
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET, IndependentSet
from graphwright.envs.rollouts import play, uniform_choice
from sets_of_nodes import GRAPHS, assert_rest_depends_on_what_is_seen, graphs, sets, weighted_graph
from strategies import assert_same, assert_same_batch, seeded

SAMPLED = INDEPENDENT_SET.builder
assert isinstance(SAMPLED, IndependentSet)
VIEWS = {"solved": IndependentSet(), "sampled": SAMPLED, "weights": replace(SAMPLED, columns=("selected", "weight"))}
views = pytest.mark.parametrize("environment", VIEWS.values(), ids=VIEWS)


def instance(graph: nx.Graph) -> GraphBatch:
    """With weights 1, 1.25, 1.5, ..."""
    return weighted_graph(graph).keep(nodes=["weight"])


@graphs
def test_independent_sets_are_all_reached_in_every_order_and_end_where_they_are_maximal(graph: nx.Graph) -> None:
    states, ways = walk(SAMPLED, instance(graph), lambda states: [*sets(states, "selected")])
    subsets = (c for size in range(len(graph) + 1) for c in itertools.combinations(graph, size))
    independent = {frozenset(s) for s in subsets if not graph.subgraph(s).edges}
    chosen = sets(states, "selected")
    assert set(chosen) == independent
    assert states.num_graphs == len(independent)
    assert all(count == math.factorial(len(names)) for names, count in ways.items() if isinstance(names, frozenset))
    going = set(legal(SAMPLED, states, forward=True)[0].tolist())
    maximal = {frozenset(clique) for clique in nx.find_cliques(nx.complement(graph))}
    assert {names for row, names in enumerate(chosen) if row not in going} == maximal
    assert SAMPLED.is_complete(states).tolist() == [row not in going for row in range(states.num_graphs)]


@graphs
def test_the_log_reward_is_the_objective_over_the_temperature(graph: nx.Graph) -> None:
    states, _ = walk(SAMPLED, instance(graph), lambda states: [*sets(states, "selected")])
    worth = [sum(1 + v / 4 for v in chosen) for chosen in sets(states, "selected")]
    log_reward = ObjectiveReward(temperature=0.25)(SAMPLED, states)
    assert log_reward.dtype == torch.float64
    assert log_reward.tolist() == [4 * value for value in worth]
    assert_same(log_reward * 0.25, SAMPLED.objective(states))


@views
def test_every_view_conforms(environment: IndependentSet) -> None:
    check_environment(environment, GraphBatch.concat([instance(graph) for graph in GRAPHS.values()]))


@views
def test_undo_takes_back_a_step(environment: IndependentSet) -> None:
    state = environment.reset(GraphBatch.concat([instance(graph) for graph in GRAPHS.values()]))
    for _ in range(3):
        state = state.select((segment_sum(state.nodes["free"], state.node_segments) > 0).nonzero().squeeze(1))
        action = torch.stack(
            [free.float().argmax() for free in state.nodes["free"].split(state.node_segments.lengths.tolist())]
        )
        following = environment.step(state, action).state
        before, again = environment.undo(following, action)
        assert_same_batch(before, state)
        assert_same(again, action)
        state = following


def test_a_view_computes_the_same_columns_as_all_of_them() -> None:
    state = IndependentSet().reset(InstanceGenerator(ModelRB(n_min=5, n_max=5), (20,), unit_weights)(4, seeded()))
    state = IndependentSet().step(state, torch.tensor([0, 3, 5, 7])).state
    everything, some = IndependentSet().observe(state).graph, SAMPLED.observe(state).graph
    for name in ("free", "log_degree", "per_node"):
        assert_same(some.nodes[name], everything.nodes[name])
    assert "margin" not in some.nodes
    with pytest.raises(ValueError, match="no node column 'degree' to see"):
        replace(IndependentSet(), columns=("degree",)).observe(state)  # type: ignore[arg-type]


def test_heuristics_do_not_depend_on_what_a_network_sees() -> None:
    instances = INDEPENDENT_SET.generator(sizes=(9,))(4, seeded())
    for rule in INDEPENDENT_SET.heuristics.values():
        assert_same_batch(rule(SAMPLED, instances), rule(IndependentSet(), instances))


def test_the_rest_depends_on_what_is_seen_of_nodes_that_are_not_chosen() -> None:
    """States that show the same there, and so have chosen as many, have the same flow over reward."""
    graph = instance(nx.disjoint_union(nx.complete_graph(3), nx.path_graph(3))).with_nodes(weight=torch.ones(6))
    assert_rest_depends_on_what_is_seen(SAMPLED, graph, "selected")


def test_random_play_on_graphs_of_the_literature_ends_in_maximal_sets() -> None:
    random = seeded()
    state = play(
        SAMPLED, INDEPENDENT_SET.sampled.instances(SAMPLED, 3, random), uniform_choice(SAMPLED.actions, random)
    )
    assert bool(((state.node_segments.lengths >= 200) & (state.node_segments.lengths <= 300)).all())
    chosen, (source, destination) = state.nodes["selected"], state.edge_index
    assert not bool((chosen[source] & chosen[destination]).any())
    covered = chosen | (segment_sum(chosen[source], state.in_edges) > 0)
    assert bool(covered.all())
    assert bool((SAMPLED.objective(state) <= 24).all())  # one node of each clique at most
