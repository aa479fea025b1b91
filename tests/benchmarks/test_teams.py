"""What the comparison of critics of teams says of its runs."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from graphwright.training.config import ConfigError

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "learning" / "teams.py"


@pytest.fixture(scope="module")
def teams() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT), run_name="teams")


def test_a_scripted_team_that_there_is_not_is_refused_before_anything_is_trained(
    teams: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="together"):
        teams["main"](teams["Options"](problem="foraging", runs=tmp_path / "runs", episodes=2))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("curve", "random", "steps"),
    [
        ([(10, -8.0), (20, -1.5), (30, 0.0), (40, -2.0)], -10.0, 30),  # -1 is nine tenths of the way
        ([(10, -8.0), (20, -0.9), (30, 0.0)], -10.0, 20),
        ([(10, -20.0), (20, -1.9), (30, 0.0)], -10.0, 20),  # from where it began, which was worse
        ([(10, -20.0), (20, -20.0)], -10.0, 10),  # nothing is learned
    ],
)
def test_most_of_the_way_is_from_random_choice_to_the_best(
    teams: dict[str, Any], curve: list[tuple[int, float]], random: float, steps: int
) -> None:
    assert teams["steps_to_most"](curve, random) == steps


def test_only_critics_that_read_the_agents_side_by_side_have_places(teams: dict[str, Any]) -> None:
    options = teams["Options"](agents=2, steps=1000)
    for name in teams["ALGORITHMS"]:
        settings = options.config(name, 0).settings
        read = getattr(settings, "inputs", "pooled"), getattr(settings, "max_agents", None)
        assert read == ("concatenated", 2) if "concatenated" in name else read[0] == "pooled"
