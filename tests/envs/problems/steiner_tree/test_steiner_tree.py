"""Steiner trees: episodes by hand, the laws of the environment, what users bring, and that policies learn."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import networkx as nx
import pytest
import torch
from rich.console import Console

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.segment import segment_argmax, segment_sum
from graphwright.envs.conformance import check_environment
from graphwright.envs.generators.geography import edge_length
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.steiner_tree.environment import STEINER_TREE, SteinerTree, towards
from graphwright.envs.problems.steiner_tree.exact import exact_tree
from graphwright.envs.rollouts import has_choice, play, unroll
from graphwright.training.config import TrainConfig
from graphwright.training.solve import solve
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig
from strategies import NO_LIMIT, alone, assert_same_batch, relabelled, seeded

INSTANCES = Path(__file__).parents[3] / "instances"
ENVIRONMENT = SteinerTree()


def by_hand() -> GraphBatch:
    """The path 0 - 1 - 2 - 4 with a branch 1 - 3, terminals 0, 2 and 4; two joined terminals; a single one."""
    graph = from_edges(
        torch.tensor([[0, 1, 1, 2, 5], [1, 2, 3, 4, 6]]),
        torch.tensor([5, 2, 1]),
        undirected=True,
        nodes={"terminal": torch.tensor([True, False, True, False, True, True, True, True])},
        edges={"length": torch.tensor([1.0, 2, 4, 8, 3])},
    )
    return ENVIRONMENT.instance(graph)


def link(state: GraphBatch, one: int, other: int) -> int:
    """The action that joins two nodes of a batch of one graph."""
    rows, _ = state.links
    ends = [set(pair) for pair in state.edge_index[:, rows].T.tolist()]
    return ends.index({one, other})


def test_an_episode_by_hand() -> None:
    state = ENVIRONMENT.reset(alone(by_hand(), 0))
    assert state.nodes["in_tree"].tolist() == [True, False, False, False, False]
    assert state.nodes["to_tree"].tolist() == [0, 1, 3, 5, 11]
    assert state.nodes["to_terminal"].tolist() == [3, 2, 0, 6, 0]
    rewards, shown = [], []
    for one, other in ((0, 1), (1, 3), (1, 2), (2, 4)):
        legal = ENVIRONMENT.observe(state).masks[0]
        action = link(state, one, other)
        assert legal[action]
        step = ENVIRONMENT.step(state, torch.tensor([action]))
        assert step.terminated.item() == (other == 4)
        rewards.append(step.reward.item())
        state = step.state
        shown.append(ENVIRONMENT.so_far(state).links.shape[1])
    assert rewards == [-1, -4, -2, -8 + 4]  # the dead branch to 3 is given back at the end
    assert shown == [1, 2, 3, 3]
    assert ENVIRONMENT.objective(state).item() == 11
    nodes, links = ENVIRONMENT.solution(state)
    assert nodes.tolist() == [0, 1, 2, 4]
    assert {tuple(sorted(pair)) for pair in links.T.tolist()} == {(0, 1), (1, 2), (2, 4)}
    assert not has_choice(ENVIRONMENT, ENVIRONMENT.observe(state)).any()


def test_distances_are_those_of_the_tree_after_each_step() -> None:
    instances = STEINER_TREE.generator(sizes=(12, 25))(8, seeded(3))
    for transition in unroll(ENVIRONMENT, ENVIRONMENT.reset(instances), random_choice(ENVIRONMENT, seeded(3))):
        for graph in range(min(transition.step.state.num_graphs, 2)):
            state = alone(transition.step.state, graph)
            whole = nx.Graph()
            length = state.edges["length"].double().tolist()
            whole.add_weighted_edges_from(
                (*pair, value) for pair, value in zip(state.edge_index.T.tolist(), length, strict=True)
            )
            in_tree = state.nodes["in_tree"]
            for column, sources in (("to_tree", in_tree), ("to_terminal", state.nodes["terminal"] & ~in_tree)):
                found = dict.fromkeys(range(state.num_nodes), math.inf)
                if sources.any():
                    found |= nx.multi_source_dijkstra_path_length(whole, set(sources.nonzero().squeeze(1).tolist()))
                expected = torch.tensor([float(found[node]) for node in range(state.num_nodes)])
                torch.testing.assert_close(state.nodes[column], expected)
            chosen = nx.Graph(state.edge_index[:, state.edges["chosen"]].T.tolist())
            assert nx.is_tree(chosen)
            assert set(chosen) == set(in_tree.nonzero().squeeze(1).tolist())


@pytest.mark.parametrize("weights", STEINER_TREE.laws)
def test_the_return_is_minus_the_length_of_the_tree(weights: str) -> None:
    instances = STEINER_TREE.generator(sizes=(5, 20), law=weights)(16, seeded(4))
    returns = torch.zeros(16, dtype=torch.float64)
    for transition in unroll(ENVIRONMENT, ENVIRONMENT.reset(instances), random_choice(ENVIRONMENT, seeded(4))):
        returns[transition.episode] += transition.step.reward
        source, destination = transition.state.edge_index
        in_tree = transition.state.nodes["in_tree"]
        boundary = (in_tree[source] != in_tree[destination])[transition.state.links[0]]
        assert torch.equal(ENVIRONMENT.observe(transition.state).masks[0], boundary)
    final = play(ENVIRONMENT, instances, random_choice(ENVIRONMENT, seeded(4)))
    torch.testing.assert_close(returns, -ENVIRONMENT.objective(final), rtol=0, atol=1e-5)


def test_the_environment_conforms() -> None:
    kinds, generator = (("gabriel", "euclidean"), ("grid", "one"), ("tree", "uniform")), seeded()
    instances = [STEINER_TREE.generator(topology, (4, 9, 16), law)(3, generator) for topology, law in kinds]
    check_environment(ENVIRONMENT, GraphBatch.concat(instances))


def test_it_conforms_where_nothing_or_little_is_to_do() -> None:
    check_environment(ENVIRONMENT, by_hand())
    apart = STEINER_TREE.generator("random-geometric:radius=0.1", (20,))(6, seeded())  # falls into many components
    check_environment(ENVIRONMENT, apart)
    final = play(ENVIRONMENT, by_hand(), random_choice(ENVIRONMENT, seeded()))
    assert ENVIRONMENT.objective(final).tolist() == [11, 3, 0]
    assert ENVIRONMENT.solution(alone(final, 2)).nodes.tolist() == [0]


def test_who_follows_the_expert_arrives_at_the_solution() -> None:
    instances = STEINER_TREE.generator(sizes=(10, 30))(10, seeded(8))
    optimum = exact_tree(instances, time_limit=NO_LIMIT)
    assert optimum.solution is not None
    state, goal = ENVIRONMENT.reset(instances), optimum.solution
    reached = []
    while state.num_graphs:
        approved = towards(state, goal)
        legal = ENVIRONMENT.observe(state).masks[0]
        assert not (approved & ~legal).any()
        astray = ENVIRONMENT.step(state, segment_argmax((legal & ~approved).float(), state.links[1])).state
        was_wrong = segment_sum(legal & ~approved, state.links[1]) > 0
        lost = was_wrong[astray.edge_graph[astray.links[0]]]
        assert not (towards(astray, goal) & lost).any()
        step = ENVIRONMENT.step(state, segment_argmax(approved.float(), state.links[1]))
        reached += ENVIRONMENT.objective(step.state.select(step.terminated)).tolist()
        state, goal = step.state.select(~step.terminated), goal.select(~step.terminated)
    assert sorted(reached) == pytest.approx(sorted(optimum.objective.tolist()))


@pytest.mark.parametrize("unit", [1e-3, 1e4])
def test_neither_the_unit_nor_the_order_of_nodes_is_seen(unit: float) -> None:
    instances = STEINER_TREE.generator(sizes=(30,))(4, seeded(5))
    other = ENVIRONMENT.instance(instances.keep(nodes=["terminal"]).with_edges(length=instances.edges["length"] * unit))
    seen, scaled = (ENVIRONMENT.observe(ENVIRONMENT.reset(batch)).graph for batch in (instances, other))
    for table in ("nodes", "edges", "graphs"):
        for name in getattr(ENVIRONMENT.features, table):
            column = getattr(seen, table)[name].float()
            torch.testing.assert_close(getattr(scaled, table)[name].float(), column, rtol=1e-3, atol=1e-3)
            assert column.isfinite().all()
            assert column.abs().max() < 20
    moved, place = relabelled(ENVIRONMENT.reset(instances), seeded(5))
    for name in ENVIRONMENT.features.nodes:
        assert torch.equal(ENVIRONMENT.observe(moved).graph.nodes[name][place], seen.nodes[name])


def test_terminals_are_as_many_as_promised_and_joined() -> None:
    instances = STEINER_TREE.generator("random-geometric:radius=0.2", (30,))(200, seeded(6))
    count = instances.nodes["terminal"].view(200, 30).sum(1)
    assert set(count.tolist()) <= set(range(1, 11))
    assert (count >= 3).float().mean() > 0.9
    assert set(
        STEINER_TREE.generator("gabriel", (30,))(200, seeded()).nodes["terminal"].view(200, 30).sum(1).tolist()
    ) == set(range(3, 11))
    assert_same_batch(ENVIRONMENT.instance(instances), instances)
    assert ENVIRONMENT.is_complete(play(ENVIRONMENT, instances, random_choice(ENVIRONMENT, seeded()))).all()


def test_a_user_brings_loops_parallel_edges_and_gaps() -> None:
    graph = from_edges(
        torch.tensor([[0, 1, 0, 1], [1, 0, 0, 2]]),
        torch.tensor([3]),
        undirected=True,
        nodes={"terminal": torch.tensor([1.0, math.nan, 1]), "colour": torch.zeros(3)},
        edges={"length": torch.tensor([5.0, 2, 1, 3])},
    )
    instance = ENVIRONMENT.instance(graph)
    assert instance.edges["length"][instance.links[0]].tolist() == [2, 3]
    assert instance.nodes["terminal"].tolist() == [True, False, True]
    assert instance.graphs["scale"].item() == 2.5
    assert "colour" not in instance.nodes


def test_bad_input_is_named_with_its_remedy() -> None:
    line = from_edges(
        torch.tensor([[0, 2], [1, 3]]),
        torch.tensor([4]),
        undirected=True,
        nodes={"terminal": torch.tensor([True, False, False, True])},
        edges={"length": torch.ones(2)},
    )
    with pytest.raises(GraphError, match="no path joins the terminals 0 and 3; take terminals of one component"):
        ENVIRONMENT.instance(line)
    with pytest.raises(GraphError, match="which nodes to join; mark them with the bool node column 'terminal'"):
        ENVIRONMENT.instance(line.keep(edges=["length"]))
    with pytest.raises(GraphError, match="graph 0 has no terminal"):
        ENVIRONMENT.instance(line.with_nodes(terminal=torch.zeros(4, dtype=torch.bool)))
    with pytest.raises(GraphError, match="more than true or false"):
        ENVIRONMENT.instance(line.with_nodes(terminal=torch.arange(4)))
    with pytest.raises(GraphError, match="how long its edges are"):
        ENVIRONMENT.instance(line.keep(nodes=["terminal"]))
    with pytest.raises(GraphError, match="directed"):
        ENVIRONMENT.instance(from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False))
    with pytest.raises(GraphError, match="how long its edges are"):
        STEINER_TREE.generator("watts-strogatz", (10,), "euclidean")(1, seeded())


@pytest.mark.parametrize(
    ("file", "length", "links"),
    [("steiner-tree/ring.json", 6, 3), ("steiner-tree/cities.graphml", None, None), ("steinlib/odd-wheel.stp", 5, 5)],
)
def test_files_are_solved(file: str, length: float | None, links: int | None) -> None:
    named = read_graph(INSTANCES / file)
    instance = ENVIRONMENT.instance(named.graph)
    if length is None:
        length = shortest_of_all(instance)
    optimum = STEINER_TREE.solve_exactly(ENVIRONMENT, instance, NO_LIMIT)  # type: ignore[misc]
    assert optimum.objective.item() == pytest.approx(length)
    if links is not None:
        assert ENVIRONMENT.solution(optimum.solution).links.shape[1] == links
    final = play(ENVIRONMENT, instance, random_choice(ENVIRONMENT, seeded()))
    assert ENVIRONMENT.is_complete(final).all()
    assert ENVIRONMENT.objective(final).item() >= length - 1e-6


def shortest_of_all(instance: GraphBatch) -> float:
    """The least length of all sets of at most 6 links that join the terminals, links one by one."""
    rows = instance.links[0]
    ends, length = instance.edge_index[:, rows].T.tolist(), instance.edges["length"][rows].tolist()
    terminals = instance.nodes["terminal"].nonzero().squeeze(1).tolist()
    best = math.inf
    for chosen in range(2 ** len(ends)):
        taken = [place for place in range(len(ends)) if chosen >> place & 1]
        graph = nx.Graph([ends[place] for place in taken])
        if all(node in graph for node in terminals):
            component = nx.node_connected_component(graph, terminals[0])
            if component.issuperset(terminals):
                best = min(best, sum(length[place] for place in taken))
    return best


def test_a_city_without_a_position_stands_between_its_neighbours() -> None:
    named = read_graph(INSTANCES / "steiner-tree" / "cities.graphml")
    length = dict(
        zip(
            (frozenset(named.names[node] for node in pair) for pair in named.graph.edge_index.T.tolist()),
            edge_length(named.graph).tolist(),
            strict=True,
        )
    )
    assert length[frozenset(("Berlin", "Hamburg"))] == pytest.approx(255, abs=10)
    assert length[frozenset(("Wuerzburg", "Muenchen"))] < length[frozenset(("Berlin", "Muenchen"))]


@pytest.mark.parametrize("algorithm", ["imitation", "reinforce"])
def test_a_policy_learns_and_solves_files_by_name(algorithm: Literal["imitation", "reinforce"], tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        STEINER_TREE,
        algorithm=algorithm,
        steps=2_000 if algorithm == "imitation" else 5_000,
        threads=1,
        encoder={"width": 16},
        collection={"sizes": (10, 15)} | ({"num_instances": 16, "num_samples": 8} if algorithm == "reinforce" else {}),
        validation=ValidationConfig(sizes=(15,), graphs=8),
    )
    agent = train(STEINER_TREE, config, tmp_path / "run", Console(quiet=True)).agent()
    instances = STEINER_TREE.generator(sizes=(20,))(40, seeded(7))
    randomly = play(ENVIRONMENT, instances, random_choice(ENVIRONMENT, seeded(7)))
    optimum = STEINER_TREE.solve_exactly(ENVIRONMENT, instances, NO_LIMIT).objective  # type: ignore[misc]
    learned = ENVIRONMENT.objective(agent.solve(instances)).mean() / optimum.mean()
    assert learned < 1.1 < ENVIRONMENT.objective(randomly).mean() / optimum.mean()

    named = read_graph(INSTANCES / "steiner-tree" / "ring.json")
    solution = solve(agent, named.graph, named.names, time_limit=5.0)
    assert solution.complete
    assert solution.bound == pytest.approx(6)
    assert set(solution.nodes) >= {"A", "B", "C"}
    assert len(solution.links) == len(solution.nodes) - 1
