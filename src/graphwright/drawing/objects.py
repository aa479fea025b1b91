"""Samples in a grid: graphs coloured by type, and pictures of molecules that RDKit drew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphwright.core import GraphBatch
from graphwright.drawing.layout import lay_out
from graphwright.drawing.style import GREY, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NODE_SIZE = 70.0
_PALETTE = ("#e4572e", "#2a6f97", "#6a994e", "#f2b134", "#9a5bb5", "#5b6770", "#d98cb3", "#7fc8c2")


def draw_graphs(
    states: GraphBatch,
    captions: Sequence[str] = (),
    *,
    node_type: str | None = None,
    numbered: bool = False,
) -> Figure:
    """The graphs of a batch in a grid, each with its caption.

    node_type: a column of integers that says the colours of nodes. Undirected links are lines, others arrows. numbered:
    the nodes are drawn with their numbers, in a circle, so that graphs on the same nodes compare. An undirected path
    runs from left to right, from its end of the lower number.
    """
    from matplotlib.lines import Line2D

    states = states.to("cpu")
    figure, cells = _cells(states.num_graphs, captions)
    kinds = np.zeros(states.num_nodes, np.int64)
    if node_type is not None:
        kinds = states.nodes[node_type].reshape(-1).long().numpy()
    for graph, axes in zip(range(states.num_graphs), cells, strict=False):
        nodes = slice(*states.node_ptr[graph : graph + 2].tolist())
        edges = slice(*states.edge_ptr[graph : graph + 2].tolist())
        pairs = (states.edge_index[:, edges] - nodes.start).T.numpy()
        directed = "reverse" not in states.edges
        pairs = pairs if directed else pairs[pairs[:, 0] <= pairs[:, 1]]
        colors = _colors(kinds[nodes])
        position = _circle(len(colors)) if numbered else _place(pairs, len(colors), directed)
        _draw_graph(axes, pairs, colors, position, directed)
        if numbered:
            for node, (x, y) in enumerate(position.tolist()):
                axes.text(x, y, str(node), color="white", fontsize=6, ha="center", va="center_baseline", zorder=3)
    if node_type is not None and states.num_nodes:
        marks = [
            Line2D([], [], linestyle="", marker="o", markersize=8, color=color, label=f"{node_type} {kind}")
            for kind, color in zip(np.unique(kinds).tolist(), _colors(np.unique(kinds).tolist()), strict=True)
        ]
        figure.legend(handles=marks, loc="outside lower left", ncols=8, frameon=False, fontsize=9)
    return figure


def draw_molecules(images: Sequence[np.ndarray], captions: Sequence[str] = ()) -> Figure:
    """Pictures that were drawn elsewhere in a grid, each with its caption.

    images: arrays [h, w, 3 or 4], or anything that NumPy takes for one, as Pillow's images.
    """
    figure, cells = _cells(len(images), captions)
    for image, axes in zip(images, cells, strict=False):
        axes.imshow(np.asarray(image), interpolation="antialiased")
    return figure


def _cells(count: int, captions: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """A figure with `count` empty cells, row by row: 6, 5 or 4 in each, what leaves the fewest cells empty."""
    columns = max(min(count, min((6, 5, 4), key=lambda width: -count % width)), 1)
    rows = max(-(-count // columns), 1)
    height = 2.0 if captions else 1.8
    figure = new_figure(1.9 * columns, height * rows + 0.4)
    cells = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in cells:
        axes.set_axis_off()
    for axes, caption in zip(cells, captions, strict=False):
        axes.set_title(caption, fontsize=8, color=INK, y=-0.03, va="top", wrap=True)
    return figure, cells


def _draw_graph(axes: Axes, pairs: np.ndarray, colors: list[str], position: np.ndarray, directed: bool) -> None:
    """pairs: [L, 2] int; position: [N, 2] float within -1 to 1."""
    from matplotlib.collections import LineCollection

    axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal")
    if not colors:
        axes.text(0, 0, "empty", color=GREY, fontsize=8, ha="center", va="center", style="italic")
        return
    loops = pairs[:, 0] == pairs[:, 1]
    for node in pairs[loops, 0].tolist():
        x, y = position[node] * (1 + 0.14 / max(float(np.linalg.norm(position[node])), 0.14))
        axes.scatter(x, y, s=2 * _NODE_SIZE, facecolor="none", edgecolor=GREY, linewidth=1.4, zorder=1)
    if directed:
        opposites = {(destination, source) for source, destination in pairs.tolist()}
        for source, destination in pairs[~loops].tolist():
            bend = 0.18 if (source, destination) in opposites else 0.0
            style = {"arrowstyle": "-|>", "connectionstyle": f"arc3,rad={bend}", "color": GREY}
            axes.annotate("", position[destination], position[source], arrowprops={**style, "shrinkA": 5, "shrinkB": 5})
    else:
        axes.add_collection(LineCollection(position[pairs[~loops]], colors=GREY, linewidths=1.6, zorder=1))
    axes.scatter(position[:, 0], position[:, 1], s=_NODE_SIZE, c=colors, edgecolor="white", linewidth=0.8, zorder=2)


def _circle(count: int) -> np.ndarray:
    """[count, 2] float64: places on a circle, clockwise from the top."""
    angle = np.arange(count) * 2 * np.pi / max(count, 1)
    return np.stack([np.sin(angle), np.cos(angle)], 1)


def _place(pairs: np.ndarray, count: int, directed: bool) -> np.ndarray:
    """[count, 2] float64 within a circle of radius 1: where nodes stand whose links are `pairs` [L, 2].

    An undirected path is a row.
    """
    if not directed and len(pairs) == count - 1 > 0 and (order := _row(pairs, count)) is not None:
        return np.stack([2 * order / order.max() - 1, np.zeros(count)], 1)
    position = lay_out(pairs, count)
    if not count:
        return position
    position = position - (position.min(0) + position.max(0)) / 2
    return position / max(np.linalg.norm(position, axis=1).max(), 1e-9)


def _row(pairs: np.ndarray, count: int) -> np.ndarray | None:
    """[count] int64: the place of each node along a path, from its end of the lower number; None where it is none."""
    near: list[list[int]] = [[] for _ in range(count)]
    for one, other in pairs.tolist():
        near[one].append(other)
        near[other].append(one)
    ends = [node for node, others in enumerate(near) if len(others) == 1]
    if len(ends) != 2 or max(map(len, near)) > 2:
        return None
    place, node, before = np.full(count, -1), ends[0], -1
    for number in range(count):
        place[node] = number
        following = [other for other in near[node] if other != before]
        if not following:
            break
        node, before = following[0], node
    return place if place.min() >= 0 else None


def _colors(kinds: Iterable[int]) -> list[str]:
    return [_PALETTE[kind % len(_PALETTE)] for kind in kinds]
