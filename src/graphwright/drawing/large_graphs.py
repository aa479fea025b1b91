"""A graph of too many nodes to draw each: where they are dense, in which core they lie, and which are chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graphwright.core.kernels.jit import jit_as_written
from graphwright.drawing.layout import lay_out_roughly
from graphwright.drawing.style import ACCENT, EDGE, GREY, new_figure, set_heading, simplify

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGE = 3_000
"""From so many nodes on, points would cover each other."""
_CORES = 5


def draw_large(
    edges: np.ndarray, nodes: np.ndarray, links: np.ndarray, position: np.ndarray | None, count: int, title: str
) -> Figure:
    """The share of chosen nodes wherever nodes lie, and by degree; chosen links alone, where nodes have positions.

    edges: [L, 2] int; nodes: [k] int and links: [m, 2] int, the chosen ones, of `count` nodes; position: [N, 2] float,
    NaN where it is not known, or None. Where links are chosen, a node counts as chosen that one of them joins.
    Without positions a node lies the nearer to the middle the denser its core is (`core_numbers`), at an angle
    near that of its neighbours (the order of Cuthill & McKee 1969); where there are fewer than five cores, which tell
    little, nodes lie as far apart as they are in the graph (`lay_out_roughly`).
    """
    degree = np.bincount(edges.ravel(), minlength=count)
    chosen = np.zeros(count, dtype=bool)
    chosen[nodes] = True
    chosen[links.ravel()] = True
    known = np.zeros(count, bool) if position is None else ~np.isnan(position).any(axis=1)
    placed = None if known.mean() <= 0.5 else position
    if placed is not None and len(links):
        return _draw_links(placed, known, links, title)
    figure = new_figure(12, 6.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    if placed is not None:
        _draw_density(left, placed[known], chosen[known], "where they stand")
    else:
        core = core_numbers(edges, count)
        if len(np.unique(core)) >= _CORES:
            places, where = _in_rings(edges, core, degree), "the nearer to the middle, the denser their core"
        else:
            places, where = lay_out_roughly(edges, count), "by how far they are from each other"
        _draw_density(left, places, chosen, where)
    _draw_degrees(right, degree, chosen)
    set_heading(figure, title)
    return figure


def _draw_links(position: np.ndarray, known: np.ndarray, links: np.ndarray, title: str) -> Figure:
    """Chosen links where their ends stand, over the others' places."""
    from matplotlib.collections import LineCollection

    figure = new_figure(10, 10)
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    axes.set_axis_off()
    x, y = position[known].T
    axes.scatter(x, y, s=0.3, color=EDGE, linewidths=0, rasterized=True, zorder=1)
    wide = float(np.clip(3000 / len(links), 0.15, 0.8))
    drawn = position[links[known[links].all(1)]]
    axes.add_collection(LineCollection(drawn, colors=ACCENT, linewidths=wide, rasterized=True, zorder=2))
    axes.autoscale_view()
    note = f"{len(position):,} nodes, {len(links):,} chosen links"
    axes.annotate(note, (1, 0), (0, 4), "axes fraction", "offset points", ha="right", fontsize=8, color=GREY)
    set_heading(figure, title)
    return figure


def core_numbers(edges: np.ndarray, count: int) -> np.ndarray:
    """[N]: the largest k for which each node is in a subgraph in which all have k neighbours (Seidman 1983).

    edges: [L, 2] int, of an undirected graph; loops do not count. By the algorithm of Batagelj & Zaversnik (2003).
    """
    edges = edges[edges[:, 0] != edges[:, 1]]
    ends = np.concatenate([edges, edges[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    ptr = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(ends[:, 0], minlength=count), out=ptr[1:])
    return _peel(ptr, np.ascontiguousarray(ends[:, 1]).astype(np.int64))


def _in_rings(edges: np.ndarray, core: np.ndarray, degree: np.ndarray) -> np.ndarray:
    """[N, 2]: nodes of dense cores in the middle, neighbours at near angles."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    count = len(core)
    table = coo_array((np.ones(len(edges), np.int8), edges.T), shape=(count, count)).tocsr()
    order = np.empty(count)
    order[reverse_cuthill_mckee(table + table.T, symmetric_mode=True)] = np.arange(count)
    within = degree / (1 + degree)  # the outer half of a ring is that of few neighbours
    radius, angle = core.max(initial=0) + 1.5 - core - 0.8 * within, 2 * np.pi * order / max(count, 1)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _draw_density(axes: Axes, places: np.ndarray, chosen: np.ndarray, where: str) -> None:
    """Hexagons, the darker the more of their nodes are chosen."""
    x, y = places.T
    drawn = axes.hexbin(x, y, C=chosen.astype(float), gridsize=70, cmap="YlOrRd", vmin=0, vmax=1, linewidths=0.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.6, pad=0.01)
    bar.set_label("share of chosen nodes", color=GREY, fontsize=9)
    bar.ax.tick_params(labelcolor=GREY, labelsize=8)
    axes.set_title(f"{len(places):,} nodes, {where}", fontsize=10, color=GREY)


def _draw_degrees(axes: Axes, degree: np.ndarray, chosen: np.ndarray) -> None:
    """How many nodes have which degree, and how many of these are chosen."""
    edges = np.unique(np.geomspace(1, max(degree.max(initial=1), 1) + 1, 24).astype(int))
    edges = np.concatenate([[0], edges])
    bins = np.clip(np.searchsorted(edges, degree, side="right") - 1, 0, len(edges) - 1)
    total, ours = np.bincount(bins, minlength=len(edges)), np.bincount(bins[chosen], minlength=len(edges))
    names = [str(a) if b - a <= 1 else f"{a}–{b - 1}" for a, b in zip(edges, [*edges[1:], edges[-1] + 1], strict=True)]
    shown = np.flatnonzero(total)
    axes.bar(range(len(shown)), total[shown], color="#d5dde4", label="all nodes")
    axes.bar(range(len(shown)), ours[shown], color="#e4572e", width=0.55, label=f"chosen ({int(chosen.sum()):,})")
    axes.set_yscale("log")
    axes.set_xticks(range(len(shown)), [names[place] for place in shown], rotation=60, fontsize=8)
    axes.set_xlabel("degree", color=GREY, fontsize=9)
    axes.set_ylabel("nodes", color=GREY, fontsize=9)
    axes.legend(frameon=False, fontsize=9)
    simplify(axes)


@jit_as_written
def _peel(ptr, other):  # type: ignore[no-untyped-def]
    count = ptr.size - 1
    degree = np.empty(count, np.int64)
    most = 0
    for node in range(count):
        degree[node] = ptr[node + 1] - ptr[node]
        most = max(most, degree[node])
    begin = np.zeros(most + 2, np.int64)  # of each degree, in `order`
    for node in range(count):
        begin[degree[node] + 1] += 1
    for k in range(1, most + 2):
        begin[k] += begin[k - 1]
    order, place, filled = np.empty(count, np.int64), np.empty(count, np.int64), begin.copy()
    for node in range(count):
        place[node] = filled[degree[node]]
        order[place[node]] = node
        filled[degree[node]] += 1
    for k in range(count):
        node = order[k]
        for e in range(ptr[node], ptr[node + 1]):
            near = other[e]
            if degree[near] > degree[node]:  # to the front of those of its degree, and from there one degree down
                first = begin[degree[near]]
                swapped = order[first]
                order[first], order[place[near]] = near, swapped
                place[swapped], place[near] = place[near], first
                begin[degree[near]] += 1
                degree[near] -= 1
    return degree
