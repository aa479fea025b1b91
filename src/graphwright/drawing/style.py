"""What all pictures share: colours, empty figures, plain axes, files. matplotlib is imported by the first figure."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphwright.core.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY, PALE, ACCENT, EDGE, GRID = "#1f2933", "#7b8794", "#ffffff", "#e4572e", "#b8c4ce", "#e6eaee"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, which no window shows and nothing has to close."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def simplify(axes: Axes) -> None:
    """Leave a frame of two sides and horizontal lines behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def legend_above(axes: Axes, **options: Any) -> None:
    """A legend in columns above the axes."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9, **options)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG whole or not at all."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=160, facecolor="white")
    write_atomically(path, data.getvalue())
