"""`train`, `evaluate` and `sample` of flow networks as a user meets them: files, JSON, and errors of one line."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import fails
from flow_many import NAME as TWO_OBJECTIVES
from forked import Forked
from graphwright.cli import main

SMALL = [
    *("--threads", "1", "--steps", "32", "--encoder.width", "8", "--encoder.depth", "1"),
    *("--sources.forward", "8", "--validation.every", "2", "--validation.objects", "4"),
]
TASKS = {
    "hyper-grid": ["--environment.side", "4"],
    "ring-edges": ["--environment.num-nodes", "3"],
    "two-colour": ["--environment.context.max-nodes", "3"],
}
every_task = pytest.mark.parametrize("task", TASKS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("runs")
    for task, options in TASKS.items():
        main(["train", task, "--run", str(directory / task), *SMALL, *options, "--algorithm", "tb"])
    return {task: directory / task for task in TASKS}


@every_task
def test_a_run_holds_its_settings(task: str, runs: dict[str, Path]) -> None:
    document = json.loads((runs[task] / "config.json").read_text())
    assert (document["problem"], document["algorithm"], document["steps"]) == (task, "tb", 32)
    assert document["encoder"]["width"] == 8
    names = {path.name for path in runs[task].iterdir()}
    assert {"config.json", "policy.safetensors", "trainer.safetensors", "metrics.csv", "curve.png"} <= names
    assert (runs[task] / "curve.png").read_bytes()[:4] == b"\x89PNG"


@every_task
def test_evaluate_json_is_the_contract(task: str, runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    main(["evaluate", str(runs[task]), "--num", "20", "--top", "5", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert (document["problem"], document["run"], document["algorithm"]) == (task, str(runs[task]), "tb")
    assert (document["objects"], document["top"]) == (20, 5)
    assert document["log_z_exact"] > 0
    assert 0 <= document["total_variation"] <= 1
    assert isinstance(document["log_z"], float)
    assert 1 <= document["different"] <= 20


def test_the_first_word_says_what_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the run is called."""
    monkeypatch.chdir(tmp_path)
    main(["train", TWO_OBJECTIVES, "--run", "rings", *SMALL])
    document = json.loads((tmp_path / "rings" / "config.json").read_text())
    assert (document["problem"], document["environment"]["side"]) == (TWO_OBJECTIVES, 4)


def test_evaluate_prints_a_table(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", str(runs["hyper-grid"]), "--num", "20"])
    output = capsys.readouterr().out
    for word in ("log Z", "total variation", "mean reward", "different objects"):
        assert word in output


def sampled(runs: dict[str, Path], task: str, out: Path, *more: str) -> Any:
    main(["sample", str(runs[task]), "--num", "25", "--out", str(out), *more])
    return np.load(out) if out.suffix == ".npz" else [json.loads(line) for line in out.read_text().splitlines()]


def test_cells_are_written_as_states(runs: dict[str, Path], tmp_path: Path) -> None:
    states = sampled(runs, "hyper-grid", tmp_path / "cells.npz")["states"]
    assert states.shape == (25, 2)
    assert np.issubdtype(states.dtype, np.integer)
    assert ((states >= 0) & (states < 4)).all()


def test_edges_are_written_as_matrices(runs: dict[str, Path], tmp_path: Path) -> None:
    matrices = sampled(runs, "ring-edges", tmp_path / "edges.npz")["adjacency"]
    assert matrices.shape == (25, 3, 3)
    assert matrices.dtype == bool
    assert not matrices[:, range(3), range(3)].any()


def test_graphs_are_written_as_documents(runs: dict[str, Path], tmp_path: Path) -> None:
    documents = sampled(runs, "two-colour", tmp_path / "graphs.jsonl")
    assert len(documents) == 25
    for document in documents:
        assert document.keys() == {"directed", "multigraph", "nodes", "edges"}
        assert [node["id"] for node in document["nodes"]] == list(range(len(document["nodes"])))
        assert 1 <= len(document["nodes"]) <= 3
        assert all(node["type"] in (0, 1) for node in document["nodes"])
        assert all({link["source"], link["target"]} <= set(range(3)) for link in document["edges"])


@every_task
def test_samples_are_those_of_their_seed(task: str, runs: dict[str, Path], tmp_path: Path) -> None:
    suffix = ".jsonl" if task == "two-colour" else ".npz"
    paths = [tmp_path / f"{name}{suffix}" for name in "abc"]
    found = [sampled(runs, task, path, "--seed", seed) for path, seed in zip(paths, "001", strict=True)]
    if suffix == ".npz":
        one, other, third = ((some["states"] if "states" in some else some["adjacency"]).tolist() for some in found)
    else:
        one, other, third = found
    assert one == other
    assert one != third


def test_a_run_goes_on(runs: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(runs["hyper-grid"], copy)
    main(["resume", str(copy), "--steps", "48"])
    assert json.loads((copy / "config.json").read_text())["steps"] == 48
    rows = (copy / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[1] for row in rows[1:]] == ["8", "20", "32", "44", "56"]  # from the second on 4 are replayed


def test_errors_are_one_line_that_names_the_remedy(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid, colours = runs["hyper-grid"], runs["two-colour"]
    out = tmp_path / "out.npz"
    assert "hyper-grid is written to .npz files" in fails(capsys, "sample", grid, "--out", tmp_path / "out.jsonl")
    for odd in (out, tmp_path / "out.txt", tmp_path / "out.smi"):
        assert "two-colour is written to .jsonl files" in fails(capsys, "sample", colours, "--out", odd)
    assert "--num 0: give at least 1" in fails(capsys, "sample", grid, "--num", 0, "--out", out)
    assert "--num 0: give at least 1" in fails(capsys, "evaluate", grid, "--num", 0)
    assert "config.json: no such file" in fails(capsys, "sample", tmp_path / "nowhere", "--out", out)
    unknown = fails(capsys, "train", "no-such-task", "--run", tmp_path / "run")
    assert "unknown problem 'no-such-task'; choose one of vertex-cover" in unknown
    assert "two-colour" in unknown, "tasks are listed beside problems"
    assert "unknown problem 'no-such-task'" in fails(capsys, "train", "no-such-task", "--run", "qed")
    assert "exists already" in fails(capsys, "train", "hyper-grid", "--run", grid, *SMALL)
    assert "--sources.num-samples 3" in fails(
        capsys, "train", "hyper-grid", "--run", tmp_path / "run", *SMALL, "--sources.num-samples", 3
    )
    assert "there is none of this name" in fails(
        capsys, "train", "hyper-grid", "--run", tmp_path / "run", *SMALL, "--algorithm", "no-such"
    )
    assert "takes none: it was trained without" in fails(capsys, "sample", grid, "--focus", 1.0, "--out", out)
    assert "beta 3: this sampler was trained with β = 1" in fails(capsys, "sample", grid, "--beta", 3, "--out", out)
    assert "is no folder; make it first" in fails(capsys, "sample", grid, "--out", tmp_path / "no" / "out.npz")
    new = ("--run", tmp_path / "run", *SMALL)
    assert "only one objective" in fails(capsys, "train", "hyper-grid", *new, "--condition.preference", 1.0)
    for task, option in (("hyper-grid", "side"), ("ring-edges", "num-nodes"), ("toy-sequences", "max-length")):
        none = f"--environment.{option}"
        assert f"{none} 0: give at least 1" in fails(capsys, "train", task, *new, none, 0)
    assert "instances of max-cut have one each" in fails(capsys, "train", "max-cut", *new, "--algorithm", "tb")
    assert not (tmp_path / "run").exists()
    assert not out.exists()


def test_rewards_that_are_no_numbers_are_null(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R = exp(4 · cut edges) of a graph of 200 nodes."""
    short = ("--steps", "2", "--sources.forward", "8", "--encoder.width", "8", "--validation.objects", "1")
    short += ("--encoder.depth", "1")
    main(["train", "max-cut", "--algorithm", "vargrad", "--run", str(tmp_path / "run"), "--threads", "1", *short])
    capsys.readouterr()
    arguments = ["evaluate", str(tmp_path / "run"), "--num", "2", "--threads", "1"]
    main([*arguments, "--json", "--pictures", str(tmp_path / "pictures")])
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert document["mean_reward"] is document["log_z"] is None
    assert document["mean_log_reward"] > 1000
    assert list((tmp_path / "pictures").iterdir())
    main(arguments)
    assert "log Z" not in capsys.readouterr().out


def test_a_task_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from graphwright.envs.generative.tasks.hyper_grid import HYPER_GRID as CELLS"
    (tmp_path / "tasks_of_a_user.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    main(["train", "tasks_of_a_user:CELLS", "--run", "cells", *SMALL])
    main(["sample", "cells", "--num", "3", "--out", "cells.npz", "--trust"])
    assert np.load("cells.npz")["states"].shape == (3, 2)


def test_whoever_reads_the_help_may_stop_before_its_end() -> None:
    """As `head` does: nothing is said of it."""

    def help_that_nobody_reads() -> None:
        sys.stdin.read()
        main(["train", "hyper-grid", "--help"])

    process = Forked(help_that_nobody_reads)
    process.stdout.close()
    assert process.communicate() == ("", "")
    assert process.returncode == 1


PROBLEM = [
    *("--threads", "1", "--device", "cpu", "--steps", "64", "--sizes", "5", "8", "--encoder.width", "8"),
    *("--encoder.depth", "1", "--validation.graphs", "2", "--validation.every", "4", "--validation.sizes", "8"),
]


def test_a_problem_of_the_name_of_a_task_still_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless an algorithm of flow networks is named."""
    run = tmp_path / "problem"
    main(["train", "independent-set", "--run", str(run), *PROBLEM])
    document = json.loads((run / "config.json").read_text())
    assert document["problem"] == "independent-set"
    assert "solves instances, and samples nothing" in fails(capsys, "sample", run, "--out", tmp_path / "out.npz")
    odd = ["train", "independent-set", "--run", tmp_path / "flow", "--sources.num-samples", 3]
    said = fails(capsys, *odd, "--algorithm", "db")
    assert "give a multiple of --sources.num-samples 3" in said
    assert "---" not in said
    assert "Unrecognized options: --sources.num-samples" in fails(capsys, *odd)


@pytest.mark.parametrize(("problem", "best"), [("independent-set", 2), ("max-cut", 4)])
def test_a_sampler_of_solutions_solves_instances(
    problem: str, best: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 300 draws on a cycle of five nodes, one is the best, which arithmetic gives; a bound is proven as ever."""
    run, cycle = tmp_path / "run", tmp_path / "cycle.txt"
    cycle.write_text("a b\nb c\nc d\nd e\ne a\n")
    short = ["--steps", "2", "--sources.forward", "8", "--encoder.width", "8", "--validation.objects", "2"]
    short += ["--encoder.depth", "1"]
    main(["train", problem, "--algorithm", "vargrad", "--run", str(run), "--threads", "1", *short])
    capsys.readouterr()
    main(["solve", str(run), str(cycle), "--decode", "best-of", "--samples", "300", "--time-limit", "600", "--json"])
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert (result["objective"], result["bound"], result["complete"]) == (best, best, True)


def test_a_sampler_of_objects_solves_no_instances(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    triangle = tmp_path / "triangle.txt"
    triangle.write_text("a b\nb c\nc a\n")
    assert "hyper-grid solves no files: it builds objects; see `graphwright sample`" in fails(
        capsys, "solve", runs["hyper-grid"], triangle
    )


def test_a_flow_run_goes_on_on_the_cpu_only(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--device cuda: flow networks run on the CPU only" in fails(
        capsys, "resume", runs["hyper-grid"], "--device", "cuda"
    )
