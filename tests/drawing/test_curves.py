"""Learning curves are drawn from whatever rows there are."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from graphwright.drawing.curves import plot_flow_curve, plot_returns, plot_validation, smooth


def test_a_trailing_mean_passes_over_nan() -> None:
    nan = np.nan
    np.testing.assert_allclose(smooth(np.array([nan, 2.0, nan, 4.0, 6.0]), window=3), [nan, 2, 2, 3, 5])
    assert np.isnan(smooth(np.array([nan, 1.0, nan, nan]), window=2)).tolist() == [True, False, False, True]


def test_a_curve_that_arrives_at_zero_is_drawn(tmp_path: Path) -> None:
    rows = [{"steps": step, "loss": 0.0, "total_variation": 0.0, "return": 1.0} for step in (1.0, 2.0)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_flow_curve(rows, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000


@pytest.mark.parametrize("gap", [{}, {"validation_gap": 0.1}], ids=["never validated", "validated once"])
def test_metrics_that_appear_late_are_drawn(gap: dict[str, float], tmp_path: Path) -> None:
    rows = [{"steps": 1.0, "return": -3.0}, {"steps": 2.0, "return": -2.0, **gap}]
    plot_validation(rows, "validation_gap", "% worse than greedy", tmp_path / "curve.png")
    plot_returns(rows, tmp_path / "returns.png", {"random": -4.0})
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("curve.png", "returns.png"))


def test_a_run_without_rows_has_no_curve(tmp_path: Path) -> None:
    plot_validation([], "validation_gap", "", tmp_path / "curve.png")
    plot_flow_curve([], tmp_path / "curve.png")
    assert not list(tmp_path.iterdir())
