"""Independent sets and public goods: episodes by hand, laws, bad input, files and a short run of learning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.conformance import check_environment
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET, IndependentSet
from graphwright.envs.problems.independent_set.max_product import claims
from graphwright.envs.problems.public_goods.environment import PUBLIC_GOODS, PublicGoods
from graphwright.envs.rollouts import has_choice, play
from graphwright.envs.wrappers.penalized import PenalizedOptimization
from graphwright.nn import EncoderConfig
from graphwright.training.config import TrainConfig
from graphwright.training.decode import decode
from graphwright.training.solve import solve
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig
from strategies import NO_LIMIT, seeded

INSTANCES = Path(__file__).parents[3] / "instances" / "independent-set"
both = pytest.mark.parametrize("problem", [INDEPENDENT_SET, PUBLIC_GOODS], ids=lambda problem: problem.name)


def path_and_star() -> GraphBatch:
    """0 - 1 - 2 - 3 with numbers .25, .5, .75, .125; a star of three around its first node; one node alone."""
    number = torch.tensor([0.25, 0.5, 0.75, 0.125, 0.875, 0.25, 0.25, 0.5])
    return from_edges(
        torch.tensor([[0, 1, 2, 4, 4], [1, 2, 3, 5, 6]]),
        torch.tensor([4, 3, 1]),
        undirected=True,
        nodes={"weight": number, "cost": number},
    )


@both
def test_the_environments_conform(problem: Problem) -> None:
    generator = seeded()
    for law in problem.laws:
        random = [
            problem.generator(of, (12,), law)(4, generator) for of in ("erdos-renyi:p=0.15", "barabasi-albert:m=2")
        ]
        for instances in (GraphBatch.concat(random), problem.generator("grid", (9,), law)(4, generator)):
            check_environment(problem.environment, instances)
    users = problem.environment.instance(problem.generator(None, (4, 7))(4, seeded()))
    check_environment(problem.environment, users)


def test_an_independent_set_by_hand() -> None:
    environment = IndependentSet()
    state = environment.reset(environment.instance(path_and_star()))
    seen = environment.observe(state).graph.nodes
    assert seen["weight"].tolist()[:4] == pytest.approx([1 / 3, 2 / 3, 1, 1 / 6])
    assert seen["relative_degree"].tolist() == [0.5, 1, 1, 0.5, 1, 0.5, 0.5, 0]
    assert seen["share"].tolist()[:2] == pytest.approx([0.25 / 0.75, 0.5 / 1.5])
    assert seen["per_node"].tolist()[:2] == pytest.approx([1 / 6, 2 / 9])
    step = environment.step(state, torch.tensor([1, 0, 0]))
    assert step.reward.tolist() == [0.5, 0.875, 0.5]
    assert step.terminated.tolist() == [False, True, True]
    left = environment.observe(step.state)
    assert left.masks[0].tolist() == [False, False, False, True] + [False] * 4
    assert left.graph.num_edges == 0
    last = environment.step(step.state.select(torch.tensor([0])), torch.tensor([3]))
    assert bool(last.terminated)
    assert environment.objective(last.state).tolist() == [0.625]
    assert environment.solution(last.state).nodes.tolist() == [1, 3]


def test_a_game_by_hand() -> None:
    environment = PublicGoods()
    state = environment.reset(environment.instance(path_and_star()))
    assert environment.objective(state).tolist() == [0, 0, 0]
    step = environment.step(state, torch.tensor([1, 1, 0]))
    assert step.reward.tolist() == [-0.5, -0.25, -0.5]
    assert environment.objective(step.state).tolist() == [3 - 0.5, 2 - 0.25, 1 - 0.5]
    assert environment.is_complete(step.state).tolist() == [False, False, True]
    rest = step.state.select(torch.tensor([0, 1]))
    last = environment.step(rest, torch.tensor([3, 2]))
    assert environment.objective(last.state).tolist() == [4 - 0.625, 3 - 0.5]
    assert last.terminated.tolist() == [True, True]


@both
def test_the_return_is_the_objective_less_what_all_solutions_have_in_common(problem: Problem) -> None:
    environment = problem.environment
    instances = problem.generator(None, (3, 12))(8, seeded())
    final = play(environment, instances, random_choice(environment, seeded()))
    paid = segment_sum(environment.node_reward(final).double() * final.nodes["selected"], final.node_segments)
    common = instances.node_segments.lengths if problem is PUBLIC_GOODS else 0
    torch.testing.assert_close(environment.objective(final), paid + common)
    assert bool(environment.is_complete(final).all())
    assert not bool(final.nodes["selected"][final.edge_index].all(0).any())


def test_equilibria_are_stable() -> None:
    """Nobody gains by changing what it does alone: the contributors are not served otherwise, the others are."""
    environment = PublicGoods()
    instances = PUBLIC_GOODS.generator(None, (15,))(6, seeded())
    final = play(environment, instances, random_choice(environment, seeded()))
    contributes = final.nodes["selected"]
    served = segment_sum(contributes[final.edge_index[0]], final.in_edges) > 0
    cost = final.nodes["cost"]
    utility = torch.where(contributes, 1 - cost, served.float())
    otherwise = torch.where(contributes, served.float(), 1 - cost)
    assert bool((utility >= otherwise).all())


@both
def test_severity_counts_what_stands_in_the_way(problem: Problem) -> None:
    environment = problem.environment
    state = environment.reset(environment.instance(path_and_star()))
    state = environment.step(state, torch.tensor([0, 1, 0])).state.select(torch.tensor([0, 1]))
    state = environment.step(state, torch.tensor([2, 2])).state
    for action, severity in (([1, 0], [2, 2]), ([0, 1], [1, 1]), ([3, 2], [1, 1])):
        assert environment.severity(state, torch.tensor(action)).tolist() == severity


@both
@pytest.mark.parametrize("by", ["count", "severity"])
def test_it_conforms_with_penalties(problem: Problem, by: str) -> None:
    environment = PenalizedOptimization(problem.environment, by=by)  # type: ignore[arg-type]
    check_environment(environment, problem.generator(None, (8,))(4, seeded()))


def test_claims_on_a_star_approach_the_truth() -> None:
    star = from_edges(torch.tensor([[0, 0], [1, 2]]), torch.tensor([3]), undirected=True)
    weight = torch.tensor([3.0, 1.0, 1.0])
    claimed = claims(star, weight, torch.ones(4, dtype=torch.bool))
    assert claimed[0] < 3  # the centre is worth more than both leaves
    assert claimed[1:].tolist() == [1 - 0.5**5] * 2  # each of five rounds goes half of the way to 1
    assert claims(star, weight, torch.zeros(4, dtype=torch.bool)).tolist() == [0, 0, 0]


@both
def test_the_unit_and_what_is_gone_change_nothing(problem: Problem) -> None:
    environment = problem.environment
    state = environment.reset(environment.instance(path_and_star()))
    state = environment.step(state, torch.tensor([0, 1, 0])).state
    seen = environment.observe(state).graph.nodes
    gone = ~state.nodes["free"]
    assert all(not bool(column[gone].any()) for column in seen.values())
    if problem is INDEPENDENT_SET:
        larger = path_and_star().with_nodes(weight=path_and_star().nodes["weight"] * 1024)
        other = environment.reset(environment.instance(larger))
        other = environment.step(other, torch.tensor([0, 1, 0])).state
        for name, column in environment.observe(other).graph.nodes.items():
            assert torch.equal(column, seen[name]), name


@both
def test_a_directed_graph_is_refused(problem: Problem) -> None:
    graph = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False)
    with pytest.raises(GraphError, match="directed"):
        problem.environment.instance(graph)


@both
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_numbers_that_are_none_are_refused(problem: Problem, value: float) -> None:
    column = problem.environment.number
    bad = torch.tensor([0.5, 0.5, value, 0.5, 0.5, 0.5, 0.5, 0.5])
    with pytest.raises(GraphError, match=rf"node column '{column}' is .* at node 2"):
        problem.environment.instance(path_and_star().with_nodes(**{column: bad}))
    with pytest.raises(GraphError, match="one number"):
        problem.environment.instance(path_and_star().with_nodes(**{column: torch.ones(8, 2)}))


def test_a_cost_that_nobody_pays_is_refused() -> None:
    graph = path_and_star()
    with pytest.raises(GraphError, match=r"node column 'cost' is 1\.0 at node 1, .*divide the costs"):
        PublicGoods().instance(graph.with_nodes(cost=graph.nodes["cost"] * 2))


def test_instances_without_nodes_are_over() -> None:
    empty = from_edges(torch.zeros(2, 0, dtype=torch.int64), torch.tensor([0]), undirected=True)
    environment = IndependentSet()
    state = environment.reset(environment.instance(empty))
    assert not has_choice(environment, environment.observe(state)).any()
    assert bool(environment.is_complete(state))


def quick(problem: Problem, **options: object) -> TrainConfig:
    config = TrainConfig.for_problem(problem, steps=8000, threads=1, collection={"sizes": (10, 15)})
    encoder, validation = EncoderConfig(width=16, depth=2), ValidationConfig(sizes=(20,), graphs=8, every=100)
    return replace(config, encoder=encoder, validation=validation, **options)  # type: ignore[arg-type]


@both
def test_files_are_read_and_solved(problem: Problem, tmp_path: Path) -> None:
    pytest.importorskip("ortools")
    file, best, names = {
        "independent-set": ("petersen.col", 12.0, {"1", "3", "9", "10"}),
        "public-goods": ("village.json", 5 - 0.9, {"Ben", "Cleo", "Dan"}),
    }[problem.name]
    named = read_graph(INSTANCES / file)
    instance = problem.environment.instance(named.graph)
    assert problem.solve_exactly is not None
    optimum = problem.solve_exactly(problem.environment, instance, NO_LIMIT)
    assert optimum.solution is not None
    assert optimum.objective.item() == pytest.approx(best)
    chosen = problem.environment.solution(optimum.solution).nodes.tolist()
    assert {named.names[node] for node in chosen} == names
    agent = train(problem, replace(quick(problem), steps=1), tmp_path / "run", Console(quiet=True)).agent()
    solution = solve(agent, instance, named.names, time_limit=10.0)
    assert solution.complete
    assert solution.bound == pytest.approx(best)
    assert solution.objective <= best + 1e-6


@both
def test_a_short_run_beats_random_clearly(problem: Problem, tmp_path: Path) -> None:
    config = quick(problem)
    agent = train(problem, config, tmp_path / "run", Console(quiet=True)).agent()
    environment = problem.environment
    instances = problem.generator(None, (20,))(40, seeded(9))
    learned = environment.objective(decode(agent.policy, environment, instances)).mean()
    randomly = environment.objective(play(environment, instances, random_choice(environment, seeded()))).mean()
    greedy = environment.objective(problem.heuristics["greedy"](environment, instances)).mean()
    assert learned - randomly > 0.8 * (greedy - randomly)
    assert greedy > randomly
