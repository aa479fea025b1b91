"""A sweep: what is drawn, that it goes on, that bad trials are stopped, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import fails
from graphwright.cli.main import main
from graphwright.cli.sweep import sweep_command
from graphwright.experiments.span import Span, parse_span
from graphwright.experiments.sweep import with_options
from graphwright.training.config import ConfigError, TrainConfig

SMALL = ("--steps", "16", "--sizes", "5", "--encoder.width", "4", "--encoder.depth", "1", "--threads", "1")
SMALL += ("--num-envs", "2", "--num-steps", "2", "--validation.graphs", "1", "--validation.sizes", "5")
OVER = ("--over", "encoder.depth=1..2", "ppo.learning-rate=1e-4..1e-2:log", "encoder.kind=gcn,gin", "num-envs=2..3")


def test_what_is_drawn() -> None:
    assert parse_span("encoder.depth=2..5") == Span("encoder.depth", 2, 5)
    assert parse_span("--ppo.learning-rate=1e-4..1e-2:log") == Span("ppo.learning-rate", 1e-4, 1e-2, True)
    assert parse_span("encoder.kind=gcn,gin") == Span("encoder.kind", choices=("gcn", "gin"))
    assert parse_span("encoder.depth=1,3,0.5").choices == (1, 3, 0.5)
    assert parse_span("encoder.residual=true,false").choices == (True, False)
    for wrong in ("depth", "=2..3", "a=", "a=5..2", "a=x..3", "a=0..1:log", "a=1..2:square", "a=1..inf"):
        with pytest.raises(ConfigError, match="--over"):
            parse_span(wrong)


def test_options_are_those_of_the_command_line() -> None:
    config = TrainConfig.for_problem("vertex-cover")
    found = with_options(config, {"encoder.depth": 7, "ppo.learning-rate": 0.5, "num-envs": 3, "seed": 4}, "ppo")
    assert (found.encoder.depth, found.settings.learning_rate) == (7, 0.5)
    assert (found.collection.num_envs, found.seed) == (3, 4)
    with pytest.raises(ConfigError, match="bread"):
        with_options(config, {"encoder.bread": 7}, "ppo")


def test_a_sweep_goes_on_where_it_was_and_says_what_mattered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    command = ["sweep", "vertex-cover", "--out", str(tmp_path / "sweep"), *SMALL, *OVER]
    main([*command, "--trials", "2"])
    assert "| trial | encoder.depth | ppo.learning-rate | encoder.kind | num-envs |" in capsys.readouterr().out
    main([*command, "--trials", "3"])
    output, error = capsys.readouterr()
    assert "1 of 1: trial-002" in error
    assert "All trials have the seed 0" in output
    assert "--seed 1 --seconds 600" in output
    assert (tmp_path / "sweep" / "report.md").read_text().strip() == output.strip()
    assert len(list((tmp_path / "sweep").glob("trial-*/config.json"))) == 3
    assert "other settings" in fails(capsys, *command, "--seed", "7")
    assert "--over" in fails(capsys, "sweep", "vertex-cover", "--out", tmp_path / "new", "--over", "encoder.bread=1..2")
    assert "such as --over" in fails(capsys, "sweep", "vertex-cover", "--out", tmp_path / "new")
    for over, said in {
        "encoder.kind=gcn,bogus,gin": "encoder.kind is 'bogus'; choose one of graphconv, ",
        "encoder.depth=-1..1": "depth -1",
        "encoder.depth=1..2 encoder.depth=1..3": "--over encoder.depth: is named twice",
    }.items():
        assert said in fails(capsys, "sweep", "vertex-cover", "--out", tmp_path / "new", "--over", *over.split())
    (tmp_path / "file").write_text("")
    words = ["--out", tmp_path / "file", "--over", "encoder.depth=1..2"]
    assert "file: is no folder" in fails(capsys, "sweep", "vertex-cover", *words)
    assert not (tmp_path / "new").exists()


def test_what_was_drawn_and_does_not_go_together_is_a_failed_trial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """gat has four heads, so that widths of 5 to 7 fail. No warning of Optuna's comes through."""
    pytest.importorskip("optuna")
    words = ["--out", str(tmp_path / "sweep"), *SMALL, "--encoder.kind", "gat", "--trials", "3"]
    main(["sweep", "vertex-cover", *words, "--over", "encoder.width=4..8", "encoder.residual=true,false"])
    output, error = capsys.readouterr()
    assert "3 of 3: trial-002" in error
    assert "Warning" not in error
    trials = [line for line in error.splitlines() if "of 3: " in line]
    failed = [any(f"(encoder.width {width}," in line for width in (5, 6, 7)) for line in trials]
    assert [": validation_gap " in line for line in trials] == [not each for each in failed]
    assert f"{sum(failed)} failed" in output


def test_a_sweep_has_a_folder_of_its_own_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "unknown option nope" in fails(capsys, "sweep", "vertex-cover", "--over", "nope=1..2")
    wrong = fails(capsys, "sweep", "independent-set", "--over", "ppo.epochs=1..2")
    assert "begin with 'reinforce', and --algorithm takes another" in wrong
    assert sweep_command(["vertex-cover"]).defaults.directory is None
