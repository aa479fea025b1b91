"""Figures of published experiments: lines over sizes or steps, and intervals beside references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GREY = "#7b8794"
_STYLES = ("-", ":", "--", "-.")


class Line(NamedTuple):
    """Values at some places, with the bounds of their intervals, if there are any."""

    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@dataclass(frozen=True)
class Panel:
    """Lines by their names.

    levels: name → value of a line across. ticks: words for 0, 1, ... on the axis of x. logarithmic: "x", "y" or "xy".
    """

    lines: Mapping[str, Line]
    xlabel: str
    ylabel: str
    levels: Mapping[str, float] = field(default_factory=dict)
    ticks: Sequence[str] = ()
    logarithmic: str = ""
    marker: str | None = "o"


def draw_panels(figure: Figure, panels: Sequence[Panel], columns: int = 1) -> None:
    """The panels side by side, the same name in the same colour, and a legend of so many columns in the first."""
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, panel in zip(row, panels, strict=True):
        _draw(axes, panel)
    row[0].legend(frameon=False, fontsize=8, ncols=columns)


def _draw(axes: Axes, panel: Panel) -> None:
    for place, (name, line) in enumerate(panel.lines.items()):
        colour = f"C{place}"
        axes.plot(line.x, line.y, marker=panel.marker, markersize=3, label=name, color=colour)
        if line.low is not None and line.high is not None:
            axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.2, linewidth=0)
    for style, (name, value) in zip(_STYLES, panel.levels.items(), strict=False):
        axes.axhline(value, color=_GREY, linewidth=0.9, linestyle=style, label=name)
    scales: dict[str, Any] = {f"{name}scale": "log" for name in panel.logarithmic}
    axes.set(xlabel=panel.xlabel, ylabel=panel.ylabel, **scales)
    if panel.ticks:
        axes.set_xticks(range(len(panel.ticks)), list(panel.ticks))
    elif "x" not in panel.logarithmic:
        axes.locator_params(axis="x", nbins=5)  # numbers of steps are long


def draw_intervals(
    figure: Figure,
    intervals: Mapping[str, tuple[float, float, float]],
    references: Mapping[str, float],
    xlabel: str,
    panels: Sequence[Panel] = (),
) -> None:
    """Name → value and its bounds, one below the other; references: name → value of a line down.

    panels: beside it, the same name in the same colour.
    """
    ratios = (1.4, *(1 for _ in panels))
    axes, *others = figure.subplots(1, 1 + len(panels), squeeze=False, gridspec_kw={"width_ratios": ratios})[0]
    for other, panel in zip(others, panels, strict=True):
        _draw(other, panel)
    for place, (value, low, high) in enumerate(intervals.values()):
        axes.errorbar(value, place, xerr=[[value - low], [high - value]], fmt="o", color=f"C{place}", capsize=3)
    for name, value in references.items():
        axes.axvline(value, color=_GREY, linewidth=0.9)
        axes.annotate(name, (value, 1.01), xycoords=("data", "axes fraction"), fontsize=8, rotation=30)
    axes.set_yticks(range(len(intervals)), list(intervals))
    axes.set(xlabel=xlabel, ylim=(-0.5, len(intervals) - 0.5))
    axes.invert_yaxis()
