"""Plans: what is done in which order, recorded of whoever played, and seen through where they are tampered with."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
import torch

from graphwright.cli import main
from graphwright.cli.answers import options_of
from graphwright.core import GraphBatch, from_edges
from graphwright.envs.planned import Planned, PlanStep
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.grid_navigation.maps import from_map
from graphwright.envs.registry import SOLVED
from graphwright.envs.rollouts import play
from graphwright.envs.verdict import Answer, Verdict
from graphwright.envs.wrappers.penalized import PenalizedOptimization
from graphwright.envs.wrappers.recorded import Recorded, recorded
from graphwright.training.solve import solve_without_policy
from strategies import seeded

PLANS = ("path-search", "grid-navigation", "network-repair")


def check(name: str, instance: GraphBatch, plan: list[PlanStep], **options: object) -> Verdict:
    problem = SOLVED[name]
    assert problem.verify is not None
    return problem.verify(instance, Answer(plan=plan), options_of(problem.optimization) | options)


def texts(verdict: Verdict, names: str) -> list[str]:
    return [fault.named(names) for fault in verdict.faults]


def damaged() -> GraphBatch:
    """A source s, a broken a (2 hours, demand 1) and b behind it (demand 3), which a spare link joins with s."""
    return from_edges(
        torch.tensor([[0, 1, 0], [1, 2, 2]]),
        torch.tensor([3]),
        undirected=True,
        nodes={
            "source": torch.tensor([True, False, False]),
            "broken": torch.tensor([False, True, False]),
            "demand": torch.tensor([0.0, 1, 3]),
            "repair_time": torch.tensor([0.0, 2, 0]),
        },
        edges={"spare": torch.tensor([False, False, True])},
    )


def test_a_plan_by_hand() -> None:
    """To switch takes a quarter of the longest repair, 0.5 hours with all dark, then 2 hours with a quarter dark."""
    problem = SOLVED["network-repair"]
    found = solve_without_policy(problem, damaged(), "sab", "solver", time_limit=10)
    assert [(step.do, step.node, step.link, step.time, step.total) for step in found.plan] == [
        ("switch", None, ("s", "b"), 0.5, 0.5),
        ("repair", "a", None, 2.5, 1.0),
    ]
    assert found.objective == 1.0


def test_numbers_of_a_file_are_not_rounded() -> None:
    """2^24 + 1, which float32 has not: the repair takes 2^24 + 1 hours, with a demand of 1 of 2^24 + 1 dark."""
    large = 2.0**24 + 1
    plant = from_edges(
        torch.tensor([[0, 0], [1, 2]]),
        torch.tensor([3]),
        undirected=True,
        nodes={
            "source": torch.tensor([True, False, False]),
            "broken": torch.tensor([False, True, False]),
            "demand": torch.tensor([0.0, 1, large - 1]),
            "repair_time": torch.tensor([1.0, large, 1], dtype=torch.float64),
        },
    )
    found = solve_without_policy(SOLVED["network-repair"], plant, "sab", "solver", time_limit=10)
    assert [(step.do, step.time, step.total) for step in found.plan] == [("repair", large, 1.0)]
    assert found.objective == 1.0
    assert found.optimal


def test_waits_and_ways_back_stand_in_the_plan() -> None:
    """An obstacle goes to and fro between the robot and its goal; a walk goes into a dead end and out of it."""
    grid = SOLVED["grid-navigation"].optimization
    around = grid.instance(from_map(["##v", "##.", "R.G"]))
    found = solve_without_policy(SOLVED["grid-navigation"], around, "RaGbcdefg", "solver", time_limit=1)
    assert sorted(step.do for step in found.plan) == ["go", "go", "start", "wait"]
    assert [step.total for step in found.plan] == [0, 1, 2, 3]

    star = from_edges(torch.tensor([[0, 0, 0], [1, 2, 3]]), torch.tensor([4]), undirected=True)
    star = star.with_nodes(start=torch.arange(4) == 1, target=torch.arange(4) == 3)
    environment = recorded(SOLVED["path-search"].optimization)
    assert isinstance(environment, Recorded)
    state = environment.reset(environment.instance(star))
    for action in (0, 1, 0, 2):
        state = environment.step(state, torch.tensor([action])).state
    assert [(step.do, step.node, step.total) for step in environment.plan(state)] == [
        ("start", 1, 0),
        ("go", 0, 1),
        ("go", 2, 2),
        ("go", 0, 3),
        ("go", 3, 4),
    ]


@pytest.mark.parametrize("name", PLANS)
def test_any_state_of_a_batch_is_traced_back(name: str) -> None:
    """Replaying the plans of a batch, selected and joined in any order, leads to the same states."""
    problem, generator = SOLVED[name], seeded(3)
    environment = recorded(problem.optimization)
    assert isinstance(environment, Recorded)
    instances = problem.generator(sizes=problem.sizes[:1])(6, generator)
    final = play(environment, instances, random_choice(environment, generator))
    mixed = GraphBatch.concat([final.select(torch.tensor([4, 1])), final.select(torch.tensor([2]))])
    for row, graph in enumerate((4, 1, 2)):
        one = mixed.select(torch.tensor([row]))
        verdict = check(name, instances.select(torch.tensor([graph])), environment.plan(one))
        assert verdict.objective == pytest.approx(float(environment.objective(one)), rel=1e-6)
        assert (not verdict.faults) == bool(environment.is_complete(one))


def test_illegal_actions_are_no_part_of_a_plan() -> None:
    environment = Recorded(SOLVED["path-search"].optimization)  # type: ignore[arg-type]
    line = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True)
    line = line.with_nodes(start=torch.arange(3) == 0, target=torch.arange(3) == 2)
    played = PenalizedOptimization(environment)
    state = played.reset(played.instance(line))
    for action in (5, 0, 3, 1):
        state = played.step(state, torch.tensor([action])).state
    assert [step.node for step in environment.plan(state)] == [0, 1, 2]


def test_what_is_planned_is_what_enumeration_allows() -> None:
    """Of all sequences of up to 3 steps, the verdict passes those that the environment plays to the end."""
    problem = SOLVED["network-repair"]
    environment = problem.optimization
    instance = environment.instance(damaged())
    steps = {
        0: PlanStep("repair", 0, 0, node=0),
        1: PlanStep("repair", 0, 0, node=1),
        2: PlanStep("repair", 0, 0, node=2),
        3: PlanStep("switch", 0, 0, link=(0, 1)),
        4: PlanStep("switch", 0, 0, link=(0, 2)),
        5: PlanStep("switch", 0, 0, link=(1, 2)),
        6: PlanStep("wait", 0, 0),
    }
    passed = 0
    for length in range(1, 4):
        for actions in product(steps, repeat=length):
            verdict = check("network-repair", instance, [steps[action] for action in actions])
            faults = [fault for fault in verdict.faults if "gives the" not in fault.text]
            state, legal = environment.reset(instance), True
            for action in actions:
                mask = environment.actions.arrange(state, environment.observe(state).masks)
                legal = legal and bool(mask[action])
                state = environment.step(state, torch.tensor([action])).state if legal else state
            assert (not faults) == (legal and bool(environment.is_complete(state))), actions
            if not faults:
                assert verdict.objective == float(environment.objective(state))
                passed += 1
    assert passed == 2  # the repair alone, and the switching before it


def test_tampered_plans_are_seen_through() -> None:
    line = from_edges(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([4]), undirected=True)
    line = line.with_nodes(start=torch.arange(4) == 0, target=torch.arange(4) == 3)
    line = SOLVED["path-search"].optimization.instance(line)
    right = [PlanStep("go" if node else "start", node, node, node) for node in range(4)]
    assert check("path-search", line, right) == Verdict(3.0, [])
    assert texts(check("path-search", line, right[:3]), "ABCD") == ["it does not end on D"]
    assert check("path-search", line, right[:3]).objective == 8.0
    jump = [*right[:1], PlanStep("go", 1, 1, 2), PlanStep("go", 2, 2, 3)]
    assert texts(check("path-search", line, jump), "ABCD") == [
        "step 1 goes from A to C, which no link joins",
        "it does not end on D",
    ]
    cheap = [*right[:3], right[3]._replace(total=2)]
    assert texts(check("path-search", line, cheap), "ABCD") == ["step 3 gives the total as 2, and it is 3"]
    there_and_back = [*right, PlanStep("go", 4, 4, 2), PlanStep("go", 5, 5, 3)]
    assert texts(check("path-search", line, there_and_back), "ABCD") == ["it goes on after D is reached"]
    assert texts(check("path-search", line, right, limit=0.5), "ABCD") == ["it takes 3 hops, and 2 are allowed"]


def test_an_obstacle_is_run_into_ahead_and_in_passing() -> None:
    grid = SOLVED["grid-navigation"].optimization
    instance = grid.instance(from_map(["R.G", "..<"]))  # cells 0 1 2 below, 3 4 5 above; the obstacle goes 2, 1, 0, 1
    drive = [PlanStep("start", 0, 0, 3), PlanStep("go", 1, 1, 4), PlanStep("go", 2, 2, 5)]
    assert check("grid-navigation", instance, drive) == Verdict(2.0, [])
    into = [PlanStep("start", 0, 0, 3), PlanStep("go", 1, 1, 4), PlanStep("wait", 2, 2, 4), PlanStep("go", 3, 3, 1)]
    assert (
        texts(check("grid-navigation", instance, into), "abcdef")[0]
        == "step 3 runs into the obstacle that comes from a"
    )
    passing = [PlanStep("start", 0, 0, 3), PlanStep("go", 1, 1, 0), PlanStep("go", 2, 2, 1)]
    assert texts(check("grid-navigation", instance, passing), "abcdef")[0] == (
        "step 2 runs into the obstacle that comes from b"
    )


@pytest.mark.parametrize("name", PLANS)
def test_what_solve_plans_is_checked_under_its_rules(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = {
        "path-search": "path-search/roads.graphml",
        "grid-navigation": "grid-navigation/yard.json",
        "network-repair": "network-repair/Abilene.json",
    }[name]
    path, answer = Path("tests/instances") / file, tmp_path / "answer.json"
    main(["solve", name, str(path), "--policy", "greedy", "--json"])
    document = json.loads(capsys.readouterr().out)
    answer.write_text(json.dumps(document))
    main(["check", name, str(path), str(answer)])
    assert capsys.readouterr().out.endswith(", valid\n")
    option = "stamina" if name == "network-repair" else "limit"
    document["environment"][option] = 9.0
    document["results"][0]["plan"][1] |= {"do": "fly"}
    answer.write_text(json.dumps(document))
    with pytest.raises(SystemExit):
        main(["check", name, str(path), str(answer)])
    assert f", with {option} 9.0, NOT VALID" in capsys.readouterr().out


def test_a_tour_ends_where_it_began(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    square, answer = tmp_path / "square.tsp", tmp_path / "answer.json"
    square.write_text(
        "TYPE: TSP\nDIMENSION: 4\nEDGE_WEIGHT_TYPE: EUC_2D\nNODE_COORD_SECTION\n1 0 0\n2 3 0\n3 3 4\n4 0 4\nEOF\n"
    )
    main(["solve", "tour", str(square), "--policy", "local-search"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert lines[0] == ["0", "start", "1"]
    assert lines[-1] == ["14", "go", "1"]
    main(["solve", "tour", str(square), "--policy", "local-search", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert isinstance(SOLVED["tour"].optimization, Planned)
    document["results"][0]["plan"][-1]["total"] = 13
    answer.write_text(json.dumps(document))
    with pytest.raises(SystemExit):
        main(["check", "tour", str(square), str(answer)])
    assert "step 4 gives the total as 13, and it is 14" in capsys.readouterr().out
