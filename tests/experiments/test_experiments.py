"""Experiments: what they count is right, and a short run of each leaves a table and a figure."""

from __future__ import annotations

import csv
import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from graphwright.cli import main
from graphwright.experiments import architectures
from graphwright.experiments.architectures import corrected_config, faithful_config
from graphwright.experiments.experiment import ExperimentOptions
from graphwright.experiments.permutation import count_distinct
from graphwright.experiments.registry import find_experiment
from graphwright.experiments.report import Report, spell
from graphwright.experiments.runs import Job, side_by_side, train_all
from graphwright.training.checkpoint import TRAINER_FILE, load_checkpoint, without_prefix
from graphwright.training.collectors.steps import StepsConfig
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.networks import make_policy
from graphwright.training.statistics import Interval, bootstrap_ratio, interquartile_mean, stratified_interval
from graphwright.training.validation import ValidationConfig

QUIET = Console(quiet=True)
SMALL: dict[str, Any] = {
    "validation": ValidationConfig(sizes=(5,), graphs=2),
    "collection": StepsConfig(sizes=(5,), num_envs=2, num_steps=32),
}
"""The settings of a published run, but of one that learns from next to nothing, and is evaluated on it."""


def quick(steps: int) -> TrainConfig:
    return replace(corrected_config("gcn", 0, steps), **SMALL)


def test_the_interquartile_mean_leaves_a_quarter_out_at_each_end() -> None:
    """Of 8 scores the middle 4; of 5 (a quarter of which is 1) the middle 3; of 3 all."""
    assert interquartile_mean(np.array([9, 1, 2, 3, 4, 5, 100, -7.0])) == (2 + 3 + 4 + 5) / 4
    assert interquartile_mean(np.array([[10.0, 1], [2, 3], [99, 4]])) == pytest.approx((2 + 3 + 4 + 10) / 4)
    assert interquartile_mean(np.array([5.0, 1, 2, 3, 90])) == pytest.approx(10 / 3)
    assert interquartile_mean(np.array([0.0, 6, 3])) == 3


def test_the_stratified_interval_resamples_each_task_on_its_own() -> None:
    """Runs that are alike leave no spread, however different the tasks; 95 % intervals hold the truth that often."""
    same = np.array([[1.0, 50.0]] * 4)
    assert stratified_interval(same) == (25.5, 25.5, 25.5)
    generator = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        interval = stratified_interval(generator.normal(3.0, 1.0, (20, 4)), resamples=200, seed=seed)
        hits += interval.low <= 3.0 <= interval.high
    assert 174 <= hits <= 199


def test_a_single_run_or_graph_has_no_interval() -> None:
    one = stratified_interval(np.array([[2.0, 4.0, 6.0, 8.0]]))
    assert (one.value, one.span(), one.text(1)) == (5, "", "5.0")
    ratio = bootstrap_ratio(torch.tensor([3.0]), torch.tensor([2.0]))
    assert (ratio.value, ratio.span()) == (1.5, "")
    assert bootstrap_ratio(torch.tensor([3.0, 3.0]), torch.tensor([2.0, 2.0])).text(2) == "1.50 (1.50 to 1.50)"


def test_large_numbers_are_written_like_the_ends_of_their_intervals() -> None:
    assert Interval(-12345.0, -23456.5, 1234.0).text(1) == "-12,345.0 (-23,456.5 to 1,234.0)"


def test_outputs_are_counted_up_to_rounding() -> None:
    assert count_distinct(torch.tensor([1.0, 1.0 + 1e-6, 2.0, 1.0 - 1e-6, 5.0])) == 3
    assert count_distinct(torch.tensor([0.5])) == 1


def test_a_graph_network_gives_one_answer_to_all_numberings(tmp_path) -> None:
    report = find_experiment("permutation")(ExperimentOptions(seeds=1, out=tmp_path), QUIET)
    found = {(row[0], row[1]): row[4] for row in report.rows}
    assert found["GNN", 5] == found["GNN", 6] == 1
    assert found["MLP", 5] > 60
    assert found["MLP", 6] > 300


def test_a_report_is_a_table_twice_and_a_figure(tmp_path) -> None:
    report = Report("Title", ["Note."], ["name", "x"], [["a", 1.23456], ["b", 2]], lambda figure: figure.subplots())
    paths = report.write(tmp_path / "new", "report")
    assert list(csv.reader(paths[0].open())) == [["name", "x"], ["a", "1.23456"], ["b", "2"]]
    assert paths[1].read_text().splitlines()[2:6] == ["| name | x |", "| --- | ---: |", "| a | 1.2346 |", "| b | 2 |"]
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    assert [spell(cell) for cell in (12345, 1234.5, "x")] == ["12,345", "1,234.50", "x"]


def test_a_finished_run_is_used_again_and_other_settings_are_refused(tmp_path) -> None:
    job = Job("GCN", "vertex-cover", quick(1))
    first, again = (train_all([job], tmp_path, 1, QUIET)[0] for _ in range(2))
    assert first.seconds == again.seconds > 0
    for one, other in zip(first.agent.policy.parameters(), again.agent.policy.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ConfigError, match="other settings"):
        train_all([Job("GCN", "vertex-cover", quick(2))], tmp_path, 1, QUIET)


def test_it_is_said_how_many_runs_are_over(caplog) -> None:
    with caplog.at_level(logging.INFO, logger="graphwright"):
        assert list(side_by_side(pow, [(2, 3), (3, 2)], 1)) == [8, 9]
    assert caplog.messages == [
        "training: 2 runs, 1 at a time",
        "training: 1 of 2 runs are over",
        "training: 2 of 2 runs are over",
        "evaluating what was trained",
    ]


def test_what_a_job_leaves_untrained_does_not_move(tmp_path) -> None:
    job = Job("frozen", "vertex-cover", quick(1), untrained=("actor",))
    train_all([job], tmp_path, 1, QUIET)
    trained = without_prefix("algorithm.policy", load_checkpoint(tmp_path / "frozen-0" / TRAINER_FILE)[0])
    for name, parameter in make_policy(job.config, torch.device("cpu")).named_parameters():
        assert torch.equal(parameter, trained[name]) == name.startswith("actor"), name


def test_the_command_writes_what_it_says(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(architectures, "NAMES", {"sage": "GraphSAGE"})
    monkeypatch.setattr(architectures, "PUBLISHED", {"sage": 5.82})
    monkeypatch.setattr(architectures, "_FAITHFUL_PPO", replace(architectures._FAITHFUL_PPO, epochs=1))
    monkeypatch.setattr(architectures, "faithful_config", lambda *of: replace(faithful_config(*of), **SMALL))
    options = ["--seeds", "1", "--scale", "0.0005", "--workers", "1", "--mode", "faithful", "--out", str(tmp_path)]
    main(["reproduce", "architectures", *options])
    assert "optimum" in capsys.readouterr().out
    assert {path.suffix for path in tmp_path.glob("architectures-faithful.*")} == {".csv", ".md", ".png"}


def test_an_unknown_experiment_is_one_line(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["reproduce", "everything"])
    assert "permutation" in capsys.readouterr().err
