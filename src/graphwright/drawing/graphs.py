"""A graph with a solution marked on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from graphwright.drawing.labels import NO_LABELS, RING, Labels, write_labels
from graphwright.drawing.style import ACCENT, EDGE, GREY, PALE, new_figure, set_heading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NO_MARKS: Mapping[str, np.ndarray] = {}
_WIDTHS = {12: 6.0, 30: 8.0}  # inches, of so many nodes at most
_WIDTH = 10.0


def draw_solution(
    edges: np.ndarray,
    nodes: np.ndarray,
    links: np.ndarray,
    position: np.ndarray,
    title: str,
    *,
    marks: Mapping[str, np.ndarray] = NO_MARKS,
    geographic: bool = False,
    labels: Labels = NO_LABELS,
) -> Figure:
    """A graph with its chosen nodes filled and its chosen links drawn thick.

    edges: [L, 2] int; nodes: [k] int and links: [m, 2] int, the chosen ones; position: [N, 2] float
    (`layout.place_nodes`), longitude and latitude if `geographic`; marks: name → nodes [m] int that play a part, drawn
    with a ring; labels: what is written, as far as there is room.
    """
    stretch = 1 / max(np.cos(np.radians(np.median(position[:, 1]))), 0.2) if geographic else 1.0
    extent = np.ptp(position, axis=0) if len(position) else np.ones(2)
    width = next((width for most, width in _WIDTHS.items() if len(position) <= most), _WIDTH)
    height = np.clip(width * stretch * extent[1] / max(extent[0], 1e-9), 0.25 * width, width) + 1.2
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    axes.set_aspect(stretch)
    if geographic:
        axes.grid(color="#eef1f4", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(color=EDGE, labelcolor=GREY, labelsize=8)
        axes.set_xlabel("longitude", color=GREY, fontsize=9)
        axes.set_ylabel("latitude", color=GREY, fontsize=9)
    else:
        axes.set_axis_off()
    axes.spines[:].set_visible(False)
    selected = np.zeros(len(position), dtype=bool)
    selected[nodes] = True
    _draw_graph(axes, edges, selected, links, position)
    size = node_size(len(position))
    for place, (name, rows) in enumerate(marks.items()):
        axes.scatter(
            position[rows, 0],
            position[rows, 1],
            s=RING**2 * size,
            facecolor="none",
            edgecolor=f"C{place}",
            linewidth=1.6,
            label=f"{name} ({len(rows)})",
        )
    axes.margins(0.07)
    set_heading(figure, title)
    figure.legend(
        loc="outside lower right",
        ncols=4 if width == _WIDTH else 2,
        frameon=False,
        fontsize=9,
        markerscale=max(0.7, float(np.sqrt(30 / size))),
        labelspacing=0.8,
    )
    marked = np.concatenate([np.empty(0, int), *marks.values()])
    write_labels(axes, position, edges, labels, size, nodes, marked, links)
    return figure


def note_unplaced(figure: Figure, placed: np.ndarray) -> None:
    """Say below a picture how many nodes had no position of their own; `placed` [N] bool."""
    if placed.any() and not placed.all():
        note = f"{(~placed).sum()} nodes without a position stand near their neighbours"
        axes = figure.axes[0]
        axes.annotate(note, (1, 0), (0, 4), "axes fraction", "offset points", ha="right", fontsize=7, color=GREY)


def _draw_graph(axes: Axes, edges: np.ndarray, selected: np.ndarray, links: np.ndarray, position: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    size = node_size(len(selected))
    thin = float(np.clip(200 / max(len(edges), 1), 0.45, 1)) * 0.9
    axes.add_collection(LineCollection(position[edges], colors=EDGE, linewidths=thin, zorder=1))
    if len(links):
        label = f"chosen links ({len(links)})"
        wide = 2.0 if len(links) <= 400 else 1.0
        axes.add_collection(LineCollection(position[links], colors=ACCENT, linewidths=wide, zorder=1.5, label=label))
    rest, chosen = position[~selected], position[selected]
    axes.scatter(
        rest[:, 0],
        rest[:, 1],
        s=size * 0.7,
        facecolor=PALE,
        edgecolor=GREY,
        linewidth=0.8 if size > 15 else 0.4,
        zorder=2,
        label=f"not chosen ({len(rest)})" if len(rest) else None,
    )
    axes.scatter(
        chosen[:, 0],
        chosen[:, 1],
        s=size,
        color=ACCENT,
        edgecolor="white",
        linewidth=0.6 if size > 15 else 0.2,
        zorder=3,
        label=f"chosen ({len(chosen)})" if len(chosen) or not len(links) else None,
    )
    axes.autoscale_view()


def node_size(count: int) -> float:
    """The area of a node among `count`, in points²."""
    return float(np.clip(5000 / max(count, 1), 6, 160))
