"""Queueing networks: backlogs over time, against the load, and the network with its queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graphwright.drawing.layout import place_nodes
from graphwright.drawing.style import ACCENT, EDGE, GREY, INK, new_figure, save_figure, simplify

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLES = ((INK, "-"), (ACCENT, "-"), (GREY, "-"), (INK, "--"), (ACCENT, "--"), (GREY, "--"), (INK, ":"), (ACCENT, ":"))
_FEW = 400  # points of a line: of longer series the means of pieces are drawn


def plot_backlogs(series: Mapping[str, np.ndarray], path: Path, title: str = "") -> None:
    """Backlogs over time as a PNG: name of a policy → [slots], a line each."""
    figure = new_figure(7, 3.4)
    axes = figure.add_subplot()
    for (name, values), (color, line) in zip(series.items(), _styles(len(series)), strict=True):
        length = max(len(values) // _FEW, 1)
        cut = values[: len(values) // length * length].reshape(-1, length)
        slots = (np.arange(len(cut)) + 0.5) * length
        axes.plot(slots, cut.mean(1), color=color, linestyle=line, label=name, linewidth=1.3)
    _finish(axes, "slot", "backlog", title)
    save_figure(figure, path)


def plot_loads(loads: Sequence[float], means: Mapping[str, Sequence[float]], path: Path, title: str = "") -> None:
    """Mean backlogs [loads] of each policy against the load, on a logarithmic axis, as a PNG."""
    figure = new_figure(5.5, 3.6)
    axes = figure.add_subplot()
    for (name, values), (color, line) in zip(means.items(), _styles(len(means)), strict=True):
        axes.plot(loads, values, color=color, linestyle=line, marker="o", markersize=3, label=name, linewidth=1.4)
    axes.set_yscale("log")
    _finish(axes, "load", "mean backlog", title)
    save_figure(figure, path)


def draw_network(edges: np.ndarray, queue: np.ndarray, width: np.ndarray | None, path: Path, title: str = "") -> None:
    """A network with its queues as a PNG: nodes as large as what waits there, which is written into them.

    edges: [L, 2] int; queue: [N]; width: [L], of what links carry, or None.
    """
    from matplotlib.collections import LineCollection

    position, _ = place_nodes(edges, len(queue), None)
    figure = new_figure(6, 5)
    axes = figure.add_subplot()
    axes.set_axis_off()
    thick = np.ones(len(edges)) if width is None else width / max(float(np.max(width, initial=0)), 1e-12)
    axes.add_collection(LineCollection(position[edges], colors=EDGE, linewidths=0.6 + 3 * thick, zorder=1))
    share = queue / max(float(np.max(queue, initial=0)), 1.0)
    x, y = position.T
    axes.scatter(x, y, s=240 + 1400 * share, color=ACCENT, alpha=0.45, edgecolor="white", zorder=2)
    for node, place in enumerate(position):
        axes.annotate(f"{queue[node]:g}", tuple(place), ha="center", va="center", fontsize=9, color=INK, zorder=3)
    axes.margins(0.12)
    axes.set_title(title, loc="left", fontsize=12, color=INK, fontweight="bold")
    save_figure(figure, path)


def _styles(count: int) -> list[tuple[str, str]]:
    return [_STYLES[place % len(_STYLES)] for place in range(count)]


def _finish(axes: Axes, below: str, beside: str, title: str) -> None:
    simplify(axes)
    axes.set(xlabel=below, ylabel=beside)
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.legend(frameon=False, fontsize=9, loc="best")
