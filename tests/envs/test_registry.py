"""The list of problems: lazy, and open to a user's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

import graphwright as gw
from graphwright.envs.problem import Problem
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER
from graphwright.envs.registry import CONTROLLED, GAMES, PROBLEMS, SOLVED, TEAMS, find_problem, resolve

OWN = replace(VERTEX_COVER, summary="A problem of one's own")
NOT_A_PROBLEM = 3


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_have_the_name_by_which_they_are_found(name: str) -> None:
    if name.startswith(("q", "rings")):
        pytest.importorskip("rdkit")
    problem = find_problem(name)
    assert problem.name == name
    assert problem is PROBLEMS[name]
    is_other = problem.is_endless or problem.is_team or problem.is_game
    assert (name in SOLVED) == (problem.topology is not None and not is_other)
    assert (name in GAMES) == problem.is_game
    assert (name in CONTROLLED) == problem.is_endless
    assert (name in TEAMS) == problem.is_team
    if problem.topology is None:
        with pytest.raises(ValueError, match=f"{name} is sampled, not solved"):
            problem.generator()


def test_what_is_solved_only_is_not_sampled() -> None:
    with pytest.raises(ValueError, match="vertex-cover is solved, not sampled"):
        _ = VERTEX_COVER.sampled
    with pytest.raises(ValueError, match="mine: give a topology"):
        Problem("mine", "nothing", VERTEX_COVER.environment)


def test_refusals_are_one_line_with_the_names() -> None:
    for wrong, message in (
        ("no-problem", r"unknown problem 'no-problem'; choose one of vertex-cover, .*, or one of your own: module"),
        (f"{__name__}:NOT_A_PROBLEM", r"is of type int, no Problem; write MINE = Problem\(\.\.\.\) and name that"),
        (
            "graphwright.envs.problems.vertex_cover.environment:VertexCover",
            "is the class VertexCover, no Problem; .*environment",
        ),
        (f"{__name__}:NOTHING", r"test_registry\.py\) has nothing of the name NOTHING"),
        ("my_problems.py:MINE", "name the module, not its file: my_problems:MINE"),
        ("folder/my_problems.py:MINE", "name the module, not its file: my_problems:MINE"),
        (".relative:MINE", "write it as module:NAME"),
        (":", "write it as module:NAME"),
        ("no such:MINE", "write it as module:NAME"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            find_problem(wrong)
        assert "\n" not in str(caught.value)
    with pytest.raises(ImportError, match="there is no module 'no_such_module' in the working directory"):
        find_problem("no_such_module:OWN")
    with pytest.raises(KeyError):
        _ = PROBLEMS["no-problem"]


@pytest.mark.parametrize("line", ["1 / 0", "import no_such_thing", "def", "raise SystemExit(3)", "raise KeyError"])
def test_a_module_that_fails_is_one_line(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_failing_problem.py").write_text(line)
    with pytest.raises(
        ImportError, match="problem 'my_failing_problem:MINE': importing my_failing_problem fails"
    ) as no:
        find_problem("my_failing_problem:MINE")
    assert "\n" not in str(no.value)


def test_a_problem_of_ones_own_is_trained_loaded_resumed_evaluated_and_solved(tmp_path: Path) -> None:
    name = f"{__name__}:OWN"
    own = find_problem(name)
    assert own == replace(OWN, name=name)
    small = gw.EncoderConfig(width=8, depth=1)
    config = gw.TrainConfig.for_problem(
        name,
        steps=64,
        collection={"sizes": (5, 8), "num_envs": 8},
        validation={"graphs": 2, "sizes": (8,)},
        threads=1,
        encoder=small,
    )
    gw.train(name, config, tmp_path / "run", Console(quiet=True))
    gw.resume(tmp_path / "run", steps=128, console=Console(quiet=True), trust=True)
    agent = gw.load(tmp_path / "run", trust=True)
    assert agent.problem == own
    rows = gw.evaluate(agent, gw.EvaluationOptions(sizes=(6,), graphs=3, time_limit=0))
    assert rows[0].complete == 3
    graph = own.generator(sizes=(6,))(1, torch.Generator().manual_seed(0))
    assert gw.solve(agent, graph, [str(node) for node in range(6)]).complete


def test_a_problem_that_cannot_be_found_again_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="trained, but not loaded or resumed: unknown problem 'mine'"):
        assert resolve(replace(VERTEX_COVER, name="mine")).name == "mine"
