"""`metrics.csv`: metrics may come and go, and what a crash left half-written never blocks a run."""

import errno
import math
from pathlib import Path

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from graphwright.training.divergence import has_diverged
from graphwright.training.logging import EventsFile, MetricsFile, RunLog


@pytest.fixture
def file(tmp_path):
    return MetricsFile(tmp_path / "metrics.csv")


def same(row, expected):
    assert row == pytest.approx(expected, nan_ok=True)
    return True


def test_a_metric_that_comes_late_is_a_new_column_and_shifts_none(file):
    file.append({"iteration": 1, "loss": 0.5})
    file.append({"iteration": 2, "loss": 0.25, "gap": 3})
    file.append({"iteration": 3, "extra": 7, "loss": 0.125})
    assert file.path.read_text() == "iteration,loss,gap,extra\n1,0.5,,\n2,0.25,3,\n3,0.125,,7\n"


def test_a_metric_that_is_absent_or_no_number_is_an_empty_cell(file):
    file.append({"iteration": 1, "loss": 0.5, "gap": math.nan})
    file.append({"iteration": 2})
    assert file.path.read_text() == "iteration,loss,gap\n1,0.5,\n2,,\n"
    first, second = file.rows()
    assert same(first, {"iteration": 1, "loss": 0.5, "gap": math.nan})
    assert same(second, {"iteration": 2, "loss": math.nan, "gap": math.nan})


def test_columns_are_found_again_by_another_process(file):
    file.append({"iteration": 1, "loss": 0.5, "gap": 2})
    MetricsFile(file.path).append({"gap": 4, "iteration": 2})
    assert file.path.read_text() == "iteration,loss,gap\n1,0.5,2\n2,,4\n"


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        ("", None),  # an empty file
        ("itera", None),  # half a header
        ("iteration,loss\n", None),  # a header alone
        ("iteration,loss\n1,0.5\n2", "iteration,loss\n1,0.5\n"),  # half a row
        ("iteration,loss\n1,0.5\n2,0.2", "iteration,loss\n1,0.5\n"),  # a row that may not be whole
        ("iteration,loss\n1,0.5\n2\n", "iteration,loss\n1,0.5\n"),  # a row that is too short
        ("iteration,loss\n1,0.5\n\0\0\0\n", "iteration,loss\n1,0.5\n"),  # what a power cut leaves
        ("iteration,loss\r\n1,0.5\r\n2,0.1\r", "iteration,loss\n1,0.5\n"),
        ("iteration,loss\n1,0.5\n2,0.2\n3,0.1\n", "iteration,loss\n1,0.5\n2,0.2\n"),  # later than the checkpoint
    ],
)
def test_what_is_not_whole_is_cut_back(left, kept, tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_bytes(left.encode())
    with RunLog(tmp_path, 2, Console(quiet=True)) as log:
        assert (path.read_text() if path.exists() else None) == kept
        log.write({"iteration": 3, "loss": 0.0}, 1.0, "")
    assert path.read_text() == (kept or "iteration,loss\n") + "3,0\n"


def test_a_loss_or_the_norm_of_a_gradient_that_is_not_finite_is_divergence():
    for name in ("loss", "policy_loss", "grad_norm", "critic_grad_norm"):
        assert has_diverged({"return": 1.0, name: math.nan})
        assert has_diverged({name: math.inf})
    assert not has_diverged({"return": math.nan, "explained_variance": -math.inf, "loss": 1.0})
    assert not has_diverged({})


def test_tensorboard_reads_the_scalars_and_forgets_what_a_resumed_run_does_again(tmp_path):
    first = EventsFile(tmp_path, 1)
    first.append(1, {"loss": 0.5, "gap": math.nan})
    first.append(2, {"loss": 0.25, "gap": 3.0})
    first.append(3, {"loss": 99.0})
    EventsFile(tmp_path, 3).append(3, {"loss": 0.125})
    read = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert [(event.step, event.value) for event in read.Scalars("gap")] == [(2, 3.0)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_of_the_file_of_events(tmp_path):
    file = EventsFile(tmp_path, 1)
    file.path = Path("/dev/full")
    with pytest.raises(OSError, match="/dev/full") as error:
        file.append(1, {"loss": 0.5})
    assert error.value.errno == errno.ENOSPC
