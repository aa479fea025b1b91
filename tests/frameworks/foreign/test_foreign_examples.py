"""The examples on third-party environments run, where their packages are there."""

from __future__ import annotations

import importlib.util
import re
import runpy
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


def load(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(specification)  # where dataclasses look for it
    specification.loader.exec_module(module)
    return module


def test_job_shop(tmp_path: Path, drawn_figures: None) -> None:
    pytest.importorskip("job_shop_lib")
    example = load("job_shop")
    options = example.Options(
        seconds=0.5, jobs=3, machines=3, test=2, num_envs=2, out=tmp_path / "curve.png", run=tmp_path / "run"
    )
    ratios = example.main(options)
    assert set(ratios) == {"policy", *example.RULES}
    assert all(1 <= ratio < 3 for ratio in ratios.values())
    assert options.out.stat().st_size > 1000


def test_job_shop_pays_the_makespan_and_shows_what_is_left() -> None:
    pytest.importorskip("job_shop_lib")
    example = load("job_shop")
    instance = example.draw(4, 3, 0)
    env = example.JobShop(4, 3, instance)
    shown, info = env.reset(seed=0)
    assert len(shown.nodes) == 12 + 3 + 4 + 1
    total, done = 0.0, False
    while not done:
        assert shown.edge_links.max() < len(shown.nodes)
        job_nodes = np.flatnonzero(info["action_mask"])
        assert (shown.nodes[job_nodes, example.FEATURES + 2] == 1).all()  # kind: job
        shown, reward, done, _, info = env.step(int(job_nodes[0]))
        total += reward * example.lower_bound(instance)
    assert len(shown.nodes) < 20
    assert round(-total) == env.env.current_makespan()


def test_the_constraints_have_a_pandas_that_grid2op_works_with() -> None:
    """Else the test below would be skipped wherever they are kept."""
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    (major,) = re.findall(r"^pandas==(\d+)\.", constraints, re.MULTILINE)
    assert int(major) < 3


def test_grid2op(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn_figures: None) -> None:
    grid2op = pytest.importorskip("grid2op")
    if int(version("pandas").split(".")[0]) >= 3:
        pytest.skip("pandapower 3.1 writes into arrays that pandas 3 keeps read-only")
    example = load("grid2op_topology")
    monkeypatch.setattr(grid2op, "make", copies(grid2op.make))  # to read the grid's files takes longer than all else
    options = example.Options(
        seconds=0.5, horizon=4, topologies=2, num_envs=1, test=1, out=tmp_path / "curve.png", run=tmp_path / "run"
    )
    survived = example.main(options)
    assert set(survived) == {"policy", "do nothing", "random"}
    grid = example.Grid(range(1), 4, 5)
    nothing, *choices = grid.choices
    assert all(choice != nothing and choice.impact_on_objects()["has_impact"] for choice in choices)
    grid.close()
    assert 0 <= survived["do nothing"] <= 4
    assert options.out.stat().st_size > 1000


def copies(make: Callable[..., Any]) -> Callable[..., Any]:
    """What is made once, and copied from then on."""
    made: list[Any] = []

    def make_or_copy(*arguments: Any, **options: Any) -> Any:
        made[:] = made or [make(*arguments, **options)]
        return made[0].copy()

    return make_or_copy


@pytest.mark.parametrize(
    ("name", "needs", "words", "said"),
    [
        ("job_shop", "job_shop_lib", ["--run", "there"], "there: exists already; name a new one, or `resume_foreign("),
        ("job_shop", "job_shop_lib", ["--jobs", "0"], "--jobs 0: give at least 1"),
        ("job_shop", "job_shop_lib", ["--out", "nowhere/a.png"], "--out nowhere"),
        ("grid2op_topology", "grid2op", ["--test", "5"], "--test 5: give 1 to 4"),
        ("padded_environment", "sb3_contrib", ["--steps", "1"], "--steps 1: give at least 128"),
        ("pettingzoo_team", "pettingzoo", ["--seconds", "-1"], "--seconds"),
    ],
)
def test_an_example_says_in_one_line_what_is_wrong(
    name: str,
    needs: str,
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip(needs)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "config.json").write_text("{}")
    monkeypatch.setattr(sys, "argv", [name, *words])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    error = capsys.readouterr().err
    assert (stop.value.code, error.count("\n")) == (2, 1)
    assert said in error


def test_a_team_of_pettingzoo_agents() -> None:
    returns = load("pettingzoo_team").main(0.5)
    assert set(returns) == {"policy", "random"}
    assert all(-10 < value < 20 for both in returns.values() for value in both)
