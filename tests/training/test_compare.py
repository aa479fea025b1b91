"""Runs beside each other: which belong together, what is read of their curves, the table and the figure."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import graphwright as gw
from command_line import fails
from graphwright.cli.main import main
from graphwright.training.compare import compare, group_runs
from graphwright.training.config import ConfigError
from graphwright.training.config_json import to_json
from graphwright.training.logging import MetricsFile


def run(directory: Path, gaps: list[float], seed: int = 0, depth: int = 3, problem: str = "vertex-cover") -> Path:
    """A run directory whose validation gap was `gaps` at 100, 200, ... steps."""
    directory.mkdir()
    config = gw.TrainConfig.for_problem(problem, encoder={"depth": depth})
    (directory / "config.json").write_text(to_json(problem, replace(config, seed=seed)))
    metrics = MetricsFile(directory / "metrics.csv")
    for number, gap in enumerate(gaps, 1):
        metrics.append({"iteration": number, "steps": 100 * number, "validation_gap": gap, "return": -gap})
    return directory


def test_seeds_are_one_group_and_settings_are_several(tmp_path: Path) -> None:
    nan = math.nan
    places = [run(tmp_path / f"deep-{seed}", [0.4, nan, 0.1 * seed], seed) for seed in (1, 2, 3, 4)]
    places.append(run(tmp_path / "flat", [0.5, 0.3], depth=1))
    metric, (deep, flat) = compare(places)
    assert metric == "validation_gap"
    assert (len(deep.runs), len(flat.runs)) == (4, 1)
    assert deep.last.value == pytest.approx(0.25)  # the mean of the middle two
    assert deep.last.low < 0.25 < deep.last.high
    assert np.allclose(deep.curves[0], np.interp(deep.steps, [100, 300], [0.4, 0.1]))  # no steps between measurements
    assert (flat.steps[0], flat.steps[-1]) == (100, 200)
    assert (flat.last.value, math.isnan(flat.last.low)) == (0.3, True)


def test_what_is_measured_after_the_shortest_run_ends_does_not_count_at_the_end(tmp_path: Path) -> None:
    long, short = run(tmp_path / "long", [0.4, 0.3, 0.0], 1), run(tmp_path / "short", [0.4, 0.3], 2)
    _, (group,) = compare([long, short])
    assert (group.steps[-1], group.last.value) == (200, pytest.approx(0.3))


def test_runs_of_several_settings_are_one_group_where_they_are_named_together(tmp_path: Path) -> None:
    places = [run(tmp_path / "deep", [0.4, 0.2]), run(tmp_path / "flat", [0.4, 0.4], depth=1)]
    rows = {place: MetricsFile(place / "metrics.csv").rows() for place in places}
    group = group_runs(places, rows, "validation_gap")
    assert (group.curves.shape[0], group.last.value) == (2, pytest.approx(0.3))
    with pytest.raises(ConfigError, match="they share return, validation_gap"):
        group_runs(places, rows, "elo")


def test_what_a_run_has_only_a_column_for_is_not_what_runs_share(tmp_path: Path) -> None:
    """As the length of episodes, of which none has ended; it was once named among what they share."""
    some, none = run(tmp_path / "some", [0.4]), run(tmp_path / "none", [math.nan])
    with pytest.raises(ConfigError, match=r"measured return; they share nothing$"):
        compare([some, none], "return")


def test_the_command_prints_a_table_and_draws_the_curves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = [str(run(tmp_path / str(seed), [0.4, 0.1 * seed], seed)) for seed in (1, 2)]
    other = str(run(tmp_path / "tour", [0.4], problem="tour"))
    main(["compare", *places, "--picture", str(tmp_path / "curves.png")])
    assert "1 and 1 more" in capsys.readouterr().out
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    main(["compare", *places, "--json"])
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["runs"], row["value"]) == (places, pytest.approx(0.15))
    main(["compare", *places, "--metric", "return"])
    assert "-0.1500" in capsys.readouterr().out
    assert "they share return, validation_gap" in fails(capsys, "compare", *places, "--metric", "elo")
    assert "runs of tour and vertex-cover" in fails(capsys, "compare", *places, other)
    (tmp_path / "1" / "metrics.csv").unlink()
    assert "has no rows" in fails(capsys, "compare", places[0])
    assert "at least one RUN" in fails(capsys, "compare")


def test_nothing_that_a_run_names_is_imported(tmp_path: Path) -> None:
    """Learning curves are numbers: neither --trust nor the module is needed, nor is it run."""
    ran = tmp_path / "ran"
    (tmp_path / "stranger.py").write_text(f"open({str(ran)!r}, 'w')")
    places = [run(tmp_path / str(seed), [0.4, 0.1 * seed], seed) for seed in (1, 2)]
    for place in places:
        settings = json.loads((place / "config.json").read_text())
        named = {"problem": "stranger:OWN", "algorithm": "stranger:WAY", "encoder": {"layer": "stranger:Layer"}}
        (place / "config.json").write_text(json.dumps(settings | named))
    _, (group,) = compare(places)
    assert (group.last.value, ran.exists()) == (pytest.approx(0.15), False)


def test_runs_on_environments_of_others_are_compared(tmp_path: Path) -> None:
    places = [run(tmp_path / str(seed), [0.4, 0.1 * seed], seed) for seed in (1, 2)]
    for place in places:
        settings = json.loads((place / "config.json").read_text())
        del settings["problem"]
        (place / "config.json").write_text(json.dumps(settings))
    metric, (group,) = compare(places)
    assert (metric, len(group.runs)) == ("validation_gap", 2)


def test_what_is_no_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = run(tmp_path / "run", [0.4])
    (place / "config.json").write_text("[1]")
    assert "holds no settings of a run" in fails(capsys, "compare", str(place))
    (place / "config.json").write_text("{")
    assert "config.json: not JSON" in fails(capsys, "compare", str(place))
    (place / "config.json").write_text("{}")
    (place / "metrics.csv").write_text("iteration,return\n1,2\n")
    assert "has no rows" in fails(capsys, "compare", str(place))
    assert "holds no run" in fails(capsys, "compare", str(tmp_path / "nothing"))
