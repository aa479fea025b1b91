"""Reward workers: the same rewards as without them, whatever becomes of them."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.workers.reward_workers import RewardError, RewardWarning, RewardWorkers
from strategies import ragged_batches
from workers.reward_functions import FailsToLoad, faulty, fingerprint, label, slow_label, wrong_shape

by_three_workers = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def labelled(count: int, start: int = 0, nodes: int = 3) -> GraphBatch:
    """`count` graphs without edges, with the columns `label` 0, 1, ... and `x`."""
    sizes = torch.full((count,), nodes)
    columns = {"x": torch.randn(count * nodes, 4)}
    graphs = {"label": torch.arange(start, start + count)}
    return from_edges(torch.empty(2, 0, dtype=torch.int64), sizes, undirected=False, nodes=columns, graphs=graphs)


def rewards(workers: RewardWorkers, count: int, start: int = 0) -> list[int]:
    found = workers(labelled(count, start))
    assert found.dtype == torch.float64
    return found.tolist()


@pytest.fixture(scope="module")
def roomy() -> Iterator[RewardWorkers]:
    with RewardWorkers(fingerprint, 3, num_objectives=3) as workers:
        yield workers
        assert workers.num_messages == workers.num_failures == 0


@pytest.fixture(scope="module")
def cramped() -> Iterator[RewardWorkers]:
    with RewardWorkers(fingerprint, 3, num_objectives=3, buffer_bytes=200) as workers:
        yield workers
        assert workers.num_messages > 0
        assert workers.num_failures == 0


def check_same(workers: RewardWorkers, batches: list[GraphBatch], order: list[int]) -> None:
    """What is collected in any order is what the function gives."""
    with RewardWorkers(fingerprint, 0, num_objectives=3) as local:
        expected = [local(batch) for batch in batches]
    for batch, rewards in zip(batches, expected, strict=True):
        assert rewards.shape == (batch.num_graphs, 3)
    futures = [workers.submit(batch) for batch in batches]
    for place in order:
        torch.testing.assert_close(workers.collect(futures[place]), expected[place], rtol=0, atol=0)


several = st.lists(ragged_batches(graphs=(0, 8)), min_size=1, max_size=5).flatmap(
    lambda batches: st.tuples(st.just(batches), st.permutations(range(len(batches))))
)


@by_three_workers
@given(several)
def test_workers_change_nothing(roomy: RewardWorkers, drawn: tuple[list[GraphBatch], list[int]]) -> None:
    """Empty batches, fewer graphs than workers, graphs without nodes, directed or not, collected in any order."""
    check_same(roomy, *drawn)


@by_three_workers
@given(several)
def test_small_buffers_change_nothing(cramped: RewardWorkers, drawn: tuple[list[GraphBatch], list[int]]) -> None:
    check_same(cramped, *drawn)


def test_messages_larger_than_any_pipe_pass_in_both_directions() -> None:
    """Where rewards and states are sent as messages, neither side waits for the other to read."""
    with RewardWorkers(label, 1, buffer_bytes=64, time_limit=20) as workers:
        batches = [labelled(40_000, start, nodes=1) for start in range(6)]
        futures = [workers.submit(batch) for batch in batches]
        for batch, future in zip(batches, futures, strict=True):
            assert bool((workers.collect(future) == batch.graphs["label"]).all())


def test_submitting_does_not_wait() -> None:
    with RewardWorkers(slow_label, 2) as workers:
        begin = time.monotonic()
        futures = [workers.submit(labelled(4)) for _ in range(2)]
        assert time.monotonic() - begin < 0.25
        assert [workers.collect(future).tolist() for future in reversed(futures)] == [[0, 1, 2, 3]] * 2
        assert workers.collect(futures[0]).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise", r"ArithmeticError: no such molecule"),
        ("exit", r"ended with exit code 7"),
        ("hang", r"no answer within 3 s"),
    ],
)
def test_a_worker_that_fails_once_costs_a_warning(fault: str, reason: str, tmp_path: Path) -> None:
    """Shares that wait behind the one that failed are computed too, from states that the failure has not touched."""
    function = partial(faulty, fault=fault, flag=str(tmp_path / "flag"), bad=5)
    with RewardWorkers(function, 2, time_limit=3 if fault == "hang" else 60) as workers:
        futures = [workers.submit(labelled(6, start)) for start in (0, 10)]
        with pytest.warns(RewardWarning, match=rf"graphs 3 to 5 of batch 0 are computed again: {reason}$"):
            assert workers.collect(futures[1]).tolist() == [10, 11, 12, 13, 14, 15]
        assert workers.collect(futures[0]).tolist() == [0, 1, 2, 3, 4, 5]
        assert workers.num_failures == 1


def test_a_batch_that_fails_twice_is_named_and_costs_no_other(tmp_path: Path) -> None:
    with RewardWorkers(partial(faulty, fault="raise", flag="", bad=5), 2) as workers:
        good, bad, other = labelled(4), labelled(5, 3), labelled(4, 20)
        futures = [workers.submit(batch) for batch in (good, bad, other)]
        with (
            pytest.warns(RewardWarning),
            pytest.raises(
                RewardError,
                match=r"^the rewards of graphs 2 to 4 of batch 1 failed twice: ArithmeticError: no such mol",
            ) as caught,
        ):
            workers.collect(futures[1])
        assert "\n" not in str(caught.value)
        assert "in write_and_fail" in "".join(traceback.format_exception(caught.value))
        assert workers.collect(futures[0]).tolist() == [0, 1, 2, 3]
        assert workers.collect(futures[2]).tolist() == [20, 21, 22, 23]
        assert rewards(workers, 3) == [0, 1, 2]


def test_rewards_of_a_wrong_shape_are_refused() -> None:
    message = r"wrong_shape gave rewards of shape \[2, 2\]; they must be \[2\]"
    with RewardWorkers(wrong_shape, 0) as workers, pytest.raises(ValueError, match=message):
        workers(labelled(2))
    with (
        RewardWorkers(wrong_shape, 1) as workers,
        pytest.warns(RewardWarning),
        pytest.raises(RewardError, match=message),
    ):
        workers(labelled(2))


def test_functions_that_cannot_be_sent_are_refused() -> None:
    with pytest.raises(TypeError, match=r"<lambda> cannot be sent to workers; define it in a module"):
        RewardWorkers(lambda states: states.graphs["label"], 1)
    before = set(multiprocessing.active_children())
    with pytest.raises(RewardError, match=r"could not start: invalid literal .*no number"):
        RewardWorkers(FailsToLoad(), 1)
    assert set(multiprocessing.active_children()) <= before


def test_closing_ends_the_processes_and_may_be_repeated() -> None:
    before = set(multiprocessing.active_children())
    with RewardWorkers(slow_label, 2) as workers:
        assert rewards(workers, 5) == [0, 1, 2, 3, 4]
        assert len(set(multiprocessing.active_children()) - before) == 2
        future = workers.submit(labelled(4))
        workers.close()
        workers.close()
        assert set(multiprocessing.active_children()) <= before
        for refused in (partial(workers.collect, future), partial(workers.submit, labelled(1))):
            with pytest.raises(RewardError, match="closed"):
                refused()


def test_the_traceback_of_a_worker_that_hangs_is_shown_under_what_it_says() -> None:
    with (
        RewardWorkers(partial(faulty, fault="hang", flag="", bad=0), 1, time_limit=0.5) as workers,
        pytest.warns(RewardWarning),
        pytest.raises(RewardError, match=r"failed twice: no answer within 0.5 s$") as caught,
    ):
        workers(labelled(1))
    assert "in faulty" in "".join(traceback.format_exception(caught.value))
