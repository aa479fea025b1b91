"""Beside which problems a linear policy stands in the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphwright.envs.registry import find_problem

LEARNING = Path(__file__).parents[2] / "benchmarks" / "learning"


def test_a_linear_policy_stands_wherever_what_is_chosen_has_a_linear_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(LEARNING)
    from linear import has_linear

    asked = "single-hop multipath conflict-graph conflict-graph-sequential multiclass patrol vertex-cover path-search "
    asked += "steiner-tree network-repair"
    assert all(has_linear(find_problem(name).environment.actions) for name in asked.split())
    without = "multi-hop grid-navigation graph-robustness locomotion"  # real numbers, whole graphs, pairs of nodes
    assert not any(has_linear(find_problem(name).environment.actions) for name in without.split())
