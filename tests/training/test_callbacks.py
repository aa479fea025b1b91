"""Callbacks hear what a run does; trackers that are not installed are played by a module that writes it down."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

import graphwright as gw
from command_line import fails
from graphwright.training.callbacks import Callback, MLflow, WeightsAndBiases

QUIET = Console(quiet=True)


def config(steps: int) -> gw.TrainConfig:
    return gw.TrainConfig.for_problem(
        "vertex-cover",
        steps=steps,
        threads=1,
        encoder={"width": 4, "depth": 1},
        collection={"sizes": (5,), "num_envs": 2, "num_steps": 2},
        validation={"sizes": (5,), "graphs": 1, "every": 2},
    )


class Heard(Callback):
    def __init__(self) -> None:
        self.heard: list[tuple[str, float]] = []

    def on_begin(self, run):
        self.heard.append(("begin", run.counters.iteration))

    def on_iteration(self, run, row):
        assert {"steps", "seconds", "policy_loss", "return"} <= row.keys()
        self.heard.append(("iteration", row["iteration"]))

    def on_evaluation(self, run, row):
        assert "validation_gap" in row
        self.heard.append(("evaluation", row["iteration"]))

    def on_end(self, run):
        assert (run.directory / "policy.safetensors").exists()
        self.heard.append(("end", run.counters.iteration))


def test_callbacks_hear_each_iteration_each_evaluation_and_the_end(tmp_path: Path) -> None:
    heard, later = Heard(), Heard()
    gw.train("vertex-cover", config(12), tmp_path / "run", QUIET, callbacks=[heard])
    assert heard.heard == [
        ("evaluation", 0),
        ("begin", 0),
        ("iteration", 1),
        ("evaluation", 2),
        ("iteration", 2),
        ("evaluation", 3),
        ("iteration", 3),
        ("end", 3),
    ]
    gw.resume(tmp_path / "run", steps=16, console=QUIET, callbacks=[later])
    assert later.heard == [("begin", 3), ("evaluation", 4), ("iteration", 4), ("end", 4)]


def test_weights_and_biases_and_mlflow_are_told_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple] = []

    def note(name):
        def call(*args, **options):
            said.append((name, args, options))
            return SimpleNamespace(log=note("log"), finish=note("finish"))

        return call

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=note("init")))
    calls = ("set_experiment", "start_run", "log_params", "log_metrics", "end_run")
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(**{name: note(name) for name in calls}))
    watchers = [WeightsAndBiases("covers", mode="offline"), MLflow("covers")]
    gw.train("vertex-cover", config(8), tmp_path / "run", QUIET, callbacks=watchers)
    names = [name for name, *_ in said]
    assert names[:4] == ["init", "set_experiment", "start_run", "log_params"]
    assert names[4:] == ["log", "log_metrics"] * 2 + ["finish", "end_run"]
    begun, params = said[0][2], said[3][1][0]
    assert (begun["project"], begun["mode"], begun["name"]) == ("covers", "offline", "run")
    assert begun["config"]["encoder"]["width"] == params["encoder.width"] == 4
    assert [options["step"] for name, _, options in said if name == "log_metrics"] == [1, 2]


def test_what_is_not_installed_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    said = fails(capsys, "train", "vertex-cover", "--run", tmp_path / "run", "--watch", "wandb")
    assert "pip install wandb" in said
    assert not (tmp_path / "run").exists()
