"""Graph robustness: the critical fraction against networkx, episodes by hand, laws, heuristics, optima, files."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.environment import Environment
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.graph_robustness.environment import GRAPH_ROBUSTNESS, GraphRobustness
from graphwright.envs.problems.graph_robustness.instances import ORDERS, as_instance, with_orders
from graphwright.envs.problems.graph_robustness.robustness import breaks, pieces, robustness_of_sets
from graphwright.envs.rollouts import has_choice, play, unroll
from graphwright.envs.wrappers.penalized import PenalizedOptimization
from graphwright.training.agent import load
from graphwright.training.config import TrainConfig
from graphwright.training.solve import solve
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig
from strategies import alone, assert_same, assert_same_batch, relabelled, seeded, seeds

INSTANCES = Path(__file__).parents[3] / "instances"


@st.composite
def instances(draw: st.DrawFn, largest: int = 8) -> GraphBatch:
    """Up to 4 graphs, in one piece or not, some without links or without nodes to link."""
    topology = ErdosRenyi(p=draw(st.sampled_from([0.1, 0.4, 0.8, 1.0])))
    sizes = tuple(range(1, largest + 1))
    columns = with_orders(joined=draw(st.booleans()))
    return InstanceGenerator(topology, sizes, columns)(draw(st.integers(1, 4)), seeded(draw(seeds)))


environments = st.builds(GraphRobustness, st.sampled_from(["targeted", "random"]), st.sampled_from([0.05, 0.3, 2.0]))


def graph_of(batch: GraphBatch, number: int) -> nx.Graph:
    """One graph of a batch, its nodes counted from 0."""
    one = alone(batch, number)
    graph = nx.Graph(list(map(tuple, one.edge_index.T.tolist())))
    graph.add_nodes_from(range(one.num_nodes))
    return graph


def critical_fraction(graph: nx.Graph, turn: Tensor, targeted: bool) -> tuple[float, list[float], list[float]]:
    """What `breaks` promises, one removal after the other: the fraction, and `removed` and `cut_off` of each node."""
    size, orders = len(graph), turn.shape[1]
    total, removed, cut_off = 0, [0.0] * size, [0.0] * size
    for s in range(orders):
        order = sorted(graph, key=lambda node: (-graph.degree(node) if targeted else 0, int(turn[node, s])))
        rest, gone = graph.copy(), 0
        while gone < size - 1 and nx.number_connected_components(rest) < 2:
            rest.remove_node(order[gone])
            gone += 1
        total += gone
        for node in order[:gone]:
            removed[node] += 1 / orders
        for node in rest:
            away = len(rest) - len(nx.node_connected_component(rest, node))
            cut_off[node] += away / max(len(rest) - 1, 1) / orders
    return total / (orders * size), removed, cut_off


@given(instances(), st.booleans())
def test_graphs_break_as_they_do_in_networkx(batch: GraphBatch, targeted: bool) -> None:
    found = breaks(batch, targeted)
    for number in range(batch.num_graphs):
        one = alone(batch, number)
        fraction, removed, cut_off = critical_fraction(graph_of(batch, number), one.nodes["turn"], targeted)
        rows = batch.node_graph == number
        assert float(found.robustness[number]) == pytest.approx(fraction)
        torch.testing.assert_close(found.removed[rows], torch.tensor(removed))
        torch.testing.assert_close(found.cut_off[rows], torch.tensor(cut_off))


@given(instances(), st.booleans())
def test_links_that_are_only_tried_count_as_links(batch: GraphBatch, targeted: bool) -> None:
    for number in range(batch.num_graphs):
        graph = graph_of(batch, number)
        sets = list(combinations(nx.non_edges(graph), 2))[:5]
        turn = alone(batch, number).nodes["turn"]
        tried = robustness_of_sets(
            batch, number, torch.tensor(sets, dtype=torch.int64).reshape(-1, 2, 2).numpy(), targeted
        )
        for links, value in zip(sets, tried.tolist(), strict=True):
            grown = nx.Graph([*graph.edges, *links])
            grown.add_nodes_from(graph)
            assert value == pytest.approx(critical_fraction(grown, turn, targeted)[0])


@given(instances())
def test_pieces_are_the_components(batch: GraphBatch) -> None:
    piece, start = pieces(batch).tolist(), batch.node_ptr.tolist()
    for number in range(batch.num_graphs):
        for component in nx.connected_components(graph_of(batch, number)):
            assert len({piece[start[number] + node] for node in component}) == 1
    theirs = sum(nx.number_connected_components(graph_of(batch, number)) for number in range(batch.num_graphs))
    assert len(set(piece)) == theirs


def test_an_episode_by_hand() -> None:
    # A star loses its centre first and is in pieces; a ring around it holds until two more are gone.
    star = from_edges(torch.tensor([[0, 0, 0, 0], [1, 2, 3, 4]]), torch.tensor([5]), undirected=True)
    turn = torch.tensor([[0, 4], [1, 3], [2, 2], [3, 1], [4, 0]])
    environment = GraphRobustness(budget=1.0)
    state = environment.reset(environment.instance(star.with_nodes(turn=turn)))
    assert state.graphs["left"].tolist() == [4]
    assert environment.objective(state).tolist() == [0.2]
    assert state.nodes["removed"].tolist() == [1, 0, 0, 0, 0]
    assert state.nodes["cut_off"].tolist() == [0, 1, 1, 1, 1]
    assert environment.observe(state).masks[0].view(5, 5).int().tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1],
        [0, 1, 0, 1, 1],
        [0, 1, 1, 0, 1],
        [0, 1, 1, 1, 0],
    ]
    rewards = []
    for one, other in ((1, 2), (3, 2), (3, 4), (4, 1)):
        step = environment.step(state, torch.tensor([one * 5 + other]))
        state = step.state
        state.validate()
        rewards.append(round(step.reward.item(), 4))
    assert rewards == [0, 0, 0.2, 0.4]  # on 1 - 2 - 3 - 4, 0 and then 2 or 3 go; the ring never falls apart
    assert step.terminated.item()
    assert not has_choice(environment, environment.observe(state)).item()
    assert environment.objective(state).item() == pytest.approx(0.8)
    assert environment.is_complete(state).item()
    links = {frozenset(link) for link in environment.solution(state).links.T.tolist()}
    assert links == {frozenset(link) for link in ((1, 2), (2, 3), (3, 4), (1, 4))}


@given(instances(), environments, seeds)
def test_episodes_add_what_the_budget_says_and_rewards_add_up(
    batch: GraphBatch, environment: GraphRobustness, seed: int
) -> None:
    start = environment.reset(batch)
    returns = environment.objective(start).clone()
    for transition in unroll(environment, start, random_choice(environment, seeded(seed))):
        returns[transition.episode] += transition.step.reward
        transition.step.state.validate()
    final = play(environment, batch, random_choice(environment, seeded(seed)))
    torch.testing.assert_close(returns, environment.objective(final), atol=1e-6, rtol=0)
    assert environment.is_complete(final).all()
    links = batch.edge_segments.lengths // 2
    room = batch.node_segments.lengths * (batch.node_segments.lengths - 1) // 2 - links
    wanted = torch.minimum((environment.budget * links).round().long().clamp(min=1), room)
    assert_same(final.edge_segments.lengths // 2 - links, wanted)
    assert_same(final.edge_segments.lengths // 2, final.links[1].lengths)


@given(instances(), environments, seeds)
def test_both_ways_round_a_pair_is_the_same_action(batch: GraphBatch, environment: GraphRobustness, seed: int) -> None:
    state = environment.reset(batch)
    state = state.select(has_choice(environment, environment.observe(state)))
    action = random_choice(environment, seeded(seed))(environment.observe(state))
    size = state.node_segments.lengths
    turned = action % size * size + action // size
    assert_same_batch(environment.step(state, action).state, environment.step(state, turned).state)


@given(instances(), environments, seeds)
def test_relabelling_changes_nothing(batch: GraphBatch, environment: GraphRobustness, seed: int) -> None:
    state = environment.reset(batch)
    moved, place = relabelled(batch, seeded(seed))
    other = environment.reset(moved)
    assert_same(environment.objective(other), environment.objective(state))
    for name in ("removed", "cut_off"):
        assert_same(other.nodes[name][place], state.nodes[name])


@given(instances())
def test_an_instance_is_an_instance_whatever_batch_it_is_in(batch: GraphBatch) -> None:
    bare = batch.keep()
    drawn = as_instance(bare)
    assert_same_batch(as_instance(drawn), drawn)
    assert drawn.nodes["turn"].shape == (batch.num_nodes, ORDERS)
    for number in range(batch.num_graphs):
        one = alone(drawn, number)
        assert_same_batch(as_instance(alone(bare, number)), one)
        for order in one.nodes["turn"].T.tolist():
            assert sorted(order) == list(range(one.num_nodes))


@given(instances(), seeds)
def test_joined_graphs_have_one_piece_and_no_link_too_many(batch: GraphBatch, seed: int) -> None:
    joined = with_orders(joined=True)(batch.keep(), seeded(seed))
    joined.validate()
    for number in range(batch.num_graphs):
        before, after = graph_of(batch, number), graph_of(joined, number)
        assert nx.is_connected(after)
        assert after.number_of_edges() == before.number_of_edges() + nx.number_connected_components(before) - 1


@pytest.mark.parametrize(
    "environment",
    [
        GraphRobustness(),
        GraphRobustness("random", 3.0),
        PenalizedOptimization(GraphRobustness(), limit=2.0),
    ],
)
def test_the_environment_conforms(environment: Environment) -> None:
    draws = [GRAPH_ROBUSTNESS.generator("erdos-renyi:p=0.2", (1, 2, 5, 9), law) for law in ("joined", "as-drawn")]
    check_environment(environment, GraphBatch.concat([draw(4, seeded()) for draw in draws]))


# ---- heuristics and the optimum --------------------------------------------------------------------------------------


def exhaustive(environment: GraphRobustness, instance: GraphBatch) -> float:
    """The best critical fraction over all sets of links, by networkx."""
    graph, turn = graph_of(instance, 0), instance.nodes["turn"]
    budget = int(environment.reset(instance).graphs["left"])
    values = []
    for links in combinations(nx.non_edges(graph), budget):
        grown = nx.Graph([*graph.edges, *links])
        grown.add_nodes_from(graph)
        values.append(critical_fraction(grown, turn, environment.targeted)[0])
    return max(values)


@pytest.mark.parametrize("removal", ["targeted", "random"])
def test_the_exact_solver_is_the_best_of_all_sets(removal: str) -> None:
    environment = GraphRobustness("random" if removal == "random" else "targeted", budget=0.2)
    batch = GRAPH_ROBUSTNESS.generator("erdos-renyi:p=0.4", (5, 6))(5, seeded())
    batch = batch.with_nodes(turn=batch.nodes["turn"][:, :4])
    assert GRAPH_ROBUSTNESS.solve_exactly is not None
    found = GRAPH_ROBUSTNESS.solve_exactly(environment, batch, 5.0)
    assert found.proven.all()
    assert found.solution is not None
    assert environment.is_complete(found.solution).all()
    assert_same(environment.objective(found.solution), found.objective)
    best = [exhaustive(environment, alone(batch, number)) for number in range(batch.num_graphs)]
    assert found.objective.tolist() == pytest.approx(best)
    for heuristic in GRAPH_ROBUSTNESS.heuristics.values():
        assert (environment.objective(heuristic(environment, batch)) <= found.objective + 1e-12).all()


def test_where_there_are_too_many_sets_the_bound_is_true_and_the_links_are_there() -> None:
    environment = GraphRobustness()
    batch = GRAPH_ROBUSTNESS.generator(sizes=(20,))(2, seeded())
    assert GRAPH_ROBUSTNESS.solve_exactly is not None
    for seconds, name in ((0.5, "greedy"), (0.0, "least-degree")):
        found = GRAPH_ROBUSTNESS.solve_exactly(environment, batch, seconds)
        assert not found.proven.any()
        assert found.bound.tolist() == [0.95, 0.95]
        assert_same(found.objective, environment.objective(GRAPH_ROBUSTNESS.heuristics[name](environment, batch)))


def test_greedy_takes_the_best_link_each_time() -> None:
    environment = GraphRobustness(budget=0.01)
    batch = GRAPH_ROBUSTNESS.generator(sizes=(8,))(4, seeded())
    found = environment.objective(GRAPH_ROBUSTNESS.heuristics["greedy"](environment, batch))
    best = [exhaustive(environment, alone(batch, number)) for number in range(batch.num_graphs)]
    assert found.tolist() == pytest.approx(best)


def test_rules_by_hand() -> None:
    path = as_instance(from_edges(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([4]), undirected=True))
    environment = GraphRobustness(budget=0.3)
    for name in ("least-degree", "fiedler"):  # both join the ends of a path
        final = GRAPH_ROBUSTNESS.heuristics[name](environment, path)
        assert sorted(environment.solution(final).links.flatten().tolist()) == [0, 3]


# ---- files, refusals, learning ---------------------------------------------------------------------------------------


def test_a_network_from_a_file_is_an_instance() -> None:
    environment = GraphRobustness(budget=0.1)
    instance = environment.instance(read_graph(INSTANCES / "topology-zoo" / "Abilene.graphml").graph)
    final = GRAPH_ROBUSTNESS.heuristics["greedy"](environment, instance)
    assert environment.objective(final).item() > environment.objective(environment.reset(instance)).item()


def test_two_hubs_need_links_that_leave_them_out() -> None:
    environment = GraphRobustness(budget=0.2)
    instance = environment.instance(read_graph(INSTANCES / "graph-robustness" / "two-hubs.txt").graph)
    assert environment.objective(environment.reset(instance)).item() == 1 / 8
    assert GRAPH_ROBUSTNESS.solve_exactly is not None
    best = GRAPH_ROBUSTNESS.solve_exactly(environment, instance, 5.0)
    assert best.proven.all()
    assert best.objective.item() > 1 / 8


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        (torch.tensor([[0], [1], [1]]), "no order of the nodes of graph 0 in its column 0"),
        (torch.tensor([[0, 0], [1, 1], [2, 3]]), "in its column 1"),
        (torch.tensor([[0.0], [1.0], [1.5]]), "leave it out"),
        (torch.tensor([0, 1, 2]), r"has shape \(3,\)"),
    ],
)
def test_orders_that_are_none_are_refused(turn: Tensor, message: str) -> None:
    graph = from_edges(torch.tensor([[0], [1]]), torch.tensor([3]), undirected=True, nodes={"turn": turn})
    with pytest.raises(GraphError, match=message):
        as_instance(graph)


def test_a_directed_graph_and_no_budget_are_refused() -> None:
    with pytest.raises(GraphError, match="directed"):
        as_instance(from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False))
    with pytest.raises(ValueError, match="budget=0"):
        GraphRobustness(budget=0)


def test_a_short_run_beats_random_and_solves_a_file(tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        GRAPH_ROBUSTNESS,
        steps=8_000,
        threads=1,
        collection={"sizes": (12,), "num_instances": 16, "num_samples": 8},
        validation=ValidationConfig(sizes=(12,), graphs=4),
    )
    train("graph-robustness", config, tmp_path / "run")
    agent = load(tmp_path / "run", "cpu")
    batch = GRAPH_ROBUSTNESS.generator(sizes=(14,))(40, seeded(7))
    environment = GRAPH_ROBUSTNESS.environment
    learned = environment.objective(agent.solve(batch)).mean()
    randomly = environment.objective(play(environment, batch, random_choice(environment, seeded()))).mean()
    before = environment.objective(environment.reset(batch)).mean()
    assert learned - before > 2 * (randomly - before)
    named = read_graph(INSTANCES / "graph-robustness" / "two-hubs.txt")
    solution = solve(agent, named.graph, named.names, time_limit=2.0)
    assert solution.complete
    assert solution.bound is not None
    assert solution.objective <= solution.bound
    assert len(solution.links) == 1
