"""Learning curves: what a run logged, against its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graphwright.drawing.style import ACCENT, EDGE, GREY, INK, new_figure, save_figure, simplify

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, float]]
"""One mapping a logged update, from the names of metrics to their values; NaN where one was not measured."""
_LEAST = 1e-12  # what a logarithmic axis shows in place of zero


def plot_validation(
    rows: Rows, metric: str, label: str, path: Path, rule: tuple[str, float] | None = None, scale: float = 1.0
) -> None:
    """Return, and what was measured on the validation instances, as a PNG; nothing without rows.

    metric: its column, shown `scale` times and called `label`. rule: a simple one's name and what it comes to.
    """
    if not rows:
        return
    figure, left, right = _two_panels()
    steps, returns, found = (_column(rows, name) for name in ("steps", "return", metric))
    left.plot(steps, returns, color=EDGE, linewidth=1)
    left.plot(steps, smooth(returns), color=INK, linewidth=1.6)
    left.set(xlabel="environment steps", ylabel="return of training episodes")
    measured = ~np.isnan(found)
    shown = scale * found[measured]
    right.plot(steps[measured], shown, color=ACCENT, marker="o", markersize=3, linewidth=1.4, label="policy")
    if rule is not None:
        right.axhline(scale * rule[1], color=INK, linestyle="--", linewidth=1.2, label=rule[0])
        right.legend(frameon=False)
    right.set(xlabel="environment steps", ylabel=f"validation: {label}")
    right.set_ylim(bottom=min(0.0, shown.min(initial=0.0)))
    save_figure(figure, path)


def plot_flow_curve(rows: Rows, path: Path) -> None:
    """Loss, and total variation from R / Z or else the mean log R, as a PNG; nothing without rows."""
    if not rows:
        return
    figure, left, right = _two_panels()
    steps, loss, distance = (_column(rows, name) for name in ("steps", "loss", "total_variation"))
    left.plot(steps, smooth(np.maximum(loss, _LEAST)), color=INK, linewidth=1.6)
    left.set(xlabel="trajectories", ylabel="loss", yscale="log")
    measured = ~np.isnan(distance)
    if measured.any():
        right.plot(steps[measured], np.maximum(distance[measured], _LEAST), color=ACCENT, marker="o", markersize=3)
        right.set(xlabel="trajectories", ylabel="total variation from R / Z", yscale="log")
    else:
        right.plot(steps, smooth(_column(rows, "return")), color=ACCENT, linewidth=1.6)
        right.set(xlabel="trajectories", ylabel="mean log R of training objects")
    save_figure(figure, path)


def plot_returns(rows: Rows, path: Path, references: dict[str, float] | None = None) -> None:
    """Mean return of the training episodes that ended, as a PNG.

    references: name → a mean return to compare with, a horizontal line each.
    """
    steps, returns = _column(rows, "steps"), _column(rows, "return")
    ended = ~np.isnan(returns)
    figure = new_figure(5.5, 3.2)
    axes = figure.add_subplot()
    axes.plot(steps[ended], returns[ended], color=INK, linewidth=1.4, label="policy, while training")
    for (name, value), style in zip((references or {}).items(), ("--", ":", "-."), strict=False):
        axes.axhline(value, color=ACCENT, linestyle=style, linewidth=1.2, label=name)
    axes.set(xlabel="environment steps", ylabel="return of an episode")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, path)


def plot_comparison(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]], metric: str, path: Path
) -> None:
    """A line for each name, as a picture: steps, middle, ends of its interval, [P] each; NaN where there is none."""
    figure = new_figure(7.2, 4.2)
    axes = figure.add_subplot()
    simplify(axes)
    colours = (ACCENT, INK, "#2a9d8f", "#7b5ea7", "#c58b00", GREY)
    for number, (name, (steps, middle, low, high)) in enumerate(curves.items()):
        colour = colours[number % len(colours)]
        line = "-" if number < len(colours) else "--"
        point = "o" if steps[0] == steps[-1] else None  # measured once
        axes.plot(steps, middle, color=colour, linewidth=1.6, label=name, linestyle=line, marker=point)
        axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="environment steps", ylabel=metric.replace("_", " "))
    axes.legend(frameon=False, fontsize=9)
    save_figure(figure, path)


def smooth(values: np.ndarray, window: int = 5) -> np.ndarray:
    """The trailing mean of the last `window` values [n] that are not NaN; NaN where all of them are."""
    known = ~np.isnan(values)
    total, count = np.cumsum(np.where(known, values, 0)), np.cumsum(known)
    total[window:] -= total[:-window].copy() if len(values) > window else 0
    count[window:] -= count[:-window].copy() if len(values) > window else 0
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _column(rows: Rows, name: str) -> np.ndarray:
    """[n] float64; NaN where a row lacks the metric."""
    return np.array([row.get(name, np.nan) for row in rows])


def _two_panels() -> tuple[Figure, Axes, Axes]:
    from matplotlib.ticker import EngFormatter

    figure = new_figure(9, 3.2)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        simplify(axes)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    return figure, left, right
