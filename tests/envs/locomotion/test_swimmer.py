"""The swimmer as an environment: its contract, what it observes, its instances and baselines, and learning."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from graphwright.adapters.files import read_graph, write_graph
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.locomotion.gait import BEST, Wave
from graphwright.envs.locomotion.swimmer import LOCOMOTION, Swimmer
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import play, unroll
from strategies import assert_same_batch, relabelled, seeded

FILES = Path(__file__).parents[2] / "instances" / "locomotion"
SHORT = Swimmer(horizon=40)


def chain(links: int, head: int = 0, **nodes: Tensor) -> GraphBatch:
    ends = torch.arange(links - 1)
    root = torch.arange(links) == head
    return from_edges(
        torch.stack([ends, ends + 1]), torch.tensor([links]), undirected=True, nodes={"root": root, **nodes}
    )


@pytest.mark.parametrize(
    "environment",
    [Swimmer(horizon=40), Swimmer(horizon=3, repeat=1), Swimmer(horizon=30, repeat=30, control_cost=2.0)],
)
def test_the_environment_conforms(environment: Swimmer) -> None:
    check_environment(environment, LOCOMOTION.generator(sizes=(2, 3, 4, 7))(6, seeded()))


def test_an_episode_without_torque_by_hand() -> None:
    # A straight swimmer at rest stays where it is; it is observed along the x-axis, its links one behind the other.
    environment = Swimmer(horizon=8)
    state = environment.reset(environment.instance(chain(3, head=2)))
    seen = environment.observe(state)
    assert seen.graph.nodes["acts"].tolist() == [True, True, False]
    assert seen.masks[0].tolist() == [True, True]
    assert seen.graph.nodes["place"].tolist() == [1, 0.5, 0]
    assert seen.graph.nodes["joint"].tolist() == [[0, 1], [0, 1], [0, 0]]
    assert seen.graph.nodes["axis"].tolist() == [[1, 0]] * 3
    directions = dict(
        zip(map(tuple, seen.graph.edge_index.T.tolist()), seen.graph.edges["rearward"].tolist(), strict=True)
    )
    assert directions == {(0, 1): -1, (1, 2): -1, (1, 0): 1, (2, 1): 1}
    for index in range(2):
        step = environment.step(state, torch.zeros(2, 1))
        state = step.state
        assert (step.reward.item(), step.terminated.item(), step.truncated.item()) == (0, False, index == 1)
    assert environment.objective(state).item() == 0
    assert environment.is_complete(state).item()


def test_torques_cost() -> None:
    environment = Swimmer(control_cost=0.5)
    state = environment.reset(environment.instance(chain(3)))
    step = environment.step(state, torch.tensor([[0.5], [-1.0]]))
    assert step.state.graphs["effort"].item() == 4 * 1.25
    moved = step.state.graphs["position"][0, 0].item() / 0.04
    assert step.reward.item() == pytest.approx(moved - 0.5 * 4 * 1.25, abs=1e-6)


def test_the_return_is_the_objective() -> None:
    instances = LOCOMOTION.generator()(6, seeded())
    returns = torch.zeros(6, dtype=torch.float64)
    for transition in unroll(SHORT, SHORT.reset(instances), random_choice(SHORT, seeded(1))):
        returns[transition.episode] += transition.step.reward
        assert not transition.step.terminated.any()
    final = play(SHORT, instances, random_choice(SHORT, seeded(1)))
    torch.testing.assert_close(returns, SHORT.objective(final), rtol=0, atol=1e-4)
    assert torch.equal(SHORT.cost(final), -SHORT.objective(final))


def test_instances_are_drawn_as_in_gymnasium() -> None:
    instances = LOCOMOTION.generator()(400, seeded())
    columns = [instances.nodes["start_angle"], instances.nodes["start_rate"]]
    columns += [instances.graphs["start_position"], instances.graphs["start_velocity"]]
    for column in columns:
        assert column.dtype == torch.float64
        assert column.abs().max() <= 0.1
        assert column.mean().abs() < 0.01
        assert column.std().item() == pytest.approx(0.2 / math.sqrt(12), rel=0.05)
    assert_same_batch(instances, Swimmer().instance(instances))


def test_the_links_are_counted_from_the_head_wherever_it_stands() -> None:
    instance = Swimmer().instance(chain(5, head=4))
    assert instance.nodes["link"].tolist() == [4, 3, 2, 1, 0]
    moved, place = relabelled(chain(5), seeded(2))
    assert Swimmer().instance(moved).nodes["link"][place].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("graph", "complaint"),
    [
        (chain(4).keep(), "mark one end of the path in the node column 'root'"),
        (chain(4).with_nodes(root=torch.zeros(4)), "does not have exactly one head"),
        (chain(4).with_nodes(root=torch.ones(4)), "does not have exactly one head"),
        (chain(4, head=1), "has its head inside the path"),
        (chain(1), "fewer than 2 nodes"),
        (chain(4).filter_edges(torch.ones(6, dtype=torch.bool)), "directed"),
        (chain(4, start_angle=torch.tensor([0, 0, math.nan, 0])), "'start_angle' is not finite at node 2"),
        (chain(4, start_rate=torch.zeros(4, 2)), "'start_rate' has shape"),
        (chain(4).with_graphs(start_position=torch.zeros(1)), "'start_position' has shape"),
    ],
)
def test_what_is_no_swimmer_is_refused(graph: GraphBatch, complaint: str) -> None:
    with pytest.raises(GraphError, match=complaint) as error:
        Swimmer().instance(graph)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("links", "complaint"),
    [
        ([(0, 1), (1, 2), (1, 3)], "more than 2 neighbours"),
        ([(0, 1), (2, 3)], "in pieces"),
        ([(0, 1), (2, 3), (3, 4), (2, 4)], "in pieces"),
    ],
)
def test_what_is_no_path_is_refused(links: list[tuple[int, int]], complaint: str) -> None:
    count = max(map(max, links)) + 1
    graph = from_edges(
        torch.tensor(links).T, torch.tensor([count]), undirected=True, nodes={"root": torch.arange(count) == 0}
    )
    with pytest.raises(GraphError, match=complaint):
        Swimmer().instance(graph)


@pytest.mark.parametrize(
    "options", [{"horizon": 0}, {"repeat": 0}, {"horizon": 10, "repeat": 4}, {"control_cost": math.nan}]
)
def test_options_that_make_no_environment_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="give"):
        Swimmer(**options)  # type: ignore[arg-type]


def test_a_file_round_trip_and_an_episode(tmp_path: Path) -> None:
    named = read_graph(FILES / "six-links.json")
    instance = Swimmer().instance(named.graph)
    assert instance.nodes["link"].tolist() == [5, 4, 3, 2, 1, 0]
    assert instance.nodes["start_angle"].tolist() == [0.05, -0.02, 0.08, -0.06, 0.03, 0.1]
    assert instance.graphs["start_velocity"].tolist() == [[0.1, 0.0]]
    write_graph(tmp_path / "again.json", NamedGraph(instance, named.names))
    assert_same_batch(Swimmer().instance(read_graph(tmp_path / "again.json").graph), instance)
    assert SHORT.is_complete(LOCOMOTION.heuristics["gait"](SHORT, instance)).item()


def test_a_file_may_say_nothing_but_the_path() -> None:
    named = read_graph(FILES / "four-links.txt")
    marked = named.graph.with_nodes(root=torch.tensor([name == "head" for name in named.names]))
    instance = Swimmer().instance(marked)
    assert [named.names[node] for node in instance.nodes["link"].argsort().tolist()] == ["head", "neck", "back", "tail"]
    assert instance.nodes["start_angle"].count_nonzero() == 0


def test_a_head_alone_may_be_marked() -> None:
    marks = torch.tensor([1.0, math.nan, math.nan])
    assert Swimmer().instance(chain(3).with_nodes(root=marks)).nodes["root"].tolist() == [True, False, False]


def test_the_wave_runs_from_head_to_tail() -> None:
    instance = Swimmer().instance(chain(4))
    wave = Wave(*(torch.tensor([value]) for value in (0.8, 0.5, 1.0, 0.0)))
    expected = [0.8 * math.sin(2 * math.pi * (0.5 * 1.5 - link / 4)) for link in range(4)]
    assert wave.torque(instance, 1.5)[:, 0].tolist() == pytest.approx(expected, abs=1e-6)


def test_the_gait_swims_and_stillness_does_not() -> None:
    environment = Swimmer(horizon=400)
    instances = LOCOMOTION.generator(sizes=tuple(BEST))(14, seeded())
    swims, rests = (environment.objective(solve(environment, instances)) for solve in LOCOMOTION.heuristics.values())
    assert (swims > 30).all()
    assert (rests.abs() < 30).all()
