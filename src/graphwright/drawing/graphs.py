"""A graph with a solution marked on it, and where its nodes stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from graphwright.drawing.style import ACCENT, EDGE, GREY, INK, PALE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NO_MARKS: Mapping[str, np.ndarray] = {}


def draw_solution(
    edges: np.ndarray,
    nodes: np.ndarray,
    links: np.ndarray,
    position: np.ndarray,
    title: str,
    *,
    marks: Mapping[str, np.ndarray] = NO_MARKS,
    geographic: bool = False,
) -> Figure:
    """A graph with its chosen nodes filled and its chosen links drawn thick.

    edges: [L, 2] int; nodes: [k] int and links: [m, 2] int, the chosen ones; position: [N, 2] float (`place_nodes`),
    longitude and latitude if `geographic`; marks: name → nodes [m] int that play a part, drawn with a ring.
    """
    stretch = 1 / max(np.cos(np.radians(np.median(position[:, 1]))), 0.2) if geographic else 1.0
    extent = np.ptp(position, axis=0) if len(position) else np.ones(2)
    height = np.clip(10 * stretch * extent[1] / max(extent[0], 1e-9), 3, 10) + 1.2
    figure = new_figure(10, height)
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
    size = _node_size(len(position))
    for place, (name, rows) in enumerate(marks.items()):
        ring, label = f"C{place}", f"{name} ({len(rows)})"
        axes.scatter(
            position[rows, 0],
            position[rows, 1],
            s=2.5 * size,
            facecolor="none",
            edgecolor=ring,
            linewidth=1.6,
            label=label,
        )
    axes.set_title(title, loc="left", fontsize=13, color=INK, fontweight="bold")
    figure.legend(loc="outside lower right", ncols=4, frameon=False, fontsize=9, markerscale=0.7, labelspacing=0.8)
    return figure


def note_unplaced(figure: Figure, placed: np.ndarray) -> None:
    """Say below a picture how many nodes had no position of their own; `placed` [N] bool."""
    if placed.any() and not placed.all():
        note = f"{(~placed).sum()} nodes without a position stand near their neighbours"
        axes = figure.axes[0]
        axes.annotate(note, (1, 0), (0, 4), "axes fraction", "offset points", ha="right", fontsize=7, color=GREY)


def _draw_graph(axes: Axes, edges: np.ndarray, selected: np.ndarray, links: np.ndarray, position: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    size = _node_size(len(selected))
    axes.add_collection(LineCollection(position[edges], colors=EDGE, linewidths=0.9, zorder=1))
    if len(links):
        label = f"chosen links ({len(links)})"
        axes.add_collection(LineCollection(position[links], colors=ACCENT, linewidths=2.0, zorder=1.5, label=label))
    rest, chosen = position[~selected], position[selected]
    axes.scatter(
        rest[:, 0],
        rest[:, 1],
        s=size * 0.7,
        facecolor=PALE,
        edgecolor=GREY,
        linewidth=0.8,
        zorder=2,
        label=f"not chosen ({len(rest)})",
    )
    axes.scatter(
        chosen[:, 0],
        chosen[:, 1],
        s=size,
        color=ACCENT,
        edgecolor="white",
        linewidth=0.6,
        zorder=3,
        label=f"chosen ({len(chosen)})",
    )
    axes.autoscale_view()


def _node_size(count: int) -> float:
    return float(np.clip(5000 / max(count, 1), 6, 160))


def place_nodes(edges: np.ndarray, count: int, position: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """A place for each of `count` nodes [N, 2], and which of them were given [N] bool.

    position: [N, 2] float or None. Nodes whose position is NaN stand beside their neighbours; without any positions all
    are laid out.
    """
    placed = np.zeros(count, dtype=bool) if position is None else ~np.isnan(position).any(axis=1)
    import networkx as nx  # which is slow to import

    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(map(tuple, edges))
    if position is None or not placed.any():
        layout = nx.forceatlas2_layout(graph, seed=0, max_iter=200) if count > 2 else nx.circular_layout(graph)
        return np.array([layout[node] for node in range(count)]).reshape(count, 2), placed
    result = np.where(placed[:, None], position, np.nanmean(position, axis=0))
    for _ in range(50 if not placed.all() else 0):
        for node in np.flatnonzero(~placed):
            neighbours = list(graph[int(node)])
            if neighbours:
                result[node] = result[neighbours].mean(axis=0)
    return result, placed
