"""Benchmarks of speed run to their end, at their smallest scale: what is not run rots."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    yield
    torch.set_num_threads(1)


def script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", SPEED / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    limit = script("limit")
    limit.main(limit.Options(widths=(8,), batches=((4, 6),), repeats=1, json=True))
    found = json.loads(capsys.readouterr().out)
    assert found["iterations"][0]["update_ratio"] > 0
    small, large = found["memory"]
    assert (small["nodes"], large["nodes"]) == (15, 100)
    assert small["bytes"] < large["bytes"] < 2 * large["nodes"]
    limit.main(limit.Options(widths=(8,), batches=((4, 6),), repeats=1))
    assert "a transition of n = 100" in capsys.readouterr().out


def test_replay(capsys: pytest.CaptureFixture[str]) -> None:
    replay = script("replay")
    options = replay.Options(transitions=4, nodes=8, capacity=12, repeats=1)
    replay.main(options)
    assert capsys.readouterr().out.count("\n") == 4
    rows = [replay.measure(stored, options) for stored in replay.STORES]
    assert all(row.share > 0 and row.steady_bytes > 0 for row in rows)
