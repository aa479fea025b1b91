"""The settings that a run begins with: general ones, and what its problem says of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graphwright.envs.registry import find_problem
from graphwright.training.config import TrainConfig

SAID = {"ppo": {"learning_rate": 0.5, "clip": 0.25}, "mappo": {"learning_rate": 0.25}, "iql": {"discount": 0.75}}


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("ppo", {"learning_rate": 0.5, "clip": 0.25}),
        ("mappo", {"learning_rate": 0.25, "clip": 0.25}),  # its own word comes after that of what it is made of
        ("ippo", {"learning_rate": 0.5, "clip": 0.25}),
        ("iql", {"discount": 0.75}),
        ("qmix", {"discount": 0.75}),
        ("central-v", {}),
    ],
)
def test_what_a_problem_says_of_an_algorithm_holds_for_those_made_of_it(
    algorithm: str, expected: dict[str, float]
) -> None:
    problem = find_problem("spread")
    plain = TrainConfig.for_problem(replace(problem, training={}), algorithm).settings
    told = TrainConfig.for_problem(replace(problem, training=SAID), algorithm).settings
    assert told == replace(plain, **expected)
