"""Compiling is said to be what is done, is timed once, and what it interrupted is what is done again."""

from __future__ import annotations

import logging

import pytest

from graphwright.core.doing import now
from graphwright.core.kernels.compiling import WATCH, Watch
from graphwright.core.kernels.jit import Kernel


def test_a_kernel_that_another_calls_is_no_second_time(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch()
    with caplog.at_level(logging.INFO, "graphwright"):
        now("50 nodes: policy")
        watch.begin()
        watch.begin()
        watch.end()
        assert watch.seconds == 0
        watch.end()
    said = [record.getMessage() for record in caplog.records]
    assert said == ["50 nodes: policy", "compiling, which is kept for the next time", "50 nodes: policy"]
    assert watch.seconds > 0


def test_numba_is_heard() -> None:
    before = WATCH.seconds
    kernel = Kernel(_next)._compile(cache=False)
    assert WATCH.seconds == before  # nothing is compiled before it is called
    assert kernel(2) == 3
    assert WATCH.seconds > before


def _next(x: int) -> int:
    return x + 1
