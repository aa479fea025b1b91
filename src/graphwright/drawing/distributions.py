"""Distributions, rewards and trade-offs of what a generative flow network samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from graphwright.drawing.style import ACCENT, EDGE, GREY, INK, legend_above, new_figure, simplify
from graphwright.functional.pareto import pareto_front

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = (ACCENT, "#2a6f97", "#6a994e", "#9a5bb5")
_MASS, _MOST_BARS = 0.999, 200
_SPAN, _BINS = 1e3, 40
LARGE = 1e6  # a reward that is easier to read as log R


def plot_distribution(target: np.ndarray, found: Mapping[str, np.ndarray]) -> Figure:
    """Probabilities of objects, by falling target: bars of `target` [n], marks of each of `found`, name → [n].

    The legend says how far each is from the target in total variation, ½ Σ |p − q| over all objects. Only those that
    hold 99.9 % of the target or of one of `found` are drawn, at most 200; of what is left out the label says how many
    objects, the legend how much probability.
    """
    from matplotlib.ticker import MaxNLocator

    shown = _likely([target, *found.values()])
    order = shown[np.argsort(-target[shown], kind="stable")]
    place = np.arange(len(order))
    figure = new_figure(9, 3.6)
    axes = figure.add_subplot()
    entries: list[Any] = [
        axes.bar(place, target[order], width=0.8, color=EDGE, label="target" + _share_shown(target, order))
    ]
    for color, (name, probability) in zip(_COLORS, found.items(), strict=False):
        variation = 0.5 * np.abs(probability - target).sum()
        label = f"{name}: total variation {variation:.3g}" + _share_shown(probability, order)
        entries.append(axes.scatter(place, probability[order], 14, color=color, linewidth=0, label=label))
    axes.set_ylim(bottom=0)
    count = f"{len(order)} of {len(target)}" if len(order) < len(target) else f"{len(order)}"
    axes.set(xlabel=f"{count} objects, the most likely first", ylabel="probability")
    axes.set_xlim(-0.6, len(order) - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_above(axes, handles=entries)
    simplify(axes)
    return figure


def plot_grid(tables: Mapping[str, np.ndarray]) -> Figure:
    """Heat maps of probabilities on a two-dimensional grid, name → [h, w], side by side with one scale of colours.

    The first coordinate runs to the right, the second upwards.
    """
    from matplotlib.ticker import MaxNLocator

    largest = max(float(table.max()) for table in tables.values())
    figure = new_figure(3.4 * len(tables) + 0.8, 3.7)
    row = figure.subplots(1, len(tables), squeeze=False)
    for axes, (name, table) in zip(row[0], tables.items(), strict=True):
        image = axes.imshow(table.T, origin="lower", cmap="magma_r", vmin=0, vmax=largest)
        axes.set_title(name, loc="left", fontsize=11, color=INK)
        axes.set(xlabel="first coordinate")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(8, integer=True))
        axes.tick_params(color=EDGE, labelcolor=GREY, labelsize=8)
        axes.spines[:].set_visible(False)
    row[0][0].set_ylabel("second coordinate")
    figure.colorbar(image, ax=list(row[0]), label="probability", shrink=0.9).outline.set_visible(False)
    return figure


def plot_rewards(log_rewards: Mapping[str, np.ndarray]) -> Figure:
    """Histograms of rewards, given log R, name → [n], as shares of the objects, with their means.

    Of log R where the greatest R is 1e6 or more, so also where it overflows, or where R spans more than a factor of
    1000 and log R fills no fewer bins: a floor of 1e-30 does not push all else into one.
    """
    figure = new_figure(7, 3.4)
    axes = figure.add_subplot()
    together = np.concatenate(list(log_rewards.values()))
    log = together.max() >= np.log(LARGE) or (
        np.ptp(together) > np.log(_SPAN) and _filled(together) >= _filled(np.exp(together))
    )
    values_of = {name: values if log else np.exp(values) for name, values in log_rewards.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(values_of.values())), _BINS)
    for color, (name, values) in zip(_COLORS, values_of.items(), strict=False):
        style: dict[str, Any] = {"bins": edges, "weights": np.full(len(values), 1 / len(values)), "color": color}
        axes.hist(values, histtype="stepfilled", alpha=0.25, **style)
        axes.hist(values, histtype="step", linewidth=1.4, label=f"{name}: mean {values.mean():.4g}", **style)
    axes.set(xlabel="log R" if log else "reward R", ylabel="share of objects")
    legend_above(axes)
    simplify(axes)
    return figure


def plot_pareto(points: np.ndarray, objectives: Sequence[str]) -> Figure:
    """Objectives of samples [n, K], larger is better, and their Pareto front; one panel for each pair of objectives.

    The front is that of all K objectives; of two, a staircase bounds what it dominates.
    """
    pairs = list(combinations(range(len(objectives)), 2))
    columns = min(len(pairs), 3)
    rows = -(-len(pairs) // columns)
    figure = new_figure(4.2 * columns + 0.4, 3.8 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    is_front = pareto_front(points)
    front = points[is_front]
    for place, (axes, (first, second)) in enumerate(zip(grid.flat, pairs, strict=False)):
        axes.scatter(points[:, first], points[:, second], 10, color=EDGE, linewidth=0, label="samples")
        if len(objectives) == 2:
            stairs = front[np.argsort(front[:, 0])]
            axes.step(stairs[:, 0], stairs[:, 1], where="pre", color=ACCENT, linewidth=1.2)
        label = f"Pareto front ({len(front)} of {len(points)})"
        ring = {"facecolor": "none", "edgecolor": ACCENT, "linewidth": 1.3}
        axes.scatter(front[:, first], front[:, second], 30, label=label, **ring)
        axes.set(xlabel=objectives[first], ylabel=objectives[second])
        simplify(axes)
        if not place:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
    for axes in grid.flat[len(pairs) :]:
        axes.set_axis_off()
    return figure


def _likely(distributions: Sequence[np.ndarray]) -> np.ndarray:
    """[m] int64, m ≤ 200: the objects that hold 99.9 % of any of `distributions` [n]; if too many, the likeliest."""
    kept = np.zeros(len(distributions[0]), dtype=bool)
    for probability in distributions:
        order = np.argsort(-probability, kind="stable")
        mass = np.cumsum(probability[order])
        kept[order[: np.searchsorted(mass, _MASS * mass[-1]) + 1]] = True
    rows = np.flatnonzero(kept)
    return np.sort(rows[np.argsort(-np.max(distributions, axis=0)[rows], kind="stable")][:_MOST_BARS])


def _share_shown(probability: np.ndarray, shown: np.ndarray) -> str:
    """For the legend: how much of `probability` [n] the objects `shown` [m] hold, where they are not all."""
    return "" if len(shown) == len(probability) else f" ({probability[shown].sum():.1%} shown)"


def _filled(values: np.ndarray) -> int:
    """How many bins of a histogram are not empty."""
    return int(np.count_nonzero(np.histogram(values, _BINS)[0]))
