"""`solve` gives the best solution that is known, says whose it is, and calls optimal what is proven."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from command_line import fails
from graphwright.cli import main
from graphwright.core import GraphBatch
from graphwright.envs.problem import Optimum
from graphwright.envs.registry import SOLVED, find_problem
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.networks import make_policy
from graphwright.training.solve import solve, solve_without_policy
from strategies import seeded

QUICK = ("--steps", "1", "--sizes", "5", "--encoder.width", "8", "--validation.graphs", "2", "--validation.sizes", "5")


def untrained(name: str) -> Agent:
    config = TrainConfig.for_problem(name, steps=1)
    return Agent(find_problem(name), config, make_policy(config, torch.device("cpu")))


def one_of(name: str) -> GraphBatch:
    problem = SOLVED[name]
    return problem.generator(sizes=problem.sizes[:1])(1, seeded())


@pytest.mark.parametrize("name", [name for name in SOLVED if name != "locomotion"])
def test_the_best_of_all_is_given_with_its_finder(name: str) -> None:
    agent, graph = untrained(name), one_of(name)
    names = [str(node) for node in range(graph.num_nodes)]
    own = solve(agent, graph, names, policy_only=True, time_limit=30)
    best = solve(agent, graph, names, time_limit=30)
    sign = -1 if agent.problem.optimization.maximise else 1
    assert own.found_by == "policy"
    assert own.objective == own.policy == best.policy
    assert best.complete
    assert sign * best.objective <= sign * best.policy + 1e-9
    for heuristic in agent.problem.heuristics:
        found = solve_without_policy(agent.problem, graph, names, heuristic)
        assert found.found_by == heuristic
        assert found.policy is None
        assert found.bound is None
        assert not found.optimal
        if found.complete:
            assert sign * best.objective <= sign * found.objective + 1e-9
    if agent.problem.solve_exactly is not None:
        solved = solve_without_policy(agent.problem, graph, names, "solver", time_limit=30)
        assert solved.objective == pytest.approx(best.objective, rel=1e-9)
        assert solved.optimal == best.optimal
        assert not own.optimal or own.objective == pytest.approx(best.objective, rel=1e-9)


def test_without_the_solver_the_policys_solution_is_given_and_what_is_missing() -> None:
    def not_installed(*_: object) -> Optimum:
        raise ImportError("exact covers need OR-Tools: pip install 'graphwright[solvers]'")

    agent = untrained("vertex-cover")
    agent = replace(agent, problem=replace(agent.problem, solve_exactly=not_installed))
    graph = one_of("vertex-cover")
    found = solve(agent, graph, [str(node) for node in range(graph.num_nodes)], time_limit=1)
    assert found.complete
    assert found.bound is None
    assert not found.optimal
    assert found.unproven == "exact covers need OR-Tools: pip install 'graphwright[solvers]'"


def test_a_file_is_solved_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A star, whose centre covers all: the greedy heuristic and the solver find it."""
    star = tmp_path / "star.txt"
    star.write_text("hub a\nhub b\nhub c\n")
    for method, optimal in (("greedy", True), ("solver", True)):
        main(["solve", "vertex-cover", str(star), "--policy", method, "--json"])
        (result,) = json.loads(capsys.readouterr().out)["results"]
        assert (result["nodes"], result["objective"], result["policy"]) == (["hub"], 1, None)
        assert result["optimal"] == optimal
        assert result["found_by"] == method or method == "solver"
    assert "--policy best: vertex-cover has none of this name; choose one of greedy" in fails(
        capsys, "solve", "vertex-cover", star, "--policy", "best"
    )


def test_options_that_say_nothing_without_a_run_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    star = tmp_path / "star.txt"
    star.write_text("hub a\nhub b\n")
    solving = ("solve", "vertex-cover", star, "--policy")
    alone = "--samples 64: is for --decode best-of, not for greedy; say so, or leave it out"
    assert alone in fails(capsys, *solving[:3], "--samples", "64")
    assert "--policy solver: has no time" in fails(capsys, *solving, "solver", "--time-limit", "0")
    assert "which --policy-only and --decode are about" in fails(capsys, *solving, "greedy", "--policy-only")
    assert "which --policy-only and --decode are about" in fails(capsys, *solving, "greedy", "--decode", "sample")


def test_the_line_says_whose_solution_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of an untrained policy on a star with a heavy hub, at most the text differs from what is proven."""
    run, star = tmp_path / "run", tmp_path / "star.txt"
    star.write_text("hub a\nhub b\nhub c\n")
    main(["train", "vertex-cover", "--run", str(run), *QUICK])
    capsys.readouterr()
    main(["solve", str(run), str(star), "--policy-only", "--json"])
    (own,) = json.loads(capsys.readouterr().out)["results"]
    main(["solve", str(run), str(star)])
    line = capsys.readouterr().out
    assert "weight 1" in line
    assert "optimal" in line
    assert ("(policy" in line) == (own["objective"] > 1)


def test_local_search_says_whose_solution_it_began_from(monkeypatch: pytest.MonkeyPatch) -> None:
    agent, graph = untrained("vertex-cover"), SOLVED["vertex-cover"].generator("watts-strogatz", (40,))(1, seeded())
    names = [str(node) for node in range(graph.num_nodes)]
    own = solve(agent, graph, names, improve=0.01, policy_only=True)
    assert list(own.improved) == ["policy"]
    assert own.objective == own.improved["policy"] <= (own.policy or 0)
    both = solve(agent, graph, names, improve=0.01)
    assert list(both.improved) == ["policy", "greedy"]
    assert both.objective <= min(both.improved.values())
    alone = solve_without_policy(agent.problem, graph, names, "greedy", improve=0.01)
    assert alone.objective == alone.improved["greedy"]
    for module in ("solve", "proving"):
        monkeypatch.setattr(f"graphwright.training.{module}.MANY", 40)
    bounded = solve(agent, graph, names, time_limit=1)
    assert bounded.bound_by == "clique cover"
    assert bounded.bound is not None
    assert bounded.bound <= bounded.objective
    assert bounded.found_by in ("policy", "greedy", "two-approximation")
    with pytest.raises(
        ConfigError,
        match="--improve: public-goods has no local search; vertex-cover, tour, independent-set, max-cut have",
    ):
        solve_without_policy(SOLVED["public-goods"], one_of("public-goods"), names, "greedy", improve=1)
