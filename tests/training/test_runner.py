"""The one loop: what is evaluated when, which policy is kept, and what is written, with parts of a few lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from graphwright.algorithms.algorithm import Algorithm
from graphwright.training.checkpoint import CheckpointError, load_checkpoint
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.divergence import DivergenceError
from graphwright.training.evaluator import Evaluator, NoEvaluator
from graphwright.training.logging import MetricsFile
from graphwright.training.run_settings import RunText
from graphwright.training.runner import Runner

QUIET = Console(quiet=True)


class Counting(Algorithm):
    """Its only weight counts the updates; a loss is reported in every other one, the norm of a gradient never."""

    def __init__(self) -> None:
        self.policy = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.policy.weight)
        self.has_diverged = False

    def update(self, batch: int, progress: float) -> dict[str, Tensor]:
        with torch.no_grad():
            self.policy.weight += batch  # type: ignore[operator]
        loss = math.nan if self.has_diverged else 0.5
        return {"policy_loss": torch.tensor(loss)} if self.updates % 2 else {}

    @property
    def updates(self) -> int:
        return int(self.policy.weight)


class Ones(Collector):
    """Batches of one; remembers how many there were, and what was said of them."""

    def __init__(self) -> None:
        self.count = 0
        self.told: list[Mapping[str, Tensor]] = []

    def collect(self, policy: nn.Module) -> Collected:
        self.count += 1
        return Collected(1, 10, {"return": torch.tensor(float(self.count))})

    def after(self, metrics: Mapping[str, Tensor]) -> None:
        self.told.append(metrics)

    def state_dict(self) -> dict[str, Tensor]:
        return {"count": torch.tensor(self.count)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.count = int(state["count"])


class Distance(Evaluator):
    """How far the count is from five."""

    metric = "distance"

    def evaluate(self, policy: nn.Linear) -> dict[str, float]:
        return {"distance": abs(int(policy.weight) - 5.0)}


class Nearness(Distance):
    """The same, the higher the better."""

    better = "higher"

    def evaluate(self, policy: nn.Linear) -> dict[str, float]:
        return {"distance": -super().evaluate(policy)["distance"]}


@dataclass(frozen=True)
class Settings:
    seconds: float | None = None
    steps: int | None = 90
    checkpoint_seconds: float = 1e9


def run_in(directory: Path, evaluator: Evaluator, settings: Settings = Settings(), word: str = "same") -> Runner:
    text = RunText("{}\n", {"word": word}, "counting")
    return Runner(directory, settings, lambda: text, Ones(), Counting(), evaluator, torch.Generator())


@pytest.mark.parametrize("evaluator", [Distance, Nearness])
def test_the_best_policy_is_kept_by_the_evaluators_own_rhythm(evaluator: type[Evaluator], tmp_path: Path) -> None:
    """Every three of nine updates, and at the end: 0, 3, 6, 9 are seen, of which 6 is nearest to five."""
    run = run_in(tmp_path / "run", evaluator(every=3))
    run.begin(QUIET)
    assert run.counters.iteration == 9
    assert run.counters.best_iteration == 6
    tensors, info = load_checkpoint(tmp_path / "run" / "policy.safetensors")
    assert (tensors["weight"].item(), info["iteration"]) == (6.0, 6)
    rows = MetricsFile(tmp_path / "run" / "metrics.csv").rows()
    assert [row["iteration"] for row in rows if not math.isnan(row["distance"])] == [3, 6, 9]
    assert [math.isnan(row["policy_loss"]) for row in rows] == [False, True] * 4 + [False]
    assert isinstance(run.collector, Ones)
    assert len(run.collector.told) == 9


def test_without_an_evaluator_the_last_policy_is_left(tmp_path: Path) -> None:
    run = run_in(tmp_path / "run", NoEvaluator())
    run.begin(QUIET)
    tensors, info = load_checkpoint(tmp_path / "run" / "policy.safetensors")
    assert (tensors["weight"].item(), info["iteration"]) == (9.0, 9)


def test_a_run_that_ends_before_it_has_begun_to_learn_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Ones, "steps_before_learning", 40)
    run_in(tmp_path / "long", NoEvaluator()).begin(QUIET)
    assert caplog.messages == []
    run_in(tmp_path / "run", NoEvaluator(), Settings(steps=20)).begin(QUIET)
    run_in(tmp_path / "run", NoEvaluator(), Settings(steps=30)).resume(QUIET)
    assert caplog.messages == ["--steps 20: --warm-up plays 40 before the first update, so that the run is as long"]


def test_a_run_goes_on_where_its_checkpoint_is(tmp_path: Path) -> None:
    first = run_in(tmp_path / "run", Distance(every=3), Settings(steps=40))
    first.begin(QUIET)
    second = run_in(tmp_path / "run", Distance(every=3))
    second.resume(QUIET)
    assert second.counters.iteration == 9
    assert isinstance(second.collector, Ones)
    assert second.collector.count == 9
    assert second.counters.best == 1.0
    with pytest.raises(CheckpointError, match="was written with other settings"):
        run_in(tmp_path / "run", Distance(every=3), word="other").resume(QUIET)


def test_checkpoints_have_a_rhythm_of_their_own(tmp_path: Path) -> None:
    often = run_in(tmp_path / "often", NoEvaluator(), Settings(checkpoint_seconds=0.0))
    seldom = run_in(tmp_path / "seldom", NoEvaluator())
    counts = []
    for run in (often, seldom):
        saved = []
        save = run.save
        run.save = lambda save=save, saved=saved: (saved.append(1), save())[1]  # type: ignore[method-assign, misc]
        run.begin(QUIET)
        counts.append(len(saved))
    assert counts == [1 + 9 + 1, 1 + 1]


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_the_checkpoint(tmp_path: Path) -> None:
    run = run_in(tmp_path / "run", NoEvaluator(), Settings(steps=20))
    run.begin(QUIET)
    before = (tmp_path / "run" / "trainer.safetensors").read_bytes()
    again = run_in(tmp_path / "run", NoEvaluator(), replace(Settings(), steps=90))
    assert isinstance(again.algorithm, Counting)
    again.algorithm.has_diverged = True
    with pytest.raises(DivergenceError, match=r"update 3; train anew, .* with a lower --counting\.learning-rate"):
        again.resume(QUIET)
    assert (tmp_path / "run" / "trainer.safetensors").read_bytes() == before


def test_a_checkpoint_of_another_version_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("graphwright.training.checkpoint.FORMAT", "0.1")
        run_in(tmp_path / "run", NoEvaluator()).begin(QUIET)
    with pytest.raises(CheckpointError, match="is from another version of Graphwright") as caught:
        run_in(tmp_path / "run", NoEvaluator()).resume(QUIET)
    assert "\n" not in str(caught.value)
