"""Sets of nodes: all of them on small graphs, against networkx and brute force."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import networkx as nx
import pytest
import torch

from flow_exact import ExactFlows, uniform_backward
from flow_walk import legal, walk
from graphwright.core import GraphBatch, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.conformance import check_environment
from graphwright.envs.generative.enumeration import enumerate_states
from graphwright.envs.generative.node_sets import CHOSEN, CutReward, Cuts, IndependentSets, NodeSets, SetReward
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from graphwright.envs.generators.rb import ModelRB
from strategies import alone, assert_same, seeded

GRAPHS = {
    "path": nx.path_graph(5),
    "cycle": nx.cycle_graph(6),
    "star": nx.star_graph(4),
    "isolated": nx.empty_graph(3),
    "one": nx.empty_graph(1),
    "random": nx.gnp_random_graph(7, 0.4, seed=1),
}
graphs = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


def instance(graph: nx.Graph) -> GraphBatch:
    """With weights of nodes and edges that are different and exact."""
    edges = torch.tensor(list(graph.edges), dtype=torch.int64).reshape(-1, 2).T
    return from_edges(
        edges,
        torch.tensor([len(graph)]),
        undirected=True,
        nodes={"weight": 1 + torch.arange(len(graph)) / 4},
        edges={"weight": torch.arange(edges.shape[1]) / 8 - 0.5},
    )


def sets(states: GraphBatch) -> list[frozenset[int]]:
    parts = states.nodes[CHOSEN].split(states.node_segments.lengths.tolist())
    return [frozenset(part.nonzero().squeeze(1).tolist()) for part in parts]


def finished(environment: NodeSets, states: GraphBatch) -> list[frozenset[int]]:
    """Those after which nothing is left to do."""
    owner, _ = legal(environment, states, forward=True)
    return [chosen for row, chosen in enumerate(sets(states)) if row not in set(owner.tolist())]


@graphs
def test_independent_sets_are_all_reached_in_every_order_and_end_where_they_are_maximal(graph: nx.Graph) -> None:
    environment = IndependentSets()
    states, ways = walk(environment, instance(graph), sets)
    subsets = (c for size in range(len(graph) + 1) for c in itertools.combinations(graph, size))
    independent = {frozenset(s) for s in subsets if not graph.subgraph(s).edges}
    assert set(sets(states)) == independent
    assert states.num_graphs == len(independent)
    assert all(count == math.factorial(len(chosen)) for chosen, count in ways.items())
    maximal = {frozenset(clique) for clique in nx.find_cliques(nx.complement(graph))}
    assert set(finished(environment, states)) == maximal


@graphs
def test_cuts_are_all_subsets(graph: nx.Graph) -> None:
    states, ways = walk(Cuts(), instance(graph), sets)
    assert states.num_graphs == len(set(sets(states))) == 2 ** len(graph)
    assert all(count == math.factorial(len(chosen)) for chosen, count in ways.items())
    assert bool(Cuts().observe(states).masks[0].all())


@graphs
@pytest.mark.parametrize("weighted", [False, True])
def test_rewards_and_gains_are_those_of_networkx(graph: nx.Graph, weighted: bool) -> None:
    instances = instance(graph)
    for (u, v), weight in zip(graph.edges, (torch.arange(len(graph.edges)) / 8 - 0.5).tolist(), strict=True):
        graph.edges[u, v]["weight"] = weight if weighted else 1.0
    environment, independent = Cuts(weighted), IndependentSets(weighted)
    states, _ = walk(environment, instances, sets)
    cut = {chosen: nx.cut_size(graph, chosen, weight="weight") for chosen in sets(states)}
    log_reward = CutReward(temperature=0.5)(environment, states)
    assert log_reward.dtype == torch.float64
    assert log_reward.tolist() == [2 * cut[chosen] for chosen in sets(states)]

    seen = environment.observe(states).graph.nodes
    relative, gain, log_gain = (
        seen[name].view(states.num_graphs, -1) for name in ("relative_gain", "gain", "log_gain")
    )
    total = [sum(abs(data["weight"]) for *_, data in graph.edges(v, data=True)) for v in graph]
    unit = max((abs(weight) for *_, weight in graph.edges(data="weight")), default=1.0)
    for row, chosen in enumerate(sets(states)):
        flips = [cut[chosen ^ {v}] - cut[chosen] for v in graph]
        assert relative[row].tolist() == pytest.approx([g / t if t else 0 for g, t in zip(flips, total, strict=True)])
        assert gain[row].tolist() == pytest.approx([g / unit / 4 for g in flips])
        assert log_gain[row].tolist() == pytest.approx([math.copysign(math.log1p(abs(g / unit)), g) for g in flips])

    states, _ = walk(independent, instances, sets)
    worth = [sum(1 + v / 4 if weighted else 1 for v in chosen) for chosen in sets(states)]
    assert SetReward(temperature=0.25)(independent, states).tolist() == [4 * value for value in worth]


@pytest.mark.parametrize("environment", [IndependentSets(), Cuts()], ids=str)
def test_the_rest_depends_on_what_is_seen_of_nodes_that_are_not_chosen(environment: NodeSets) -> None:
    """States that show the same there, and so have chosen as many, have the same flow over reward."""
    graph = instance(nx.disjoint_union(nx.complete_graph(3), nx.path_graph(3)))
    reward = SetReward(0.5) if isinstance(environment, IndependentSets) else CutReward(0.5)
    space = enumerate_states(environment, graph)
    flows = ExactFlows(environment, space, lambda states: reward(environment, states), uniform_backward(environment))
    rest, alike = flows.log_flow - flows.log_reward(space.states), defaultdict(list)
    for row in range(space.num_states):
        seen = environment.observe(space.states.select(torch.tensor([row]))).graph
        left = ~seen.nodes[CHOSEN]
        columns = torch.stack([seen.nodes[name][left].float() for name in environment.features.nodes])
        edges = (left.cumsum(0) - 1)[seen.edge_index]
        alike[(*columns.flatten().tolist(), *edges.flatten().tolist())].append(float(rest[row]))
    assert 2 * len(alike) <= space.num_states
    assert all(max(values) - min(values) < 1e-9 for values in alike.values())


@pytest.mark.parametrize("environment", [IndependentSets(), IndependentSets(True), Cuts(), Cuts(True)], ids=str)
def test_they_conform(environment: NodeSets) -> None:
    check_environment(environment, GraphBatch.concat([instance(graph) for graph in GRAPHS.values()]))


@pytest.mark.parametrize("environment", [IndependentSets(), Cuts()], ids=str)
def test_graphs_of_a_batch_do_not_meet(environment: NodeSets) -> None:
    state = environment.reset(InstanceGenerator(ErdosRenyi(p=0.4), (1, 5, 9))(8, seeded(1)))
    spec, random = environment.actions, seeded(2)
    for _ in range(4):
        together = spec.arrange(state, environment.observe(state).masks)
        parts = [spec.arrange(one, environment.observe(one).masks) for one in (alone(state, b) for b in range(8))]
        assert_same(together, torch.cat(parts))
        owner, action = legal(environment, state, forward=True)
        going = owner.unique()
        lots = torch.rand(owner.numel(), generator=random)
        choice = torch.stack([action[owner == b][lots[owner == b].argmax()] for b in going])
        state = environment.advance(state.select(going), choice).state
        state = GraphBatch.concat([state, environment.reset(InstanceGenerator(ErdosRenyi(), (4,))(8, random))])
        state = state.select(torch.arange(8))


def test_random_play_on_graphs_of_the_literature_ends_in_maximal_sets() -> None:
    environment, random = IndependentSets(), seeded()
    state = environment.reset(InstanceGenerator(ModelRB(), (200, 207))(3, random))
    final = 0
    while final < 3:
        (free,) = environment.observe(state).masks
        going = segment_sum(free, state.node_segments) > 0
        lots = (
            torch.rand(state.num_nodes, generator=random)
            .masked_fill(~free, -1)
            .split(state.node_segments.lengths.tolist())
        )
        action = torch.stack([lot.argmax() for lot in lots])
        final = 3 - int(going.sum())
        state = GraphBatch.concat([environment.advance(state, action).state.select(going), state.select(~going)])
    chosen = state.nodes[CHOSEN]
    source, destination = state.edge_index
    assert not bool((chosen[source] & chosen[destination]).any())
    covered = chosen | (segment_sum(chosen[source], state.in_edges) > 0)
    assert bool(covered.all())
    assert bool((SetReward()(environment, state) <= 24).all())  # one node of each clique at most
