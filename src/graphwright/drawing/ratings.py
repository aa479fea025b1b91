"""Elo ratings of the policies of a run, in the order in which they were learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from graphwright.drawing.style import ACCENT, EDGE, GREY, INK, new_figure, save_figure, simplify

Span = tuple[float, float, float]
"""A number with the ends of its interval."""


def plot_ratings(policies: Sequence[Span], passed: Sequence[bool], fixed: Mapping[str, Span], path: Path) -> None:
    """The policy of every evaluation with its interval, as a PNG; those that passed the gate are filled.

    fixed: name → rating of an opponent that does not learn, a horizontal line each.
    """
    figure = new_figure(6.5, 3.6)
    axes = figure.add_subplot()
    simplify(axes)
    numbers = np.arange(len(policies))
    value, low, high = np.array(policies, float).reshape(-1, 3).T
    axes.fill_between(numbers, low, high, color=EDGE, alpha=0.5, linewidth=0)
    axes.plot(numbers, value, color=INK, linewidth=1.2)
    gate = np.array(passed, dtype=bool)
    axes.scatter(numbers[gate], value[gate], color=ACCENT, s=22, zorder=3, label="new best")
    axes.scatter(numbers[~gate], value[~gate], facecolor="white", edgecolor=GREY, s=16, zorder=3, label="rejected")
    for (name, (rating, _, _)), style in zip(fixed.items(), ("--", ":", "-.", (0, (6, 2, 1, 2))), strict=False):
        axes.axhline(rating, color=GREY, linestyle=style, linewidth=1, label=name)
    axes.set(xlabel="evaluation", ylabel="Elo, 95 % interval")
    axes.legend(frameon=False, fontsize=8, ncols=2)
    save_figure(figure, path)
