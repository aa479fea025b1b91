"""What all pictures share: colours, empty figures, plain axes, files. matplotlib is imported by the first figure."""

from __future__ import annotations

import contextlib
import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

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


def set_heading(figure: Figure, title: str) -> None:
    """A title above everything, in as many lines as the page is wide enough for."""
    size = 13.0 if len(title) <= 160 else 10.0
    across = max(int(figure.get_figwidth() * 72 / (0.6 * size)), 12)
    figure.suptitle(textwrap.fill(title, across), x=0.01, ha="left", fontsize=size, color=INK, fontweight="bold")


PICTURES = (".png", ".svg", ".pdf")
"""How files of pictures may end."""


def save_figure(figure: Figure, path: Path) -> None:
    """Write a picture whole or not at all, as its name ends (`PICTURES`); a PNG where it ends otherwise."""
    data = io.BytesIO()
    kind = path.suffix.lower()
    with _missing_letters_unsaid():
        figure.savefig(data, format=kind[1:] if kind in PICTURES else "png", dpi=160, facecolor="white")
    write_atomically(path, data.getvalue())


def save_animation(frames: Sequence[np.ndarray], path: Path, milliseconds: int, pause: int = 8) -> None:
    """Write a GIF, whole or not at all, that begins again and again.

    frames: [height, width, 3] uint8 each. pause: for how many frames the last one stays.
    """
    from PIL import Image

    images = [Image.fromarray(each) for each in frames]
    images += images[-1:] * pause
    data = io.BytesIO()
    images[0].save(data, "GIF", save_all=True, append_images=images[1:], duration=milliseconds, loop=0)
    write_atomically(path, data.getvalue())


@contextlib.contextmanager
def _missing_letters_unsaid() -> Iterator[None]:
    """Letters that the font lacks are drawn as boxes, which the picture shows; matplotlib would print each of them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def pixels(figure: Figure, dpi: int) -> np.ndarray:
    """[height, width, 3] uint8: the figure as it looks."""
    figure.set_dpi(dpi)
    canvas: Any = figure.canvas
    with _missing_letters_unsaid():
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
