"""The learning curve of a run on foreign episodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from graphwright.drawing.graphs import ACCENT, INK, save_figure


def plot_returns(rows: Sequence[dict[str, float]], path: Path, references: dict[str, float] | None = None) -> None:
    """Mean return of the training episodes that ended, against environment steps, as a PNG.

    rows: of `Trained`. references: name → mean return of something to compare with, a line each.
    """
    table = {name: np.array([row[name] for row in rows]) for name in ("steps", "return")}
    ended = ~np.isnan(table["return"])
    figure = Figure(figsize=(5.5, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(table["steps"][ended], table["return"][ended], color=INK, linewidth=1.4, label="policy, while training")
    for (name, value), style in zip((references or {}).items(), ("--", ":", "-."), strict=False):
        axes.axhline(value, color=ACCENT, linestyle=style, linewidth=1.2, label=name)
    axes.set(xlabel="environment steps", ylabel="return of an episode")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    save_figure(figure, path)
