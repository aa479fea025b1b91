"""Tours: episodes by hand, the laws of the environment, what users bring, and that policies learn."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from torch import Tensor

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.tour.environment import TOUR, Tour
from graphwright.envs.rollouts import Transition, has_choice, play, unroll
from graphwright.training.config import TrainConfig
from graphwright.training.solve import solve
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig
from strategies import alone, assert_same_batch, seeded, seeds

INSTANCES = Path(__file__).parents[3] / "instances"
CONSTRUCTIONS = {"insertion": Tour(), "append": Tour("append")}
both = pytest.mark.parametrize("construction", CONSTRUCTIONS)


def from_points(*graphs: list[tuple[float, float]], neighbours: int = 10) -> GraphBatch:
    """One instance for each list of points."""
    position = torch.tensor([point for graph in graphs for point in graph], dtype=torch.float64).reshape(-1, 2)
    sizes = torch.tensor([len(graph) for graph in graphs])
    bare = from_edges(torch.zeros(2, 0), sizes, undirected=True, nodes={"position": position})
    return Tour(neighbours=neighbours).instance(bare)


@st.composite
def tour_instances(draw: st.DrawFn) -> GraphBatch:
    """Up to 4 graphs of 1 to 9 points, in general position or on a small lattice and so with equal points."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    generator = seeded(draw(seeds))
    lattice = torch.randint(3, (sum(sizes), 2), generator=generator).double()
    position = lattice if draw(st.booleans()) else torch.rand(sum(sizes), 2, generator=generator).double()
    bare = from_edges(torch.zeros(2, 0), torch.tensor(sizes), undirected=True, nodes={"position": position})
    rounding = torch.full((len(sizes),), draw(st.sampled_from([0, 1, 2])))
    return Tour(neighbours=draw(st.sampled_from([0, 1, 3]))).instance(bare.with_graphs(rounding=rounding))


def moments(environment: Tour, instances: GraphBatch, seed: int) -> list[Transition]:
    """All steps of random episodes."""
    return list(unroll(environment, environment.reset(instances), random_choice(environment, seeded(seed))))


def cycle(state: GraphBatch) -> list[int]:
    """The tour of a batch of one graph, followed node by node."""
    successor = state.nodes["successor"].tolist()
    inside = [node for node, after in enumerate(successor) if after >= 0]
    order = inside[:1]
    while order and successor[order[-1]] != order[0]:
        order.append(successor[order[-1]])
    assert sorted(order) == inside
    return order


def between(state: GraphBatch, one: int, other: int) -> float:
    """The distance of two nodes of a batch of one graph, as it rounds it."""
    length = math.dist(state.nodes["position"][one].tolist(), state.nodes["position"][other].tolist())
    return [length, math.floor(length + 0.5), math.ceil(length)][int(state.graphs["rounding"])]


def closed_length(state: GraphBatch, order: list[int]) -> float:
    return sum(between(state, one, other) for one, other in zip(order, [*order[1:], *order[:1]], strict=True))


# ---- by hand ---------------------------------------------------------------------------------------------------------

CROSS = [(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0)]


def test_insertion_by_hand() -> None:
    environment = Tour()
    state = environment.reset(from_points(CROSS))
    scale = state.graphs["scale"].item()
    assert scale == pytest.approx(math.sqrt(6 * 8 / 4))
    diagonal = math.sqrt(32)
    lengths = []
    for node, added in ((0, 0), (1, 2 * diagonal), (3, 8 - diagonal), (2, 8 - diagonal)):
        assert environment.observe(state).masks[0][node]
        step = environment.step(state, torch.tensor([node]))
        state = step.state
        assert step.reward.item() == pytest.approx(-added / scale, abs=1e-6)
        assert step.terminated.item() == (node == 2)
        lengths.append(environment.objective(state).item())
    assert lengths == pytest.approx([0, 2 * diagonal, 8 + diagonal, 16])
    solution = environment.solution(state)
    assert solution.nodes.tolist() in ([0, 3, 1, 2], [0, 2, 1, 3])
    assert solution.links.tolist() == [solution.nodes.tolist(), [*solution.nodes.tolist()[1:], 0]]


def test_what_insertion_sees_by_hand() -> None:
    environment = Tour()
    state = environment.reset(from_points(CROSS))
    state = environment.step(environment.step(state, torch.tensor([0])).state, torch.tensor([2])).state
    seen = environment.observe(state).graph
    unit = state.graphs["scale"].item()
    assert seen.nodes["visited"].tolist() == [True, False, True, False]
    assert seen.graphs["share"].tolist() == [0.5]
    assert (seen.nodes["gap"].expm1() * unit).tolist() == pytest.approx([0, 4, 0, 4])
    assert (seen.nodes["cost"].expm1() * unit).tolist() == pytest.approx([0, math.sqrt(32), 0, math.sqrt(32)])
    assert (seen.graphs["largest_gap"].expm1() * unit).tolist() == pytest.approx([4])
    assert (seen.graphs["largest_cost"].expm1() * unit).tolist() == pytest.approx([math.sqrt(32)])
    assert seen.graphs["spacing"].expm1().tolist() == pytest.approx([math.sqrt(4 / 2)])
    assert seen.nodes["regret"].tolist() == [0, 0, 0, 0]
    assert seen.edge_index.tolist() == [[3, 1], [1, 3]]


def test_append_by_hand() -> None:
    environment = Tour("append")
    state = environment.reset(from_points(CROSS))
    for node in (1, 0, 2):
        state = environment.step(state, torch.tensor([node])).state
    seen = environment.observe(state).graph
    scale = state.graphs["scale"].item()
    assert (seen.nodes["from_end"] * scale).tolist() == pytest.approx([4, 4, 0, math.sqrt(32)])
    assert (seen.nodes["to_start"] * scale).tolist() == pytest.approx([math.sqrt(32), 0, 4, 4])
    assert environment.objective(state).item() == pytest.approx(8 + math.sqrt(32))
    step = environment.step(state, torch.tensor([3]))
    assert step.terminated.item()
    assert environment.solution(step.state).nodes.tolist() == [0, 2, 3, 1]
    assert environment.objective(step.state).item() == pytest.approx(8 + 2 * math.sqrt(32))


@both
@pytest.mark.parametrize(
    ("points", "length"), [([(3, 4)], 0), ([(0, 0), (3, 4)], 10), ([(0, 0), (3, 0), (0, 4)], 12), ([(1, 1)] * 5, 0)]
)
def test_few_and_equal_points(construction: str, points: list[tuple[float, float]], length: float) -> None:
    environment = CONSTRUCTIONS[construction]
    final = play(environment, from_points(points), random_choice(environment, seeded()))
    assert environment.is_complete(final).item()
    assert environment.objective(final).item() == pytest.approx(length)
    solution = environment.solution(final)
    assert sorted(solution.nodes.tolist()) == list(range(len(points)))
    assert solution.links.shape == (2, len(points) if len(points) > 1 else 0)


def test_no_points_need_no_tour() -> None:
    environment = Tour()
    state = environment.reset(from_points([], [(0, 0)]))
    assert has_choice(environment, environment.observe(state)).tolist() == [False, True]
    assert environment.is_complete(state).tolist() == [True, False]
    assert environment.objective(state).tolist() == [0, 0]
    assert environment.solution(alone(state, 0)).nodes.tolist() == []


# ---- laws ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", [Tour(), Tour("append")])
def test_the_environment_conforms(environment: Tour) -> None:
    generator = seeded()
    instances = [TOUR.generator(sizes=(1, 2, 3, 4, 9), law=weights)(4, generator) for weights in TOUR.laws]
    check_environment(environment, GraphBatch.concat(instances))


@both
@given(instances=tour_instances(), seed=seeds)
def test_rewards_are_what_is_added_to_a_closed_tour(construction: str, instances: GraphBatch, seed: int) -> None:
    environment = CONSTRUCTIONS[construction]
    returns = torch.zeros(instances.num_graphs, dtype=torch.float64)
    for transition in moments(environment, instances, seed):
        state, following = transition.state, transition.step.state
        returns[transition.episode] += transition.step.reward.double() * state.graphs["scale"]
        for index in range(state.num_graphs):
            before, after = cycle(alone(state, index)), cycle(alone(following, index))
            node = int(transition.action[index])
            assert set(after) == {*before, node}
            place = after.index(node)
            without = after[place + 1 :] + after[:place]  # the others come round as they did
            assert without in [before[turn:] + before[:turn] for turn in range(max(len(before), 1))]
            length = environment.objective(following)[index].item()
            assert length == pytest.approx(closed_length(alone(state, index), after))
            assert transition.step.terminated[index].item() == (len(after) == alone(state, index).num_nodes)
    final = play(environment, instances, random_choice(environment, seeded(seed)))
    torch.testing.assert_close(returns, -environment.objective(final), rtol=1e-5, atol=1e-5)


@given(instances=tour_instances(), seed=seeds)
def test_the_remembered_places_are_the_cheapest_of_all(instances: GraphBatch, seed: int) -> None:
    for transition in moments(Tour(), instances, seed):
        for index in range(transition.step.state.num_graphs):
            state = alone(transition.step.state, index)
            order = cycle(state)
            for node in (state.nodes["successor"] < 0).nonzero().squeeze(1).tolist():
                costs = {
                    one: between(state, one, node) + between(state, node, other) - between(state, one, other)
                    for one, other in zip(order, [*order[1:], *order[:1]], strict=True)
                }
                cheapest = sorted(costs.values())
                place, second = int(state.nodes["place"][node]), int(state.nodes["second_place"][node])
                assert costs[place] == pytest.approx(cheapest[0], abs=1e-9)
                assert costs[second] == pytest.approx(cheapest[min(1, len(cheapest) - 1)], abs=1e-9)
                assert state.nodes["insertion_cost"][node].item() == pytest.approx(cheapest[0], abs=1e-9)
                assert state.nodes["second_cost"][node].item() == pytest.approx(costs[second], abs=1e-9)
                gap = min(math.dist(*state.nodes["position"][[node, other]].tolist()) for other in order)
                if not int(state.graphs["rounding"]):
                    assert state.nodes["gap"][node].item() == pytest.approx(gap)


def turned(
    instances: GraphBatch, angle: float, shift: tuple[float, float], unit: float, environment: Tour
) -> GraphBatch:
    """The same points, turned, shifted and in another unit."""
    rotation = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    position = (instances.nodes["position"] @ rotation.double() + torch.tensor(shift).double()) * unit
    return environment.instance(
        instances.filter_edges(torch.zeros(instances.num_edges, dtype=torch.bool))
        .keep(nodes=["position"])
        .with_nodes(position=position)
    )


@both
def test_turned_shifted_and_scaled_points_look_the_same(construction: str) -> None:
    environment = CONSTRUCTIONS[construction]
    instances = TOUR.generator(sizes=(5, 12))(6, seeded())
    moved = turned(instances, 1.0, (3.0, -2.0), 1000.0, environment)
    state, other = environment.reset(instances), environment.reset(moved)
    for _ in range(4):
        seen, moved_seen = environment.observe(state), environment.observe(other)
        for table, tolerance in (("nodes", 1e-4), ("edges", 1e-4), ("graphs", 0.0)):
            for name in getattr(environment.features, table):
                column, expected = getattr(moved_seen.graph, table)[name], getattr(seen.graph, table)[name]
                torch.testing.assert_close(column, expected, rtol=tolerance, atol=tolerance)
        action = random_choice(environment, seeded())(seen)
        step, moved_step = environment.step(state, action), environment.step(other, action)
        torch.testing.assert_close(step.reward, moved_step.reward, rtol=1e-4, atol=1e-4)
        state, other = step.state, moved_step.state


def test_an_instance_is_an_instance_already() -> None:
    instances = TOUR.generator(sizes=(6,))(2, seeded())
    assert_same_batch(Tour(neighbours=1).instance(instances), instances)


def test_options_that_make_no_environment_are_refused() -> None:
    with pytest.raises(ValueError, match="neighbours=-1; give a number of nearest nodes, or 0 for all"):
        Tour(neighbours=-1)


# ---- files and learning ----------------------------------------------------------------------------------------------


def test_a_file_becomes_an_instance_and_a_tour(tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        "tour", steps=1, collection={"sizes": (5,)}, threads=1, validation=ValidationConfig(sizes=(5,), graphs=1)
    )
    agent = train("tour", config, tmp_path / "run", Console(quiet=True)).agent()
    for name, optimum in (("tour/towns.json", 162), ("tsplib/eil51.tsp", 426)):
        named = read_graph(INSTANCES / name)
        instance = Tour().instance(named.graph)
        assert instance.graphs["rounding"].tolist() == [1]
        solution = solve(agent, instance, named.names, time_limit=10)
        assert solution.complete
        assert sorted(solution.nodes) == sorted(named.names)
        assert solution.links == list(zip(solution.nodes, [*solution.nodes[1:], solution.nodes[0]], strict=True))
        place = {node: index for index, node in enumerate(named.names)}
        assert solution.objective == closed_length(instance, [place[node] for node in solution.nodes])
        assert solution.bound is not None
        assert math.ceil(solution.bound - 1e-6) == optimum
        assert solution.objective >= optimum


def test_a_policy_learns(tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        "tour",
        steps=8_000,
        threads=1,
        encoder={"width": 32},
        settings={"minibatch_size": 256, "learning_rate": 5e-3},
        collection={"sizes": (8, 12, 16), "num_instances": 16, "num_samples": 8},
        validation=ValidationConfig(sizes=(20,), graphs=8, every=4),
    )
    agent = train("tour", config, tmp_path / "run", Console(quiet=True)).agent()
    instances = TOUR.generator(sizes=(30,))(50, seeded(1))

    def mean(final: GraphBatch) -> Tensor:
        return Tour().objective(final).mean()

    best = mean(TOUR.heuristics["local-search"](Tour(), instances))
    random = mean(play(Tour(), instances, random_choice(Tour(), seeded())))
    assert mean(agent.solve(instances)) - best < 0.6 * (random - best)
