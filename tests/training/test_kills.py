"""A run survives: killed at any of its file operations it goes on to the same bits, and only one process trains it."""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

import graphwright as gw
from command_line import fails
from forked import Forked
from graphwright.cli.main import main
from graphwright.core.files import is_left_over
from graphwright.training.checkpoint import CheckpointError, load_checkpoint
from graphwright.training.config import ConfigError
from graphwright.training.directory import RUN_FILES, locked

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz" / "kills"
QUIET = Console(quiet=True)
SMALL = ("--steps", "8", "--sizes", "5", "--threads", "1", "--encoder.width", "4", "--encoder.depth", "1")
SMALL += ("--num-envs", "2", "--num-steps", "2", "--validation.graphs", "1", "--validation.sizes", "5")
LEFT = ".config.json.0123456789abcdef"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize(("runs", "stride"), [(["ppo", "replay"], 17), (["imitation", "self-play", "flow"], 29)])
def test_a_run_is_killed_at_every_file_operation_and_goes_on_to_the_same_bits(
    runs: list[str], stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "imitation" in runs:
        pytest.importorskip("ortools")
    monkeypatch.setattr(sys, "argv", ["kills", "--updates", "1", "--stride", str(stride), "--only", *runs])
    process = Forked(partial(runpy.run_path, str(SCRIPT.with_suffix(".py")), run_name="__main__"))
    output, error = process.communicate()
    assert process.returncode == 0, output + error
    lines = output.splitlines()
    assert [line.partition(":")[0] for line in lines] == runs
    assert all(int(line.split()[1]) >= 30 // stride for line in lines)


def policy(directory: Path) -> dict[str, list[float]]:
    tensors, _ = load_checkpoint(directory / "policy.safetensors")
    return {name: tensor.tolist() for name, tensor in tensors.items()}


def files(directory: Path) -> dict[str, bytes]:
    """What the files hold, but for the order in which checkpoints describe themselves."""
    return {path.name: path.read_bytes() * (path.suffix != ".safetensors") for path in directory.iterdir()}


def train(directory: Path, *more: str) -> None:
    main(["train", "vertex-cover", "--run", str(directory), *SMALL, *more])


def test_a_killed_run_without_a_checkpoint_begins_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tmp_path / "whole")
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_bytes((tmp_path / "whole" / "config.json").read_bytes())
    (run / LEFT).write_text("half")
    assert "resume" in fails(capsys, "train", "vertex-cover", "--run", run, *SMALL)
    assert "`graphwright resume" in fails(capsys, "evaluate", run)
    main(["resume", str(run)])
    assert (run / "config.json").read_bytes() == (tmp_path / "whole" / "config.json").read_bytes()
    assert policy(run) == policy(tmp_path / "whole")
    assert not (run / LEFT).exists()


def test_a_run_that_was_killed_before_it_wrote_anything_is_begun_by_train(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / LEFT).write_text("half")
    assert "holds no run; `graphwright train` begins one" in fails(capsys, "resume", tmp_path)
    train(tmp_path)
    assert not (tmp_path / LEFT).exists()


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".mine.0123456789abcdef").write_text("mine")
    said = fails(capsys, "train", "vertex-cover", "--run", tmp_path, *SMALL)
    assert "holds no run; name a new directory" in said
    assert "resume" not in said
    assert [path.name for path in tmp_path.iterdir()] == [".mine.0123456789abcdef"]


@pytest.mark.parametrize("options", [(), ("--steps", "5"), ("--agents", "7"), ("--threads", "2"), ("--device", "cpu")])
def test_a_finished_run_says_so_and_stays_as_it_was(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [word.replace("--sizes", "--agents") for word in SMALL]
    main(["train", "coverage", "--run", str(tmp_path / "run"), *small])
    before, learned = files(tmp_path / "run"), policy(tmp_path / "run")
    capsys.readouterr()
    main(["resume", str(tmp_path / "run"), *options])
    said = capsys.readouterr().err.replace("\n", "")
    assert "is at its end and stays as it was; a greater --steps or --seconds, in all, gives it a new end" in said
    assert files(tmp_path / "run") == before
    assert policy(tmp_path / "run") == learned


def test_a_run_whose_checkpoint_is_missing_does_not_begin_again(tmp_path: Path) -> None:
    """What it has learned would be lost."""
    train(tmp_path / "run")
    (tmp_path / "run" / "trainer.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"trainer\.safetensors"):
        gw.resume(tmp_path / "run", console=QUIET)


@pytest.mark.parametrize("text", ["", "iteration,loss", "iteration,loss\n1,0.5\n2,0.", "\0" * 100, "[1, 2]\n" * 3])
def test_half_a_table_blocks_nothing(text: str, tmp_path: Path) -> None:
    train(tmp_path / "run")
    (tmp_path / "run" / "metrics.csv").write_text(text)
    gw.resume(tmp_path / "run", steps=12, console=QUIET)
    assert gw.load(tmp_path / "run")


def test_a_table_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    train(tmp_path / "run")
    path = tmp_path / "run" / "metrics.csv"
    path.unlink()
    os.mkfifo(path)
    gw.resume(tmp_path / "run", steps=12, console=QUIET)
    assert path.read_text().startswith("iteration")


def test_two_processes_do_not_train_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tmp_path / "run")

    def hold() -> None:
        with locked(tmp_path / "run"):
            print("held", flush=True)
            sys.stdin.read()

    process = Forked(hold)
    assert process.stdout.readline() == "held\n"
    assert "another process trains this run" in fails(capsys, "resume", tmp_path / "run", "--steps", "12")
    main(["evaluate", str(tmp_path / "run"), "--sizes", "5", "--graphs", "1", "--time-limit", "0", "--json"])
    assert json.loads(capsys.readouterr().out)["problem"] == "vertex-cover"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    main(["resume", str(tmp_path / "run"), "--steps", "12"])


def test_two_processes_do_not_begin_one_run(tmp_path: Path) -> None:
    config = gw.TrainConfig.for_problem("vertex-cover", steps=1)
    with locked(tmp_path), pytest.raises(ConfigError, match="another process trains this run"):
        gw.train("vertex-cover", config, tmp_path, QUIET)
    assert not list(tmp_path.iterdir())


def test_what_is_left_over_is_told_by_its_name() -> None:
    assert is_left_over(Path(LEFT), RUN_FILES)
    for other in ("config.json", ".config.json", ".config.json.0123", f"{LEFT}0", ".other.0123456789abcdef", LEFT[1:]):
        assert not is_left_over(Path(other), RUN_FILES)
