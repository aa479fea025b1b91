"""Verifiers agree with the environments on what random play and heuristics find, and see what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphwright.cli import main
from graphwright.cli.answers import options_of
from graphwright.core import GraphBatch
from graphwright.envs.optimization import Optimization
from graphwright.envs.planned import Planned
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.tour.plane import GLOBE
from graphwright.envs.registry import SOLVED
from graphwright.envs.rollouts import play
from graphwright.envs.verdict import Answer, Pieces, Verdict, links_of
from graphwright.envs.wrappers.recorded import recorded

VERIFIED = [name for name, problem in SOLVED.items() if problem.verify is not None]


def answer_of(environment: Optimization, final: GraphBatch) -> Answer:
    solution = environment.solution(final)
    plan = environment.plan(final) if isinstance(environment, Planned) else None
    return Answer(solution.nodes.tolist(), [(one, other) for one, other in solution.links.T.tolist()], plan)


def check(name: str, instance: GraphBatch, answer: Answer, **options: object) -> Verdict:
    problem = SOLVED[name]
    assert problem.verify is not None
    return problem.verify(instance, answer, options_of(problem.optimization) | options)


def test_who_is_verified() -> None:
    assert set(VERIFIED) == SOLVED.keys() - {"locomotion"}


@settings(max_examples=6)
@given(seed=st.integers(0, 1000))
@pytest.mark.parametrize("name", VERIFIED)
def test_environments_and_verifiers_agree(name: str, seed: int) -> None:
    problem, generator = SOLVED[name], torch.Generator().manual_seed(seed)
    environment = recorded(problem.optimization)
    instance = environment.instance(problem.generator(sizes=problem.sizes[:1])(1, generator))
    finals = [heuristic(environment, instance) for heuristic in problem.heuristics.values()]
    finals.append(play(environment, instance, random_choice(environment, generator)))
    for final in finals:
        verdict = check(name, instance, answer_of(environment, final))
        assert verdict.objective == pytest.approx(float(environment.objective(final)), rel=1e-6, abs=1e-9)
        assert (not verdict.faults) == bool(environment.is_complete(final)), verdict.faults


@pytest.mark.parametrize("name", [name for name in VERIFIED if name not in {"independent-set", "max-cut"}])
def test_what_is_left_out_is_a_fault(name: str) -> None:
    """Without its nodes and links, no cover, equilibrium, tour or tree is one; robustness only loses."""
    problem = SOLVED[name]
    environment = problem.optimization
    instance = environment.instance(problem.generator(sizes=problem.sizes[:1])(1, torch.Generator().manual_seed(0)))
    if name == "graph-robustness":
        link = links_of(instance)[0]
        faults = check(name, instance, Answer([], [link])).faults
        assert faults[0].named([*map(str, range(99))]).endswith("a link already")
        assert faults[1].text == "it adds 1 links, and 4 are to be added"
    else:
        assert check(name, instance, Answer()).faults


def test_joined_nodes_and_wrong_crossings_are_faults() -> None:
    instance = SOLVED["independent-set"].generator(sizes=(8,))(1, torch.Generator().manual_seed(0))
    instance = SOLVED["independent-set"].optimization.instance(instance)
    one, other = links_of(instance)[0]
    assert [fault.nodes for fault in check("independent-set", instance, Answer([one, other])).faults] == [(one, other)]
    cut = SOLVED["max-cut"].optimization.instance(instance)
    assert check("max-cut", cut, Answer([], [(one, other)])).faults[0].nodes == (one, other)


def test_the_globe_is_that_of_tsplib() -> None:
    """Two points of ulysses22, 36°09' and -5°21' from 38°24' and 20°42': TSPLIB's distance is a whole number."""
    problem = SOLVED["tour"]
    points = problem.generator(sizes=(5,))(1, torch.Generator().manual_seed(0))
    position = torch.tensor([[38.24, 20.42], [39.57, 26.15], [40.56, 25.32], [36.26, 23.12], [33.48, 10.54]])
    instance = problem.optimization.instance(
        points.keep().with_nodes(position=position.double()).with_graphs(rounding=torch.tensor([GLOBE]))
    )
    final = next(iter(problem.heuristics.values()))(problem.optimization, instance)
    order = problem.optimization.solution(final).nodes.tolist()
    assert check("tour", instance, Answer(order)).objective == float(problem.optimization.objective(final))


@given(st.integers(1, 9), st.data())
def test_pieces_are_those_of_networkx(size: int, data: st.DataObject) -> None:
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    pieces, graph = Pieces(size), nx.empty_graph(size)
    for one, other in data.draw(st.lists(pair, max_size=12)):
        assert pieces.join(one, other) != nx.has_path(graph, one, other)
        graph.add_edge(one, other)
    found = {frozenset(node for node in range(size) if pieces.of(node) == stands) for stands in range(size)}
    assert found - {frozenset()} == set(map(frozenset, nx.connected_components(graph)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"nodes": ["hub"], "objective": 1' + 400 * "0" + "}", "its objective is said to be 1000"),
        ('{"nodes": ["hub"], "objective": NaN}', "its objective is said to be nan"),
        ('{"nodes": ["hub"], "objective": 1.00000000001}', "its objective is said to be 1.00000000001"),
    ],
)
def test_a_wrong_claim_of_any_size_is_a_fault(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph, answer = tmp_path / "star.txt", tmp_path / "answer.json"
    graph.write_text("hub a\nhub b\n")
    answer.write_text(text)
    with pytest.raises(SystemExit):
        main(["check", "vertex-cover", str(graph), str(answer)])
    assert said in capsys.readouterr().out


def test_a_pipe_is_no_solution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not waited for."""
    graph, pipe = tmp_path / "star.txt", tmp_path / "pipe.json"
    graph.write_text("hub a\nhub b\n")
    os.mkfifo(pipe)
    with pytest.raises(SystemExit):
        main(["check", "vertex-cover", str(graph), str(pipe)])
    assert "pipe.json: is no file" in capsys.readouterr().err


@pytest.mark.parametrize("claimed", ["2", True, [2]])
def test_an_objective_that_is_no_number_is_a_fault(
    claimed: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("a b\n")
    (tmp_path / "solution.json").write_text(json.dumps({"nodes": ["a"], "objective": claimed}))
    with pytest.raises(SystemExit):
        main(["check", "vertex-cover", str(tmp_path / "a.txt"), str(tmp_path / "solution.json")])
    assert "which is no number" in capsys.readouterr().out


def test_what_solve_writes_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph, answer = tmp_path / "star.txt", tmp_path / "answer.json"
    graph.write_text("hub a\nhub b\n")
    main(["solve", "vertex-cover", str(graph), "--policy", "solver", "--json"])
    answer.write_text(capsys.readouterr().out)
    main(["check", "vertex-cover", str(graph), str(answer)])
    assert capsys.readouterr().out == "weight 1, valid\n"
    answer.write_text(json.dumps({"nodes": ["a"], "objective": 0}))
    with pytest.raises(SystemExit) as stop:
        main(["check", "vertex-cover", str(graph), str(answer)])
    assert stop.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        "weight 1, NOT VALID",
        "  nothing covers the link hub – b",
        "  its objective is said to be 0",
    ]
