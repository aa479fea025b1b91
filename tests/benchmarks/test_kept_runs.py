"""A kept run is worked out once, whoever asks at the same time, and anew where it was broken off."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LEARNING = Path(__file__).parents[2] / "benchmarks" / "learning"


@pytest.fixture
def once() -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location("kept_runs_of_benchmarks", LEARNING / "kept_runs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module.once
    del sys.modules[spec.name]


def test_of_two_that_ask_for_the_same_run_the_second_waits_for_the_first(once: Any, tmp_path: Path) -> None:
    worked: list[Path] = []
    found: list[Any] = []

    def work(directory: Path) -> dict[str, float]:
        directory.mkdir()  # fails where somebody else is at work there
        worked.append(directory)
        time.sleep(0.05)
        return {"policy": 1.5}

    asking = [threading.Thread(target=lambda: found.append(once(tmp_path / "run-0.5", work))) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert worked == [tmp_path / "run-0.5"]
    assert found == [{"policy": 1.5}] * 4


def test_a_run_that_was_broken_off_begins_anew(once: Any, tmp_path: Path) -> None:
    def broken(directory: Path) -> int:
        directory.mkdir()
        (directory / "half").touch()
        raise KeyboardInterrupt

    def whole(directory: Path) -> int:
        assert not directory.exists()
        return 7

    with pytest.raises(KeyboardInterrupt):
        once(tmp_path / "run", broken)
    assert once(tmp_path / "run", whole) == 7
    assert once(tmp_path / "run", broken) == 7
