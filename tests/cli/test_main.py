"""The command line as a user meets it: its contract, and what it says to bad input."""

import json
import os
import signal
import sys
import time
import warnings
from dataclasses import replace

import pytest

from command_line import fails
from forked import Forked
from graphwright.cli import main
from graphwright.cli.instances import FileOptions
from graphwright.cli.main import one_line_warnings
from graphwright.core import GraphError
from graphwright.envs import registry
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.training.checkpoint import read_info
from graphwright.training.interrupt import interruptible
from graphwright.workers.reward_workers import RewardWarning

SMALL = [
    *("--threads", "1", "--device", "cpu", "--sizes", "5", "8", "--encoder.width", "8", "--encoder.depth", "2"),
    *("--num-envs", "8", "--num-steps", "8", "--validation.graphs", "2", "--validation.every", "2"),
    *("--validation.sizes", "10"),
]


def train(directory, *more):
    main(["train", "vertex-cover", "--run", str(directory), *SMALL, *(more or ("--steps", "200"))])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "vc"
    train(directory)
    return directory


@pytest.fixture
def triangle(tmp_path):
    path = tmp_path / "triangle.txt"
    path.write_text("a b\nb c\nc a\nc d\n")
    return path


def test_problems_lists_one_line_each(capsys):
    main(["problems"])
    assert "vertex-cover" in capsys.readouterr().out


def test_solve_json_is_the_contract(run, triangle, capsys):
    main(["solve", str(run), str(triangle), str(triangle), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"problem", "objective", "environment", "run", "results"}
    assert (document["problem"], document["run"]) == ("vertex-cover", str(run))
    first, second = document["results"]
    own = {
        "nodes",
        "links",
        "plan",
        "objective",
        "complete",
        "found_by",
        "policy",
        "bound",
        "bound_by",
        "improved",
        "optimal",
        "doubt",
        "seconds",
    }
    assert first.keys() == {"file", "read", "unproven"} | own
    assert first["file"] == str(triangle)
    assert set(first["nodes"]) <= {"a", "b", "c", "d"}
    assert first["complete"] is True
    assert first["objective"] == len(first["nodes"]) >= first["bound"] == 2
    assert first["nodes"] == second["nodes"]


def test_evaluate_json_is_the_contract(run, capsys):
    main(
        ["evaluate", str(run), "--sizes", "6", "9", "--graphs", "5", "--decode", "best-of", "--samples", "3", "--json"]
    )
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"problem", "objective", "maximise", "run", "decode", "rows"}
    assert document["decode"] == "best-of"
    assert [row["name"] for row in document["rows"]] == ["6", "9"]
    names = ["name", "graphs", "policy", "complete", "random", "heuristics", "optimum", "proven", "reference"]
    names += ["ratio", "ratio_low", "ratio_high", "seconds", "unproven", "best", "best_by", "bound_by", "improved"]
    assert all(list(row) == names for row in document["rows"])


def test_without_the_solver_the_rest_is_evaluated_and_what_is_missing_said(run, capsys, monkeypatch):
    """Brackets are no markup: the name of the extra is the remedy."""
    monkeypatch.setitem(sys.modules, "ortools", None)
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    main(["evaluate", str(run), "--sizes", "8", "--graphs", "2"])
    output = " ".join(capsys.readouterr().out.split())
    assert "no optimum: exact covers need OR-Tools: pip install 'graphwright[solvers]'" in output
    missing = ImportError("molecules need RDKit; pip install 'graphwright[chem]'")
    monkeypatch.setattr("graphwright.envs.registry._import", lambda place: _raise(missing, place))
    main(["problems"])
    assert "graphwright[chem]" in " ".join(capsys.readouterr().out.split())


def _raise(error, place):
    if "molecules" in place:
        raise error
    return REGISTERED(place)


REGISTERED = registry._import


def test_files_are_evaluated_beside_the_baselines(run, triangle, capsys):
    main(["evaluate", str(run), "--instances", str(triangle), "--json"])
    out, err = capsys.readouterr()
    document = json.loads(out)
    (row,) = document["rows"]
    assert document["read"][str(triangle)]["links"] == 4
    assert f"{triangle}: read as edge list" in err
    assert (row["name"], row["graphs"], row["optimum"], row["proven"]) == (str(triangle), 1, 2, 1)
    assert row["heuristics"].keys() == {"greedy", "cheapest-first", "two-approximation"}
    assert "named twice" in fails(capsys, "evaluate", run, "--instances", triangle, triangle)


def test_marks_are_columns_of_the_graph(triangle):
    environment = FirstIsMarked()
    named, marked = FileOptions(mark=("terminal=a,c",)).read(triangle, environment)
    assert [name for name, mark in zip(named.names, marked.nodes["terminal"], strict=True) if mark] == ["a", "c"]
    for mark, word in (("terminal", "terminal=NAME"), ("terminal=z", "no node 'z'")):
        with pytest.raises(GraphError, match=word):
            FileOptions(mark=(mark,)).read(triangle, environment)


class FirstIsMarked(VertexCover):
    """Takes graphs as they are."""

    inputs = None

    def instance(self, graph):
        return graph


def test_weights_come_from_the_attribute_that_is_named(run, tmp_path, capsys):
    path = tmp_path / "star.json"
    nodes = [{"id": "hub", "weight": 1, "price": 9}, *({"id": name, "weight": 1, "price": 1} for name in "xy")]
    links = [{"source": "hub", "target": name} for name in "xy"]
    path.write_text(json.dumps({"directed": False, "multigraph": False, "graph": {}, "nodes": nodes, "edges": links}))
    for weight, bound in (("weight", 1), ("price", 2)):
        main(["solve", str(run), str(path), "--json", "--weight", weight])
        assert json.loads(capsys.readouterr().out)["results"][0]["bound"] == bound


@pytest.mark.parametrize(
    ("kind", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("gif", b"GIF8")]
)
def test_a_picture_is_of_the_kind_that_its_name_says(kind, begins, run, triangle, tmp_path, capsys, drawn_figures):
    main(["solve", str(run), str(triangle), "--picture", str(tmp_path / f"cover.{kind}")])
    assert (tmp_path / f"cover.{kind}").read_bytes().startswith(begins)
    assert "complete" in capsys.readouterr().out


def test_only_a_policy_is_shown_at_work(triangle, tmp_path, capsys):
    words = ["vertex-cover", triangle, "--policy", "greedy", "--picture", tmp_path / "cover.gif"]
    assert "a .gif shows a policy at work; name it cover.png" in fails(capsys, "solve", *words)


def test_a_directed_file_needs_a_word_from_the_user(run, tmp_path, capsys):
    path = tmp_path / "arcs.json"
    document = {"directed": True, "multigraph": False, "graph": {}, "nodes": [{"id": 0}, {"id": 1}]}
    path.write_text(json.dumps(document | {"edges": [{"source": 0, "target": 1}]}))
    assert "--undirected" in fails(capsys, "solve", run, path)
    main(["solve", str(run), str(path), "--undirected"])
    assert "complete" in capsys.readouterr().out


def test_bad_input_is_one_line_that_names_it(run, triangle, tmp_path, capsys):
    (tmp_path / "nan.json").write_text(
        '{"directed": false, "multigraph": false, "graph": {}, "nodes": [{"id": 0, "weight": NaN}], "edges": []}'
    )
    (tmp_path / "empty.txt").write_text("")
    new = tmp_path / "new"
    cases = {
        ("train", "vertex-cover", "--run", run): "exists already",
        ("train", "steiner", "--run", new): "steiner",
        ("train", "vertex-cover", "--run", new, "--encoder.kind", "magic"): "encoder.kind",
        ("train", "vertex-cover", "--run", new, "--encoder.layer", "no.such:Layer"): "no.such:Layer",
        ("train", "vertex-cover", "--run", new, "--sizes", "0"): "--sizes",
        ("train", "vertex-cover", "--run", new, "--sizes", "5", "-3"): "--sizes",
        ("train", "vertex-cover", "--run", new, "--generator", "bush"): "bush",
        ("train", "vertex-cover", "--run", new, "--seconds", "-1"): "--seconds",
        ("train", "vertex-cover", "--run", new, "--threads", "0"): "--threads",
        ("train", "vertex-cover", "--run", new, "--encoder.kind", "gat", "--encoder.width", "30"): "30",
        ("train", "vertex-cover", "--run", new, "--encoder.width", "0"): "--encoder.width",
        ("train", "vertex-cover", "--run", new, "--encoder.kind", "gcn", "--encoder.aggregation", "max"): "aggregation",
        ("train", "vertex-cover", "--run", new, "--num-envs", "0"): "--num-envs",
        ("train", "vertex-cover", "--run", new, "--ppo.minibatch-size", "-1"): "--ppo.minibatch-size",
        ("train", "vertex-cover", "--run", new, "--ppo.discount", "5"): "--ppo.discount",
        ("train", "vertex-cover", "--run", new, "--algorithm", "reinforce", "--num-samples", "1"): "--num-samples",
        ("train", "vertex-cover", "--run", new, "--validation.graphs", "0"): "--validation.graphs",
        ("train", "vertex-cover"): "--run",
        ("train", "vertex-cover", "--run", new, "--encoder.width", 10**9): "--encoder.width",
        ("train", "vertex-cover", "--run", new, "--encoder.depth", 10**9): "--encoder.depth",
        ("train", "vertex-cover", "--run", new, "--threads", 10**9): "--threads",
        (
            "train",
            "vertex-cover",
            "--run",
            new,
            "--ppo.target-kl",
            "nan",
        ): "--ppo.target-kl nan: give a positive",
        ("train", "vertex-cover", "--run", new, "--ppo.entropy-coefficient", "inf"): "--ppo.entropy-coefficient",
        ("train", "vertex-cover", "--run", new, "--checkpoint-seconds", "nan"): "--checkpoint-seconds",
        ("train", "vertex-cover", "--run", new, "--invalid.penalty", "-inf"): "--invalid.penalty",
        ("train", "hyper-grid", "--run", new, "--sources.exploration.temperature", "nan"): "exploration.temperature",
        ("train", "hyper-grid", "--run", new, "--condition.high", "inf"): "--condition.high",
        ("train", "hyper-grid", "--run", new, "--environment.dimensions", "9" * 22): "--environment.dimensions",
        ("train", ".x:y", "--run", new): "write it as module:NAME",
        ("train", "vertex-cover", "--run", new, "--encoder.layer", ".x:Y"): "write it as module:NAME",
        ("evaluate", run, "--environment.x", "3"): "--environment.x: is a setting of the run",
        ("evaluate", run, "--time-limit", "inf"): "--time-limit",
        ("evaluate", run, "--seed", "9" * 22): "--seed",
        ("solve", run, triangle, "--time-limit", "nan"): "--time-limit",
        ("resume", run, "--seconds", "nan"): "--seconds",
        ("evaluate", new, "--sizes", "5"): "config.json",
        ("evaluate", run, "--sizes", "0"): "--sizes",
        ("evaluate", run, "--sizes", "5", "--graphs", "0"): "--graphs",
        ("evaluate", run, "--law", "gold"): "gold",
        ("solve", run): "FILE",
        ("solve", run, tmp_path / "missing.txt"): "missing.txt",
        ("solve", run, tmp_path / "nan.json"): "nan.json",
        ("solve", run, tmp_path / "empty.txt"): "empty.txt",
        ("solve", run, triangle, "--samples", "0", "--decode", "best-of"): "--samples",
        ("solve", run, triangle, "--weight", "gold"): "gold",
        ("solve", run, triangle, "--picture", tmp_path / "nowhere" / "a.png"): "nowhere",
        ("resume", new): "config.json",
        ("fly",): "fly",
    }
    for arguments, word in cases.items():
        assert word in fails(capsys, *arguments), arguments
    assert not new.exists()


def test_one_bad_file_among_good_ones_leaves_nothing_behind(run, triangle, tmp_path, capsys):
    bad = tmp_path / "bad.col"
    bad.write_text("p edge 2 1\ne 1 7\n")
    assert "bad.col" in fails(capsys, "solve", run, triangle, bad, "--json")


def test_a_graph_without_edges_has_the_empty_cover(run, tmp_path, capsys):
    (tmp_path / "alone.txt").write_text("a\n")
    main(["solve", str(run), str(tmp_path / "alone.txt"), "--json"])
    result = json.loads(capsys.readouterr().out)["results"][0]
    assert (result["nodes"], result["objective"], result["complete"], result["bound"]) == ([], 0, True, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_the_iteration_goes_on(number):
    with interruptible() as interruption:
        os.kill(os.getpid(), number)
        assert interruption.signal == number


def test_a_signal_leaves_a_run_that_can_go_on(tmp_path):
    directory = tmp_path / "run"
    command = ["train", "vertex-cover", "--run", str(directory), *SMALL, "--seconds", "600"]
    process = Forked(lambda: main(command))
    deadline = time.monotonic() + 120
    while not (directory / "trainer.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate()
    assert process.returncode == 143
    assert "graphwright resume" in error
    assert "Traceback" not in error
    before = json.loads((directory / "config.json").read_text())
    steps = read_info(directory / "trainer.safetensors")["counters"]["steps"] + 1
    main(["resume", str(directory), "--steps", str(steps)])
    assert json.loads((directory / "config.json").read_text()) == before | {"seconds": None, "steps": steps}


def test_a_bound_of_nothing_is_still_json(run, capsys, monkeypatch):
    """Where the solver proves nothing in time, the ratio is unknown, which JSON calls null."""
    from graphwright.envs.problems.vertex_cover import exact

    solution = exact.exact_cover

    def proves_nothing(instances, **options):
        found = solution(instances, **options)
        return replace(found, bound=found.bound * 0, proven=found.proven & False)

    monkeypatch.setattr("graphwright.envs.problems.vertex_cover.environment.exact_cover", proves_nothing)
    main(["evaluate", str(run), "--sizes", "8", "--graphs", "3", "--json"])
    (row,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["rows"]
    assert (row["optimum"], row["proven"], row["ratio"], row["ratio_high"]) == (0, 0, None, None)
    main(["evaluate", str(run), "--sizes", "8", "--graphs", "3"])
    assert "3 optima are not proven" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "spins"), [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)]
)
def test_idle_threads_sleep_unless_the_user_says_otherwise(given, spins, monkeypatch, capsys):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    main(["--version"])
    assert os.environ.get("GOMP_SPINCOUNT") == spins


def test_what_the_library_warns_of_is_one_line():
    with one_line_warnings():
        assert warnings.formatwarning("failed:\nonce", RewardWarning, "a.py", 3) == "graphwright: failed: once\n"
        assert "a.py:3" in warnings.formatwarning("others", UserWarning, "a.py", 3)


@pytest.mark.parametrize(
    ("option", "named"), [("--agents", "--agents"), ("--sizes", "--sizes"), ("--seed", "the sizes")]
)
def test_what_is_too_large_for_the_memory_is_named(option, named, monkeypatch, capsys):
    def too_large(*words):
        raise MemoryError("too large")

    monkeypatch.setattr("graphwright.cli.commands.Command.parsing", too_large)
    said = fails(capsys, "train", "coverage", "--run", "a", option, "7")
    assert said == f"graphwright: needs more memory than there is (too large); lower {named}\n"
