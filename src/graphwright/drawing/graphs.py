"""Pictures: the learning curve of a run, and a graph with a solution marked on it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from graphwright.core.files import write_atomically

NO_MARKS: Mapping[str, np.ndarray] = {}
INK, GREY, PALE, ACCENT, EDGE = "#1f2933", "#7b8794", "#ffffff", "#e4572e", "#b8c4ce"


def plot_curve(rows: Sequence[dict[str, float]], reference: str, path: Path) -> None:
    """The run's return and validation gap against its steps, as a PNG."""
    if not rows:
        return
    table = {name: np.array([row[name] for row in rows]) for name in ("steps", "return", "validation_gap")}
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.plot(table["steps"], table["return"], color=EDGE, linewidth=1)
    left.plot(table["steps"], _smooth(table["return"]), color=INK, linewidth=1.6)
    left.set(xlabel="environment steps", ylabel="return of training episodes")
    measured = ~np.isnan(table["validation_gap"])
    excess = 100 * table["validation_gap"][measured]
    right.plot(table["steps"][measured], excess, color=ACCENT, marker="o", markersize=3, linewidth=1.4)
    right.set(xlabel="environment steps", ylabel=f"validation: % worse than {reference}")
    right.set_ylim(bottom=min(0.0, excess.min(initial=0.0)))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6eaee", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    save_figure(figure, path)


def plot_flow_curve(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Loss and log Z of a flow run, and its distance from the target where that is known, as a PNG."""
    if not rows:
        return
    table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    exact = ~np.isnan(table["total_variation"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.plot(table["steps"], _smooth(np.maximum(table["loss"], 1e-12)), color=INK, linewidth=1.6)
    left.set(xlabel="trajectories", ylabel="loss", yscale="log")
    if exact.any():
        distance = np.maximum(table["total_variation"][exact], 1e-12)
        right.plot(table["steps"][exact], distance, color=ACCENT, marker="o", markersize=3)
        right.set(xlabel="trajectories", ylabel="total variation from R / Z", yscale="log")
    else:
        right.plot(table["steps"], _smooth(table["return"]), color=ACCENT, linewidth=1.6)
        right.set(xlabel="trajectories", ylabel="mean log R of training objects")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6eaee", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    save_figure(figure, path)


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
    figure, axes = plt.subplots(figsize=(10, height), layout="constrained")
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


def save_figure(figure: Figure, path: Path) -> None:
    """Write the picture whole or not at all."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=160, facecolor="white")
    plt.close(figure)
    write_atomically(path, data.getvalue())


def _draw_graph(axes: Axes, edges: np.ndarray, selected: np.ndarray, links: np.ndarray, position: np.ndarray) -> None:
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


def _smooth(values: np.ndarray, window: int = 5) -> np.ndarray:
    """Trailing mean that passes over NaN."""
    known = ~np.isnan(values)
    total = np.cumsum(np.where(known, values, 0))
    count = np.cumsum(known)
    total[window:] -= total[:-window].copy() if len(values) > window else 0
    count[window:] -= count[:-window].copy() if len(values) > window else 0
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
