"""Runs of scripts and pages, small whatever they are asked to learn: what they learn is no concern of the tests."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from graphwright.training.config import TrainConfig

MOST: dict[str, Any] = {
    "encoder": {"width": 8, "depth": 1},
    "collection": {"num_envs": 16, "num_steps": 4, "num_states": 16, "num_instances": 4, "sources": {"forward": 16}},
    "validation": {"graphs": 2, "objects": 16, "games": 2},
}
"""Field of the settings → how much of it there is at most."""


def make_runs_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `TrainConfig.for_problem`, which all of them call, give no more than `MOST`."""
    large = TrainConfig.for_problem

    def small(*arguments: Any, **options: Any) -> Any:
        return limited(large(*arguments, **options), MOST)

    monkeypatch.setattr(TrainConfig, "for_problem", staticmethod(small))


def limited(config: Any, most: dict[str, Any]) -> Any:
    """A dataclass with the fields of `most`, those that it has, no larger than that."""
    changes = {}
    for name, limit in most.items():
        value = getattr(config, name, None)
        if value is not None:
            changes[name] = limited(value, limit) if isinstance(limit, dict) else min(value, limit)
    return dataclasses.replace(config, **changes)
