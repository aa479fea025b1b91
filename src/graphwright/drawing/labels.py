"""What is written into a picture of a graph, as far as there is room: names, weights, and the order of a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from graphwright.drawing.style import ACCENT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

_MOST = 100
"""Of more nodes only those that are chosen or marked have their names written, if these are so few; of more links no
weights, of more steps no numbers."""
_LONGEST = 22
_WIDE, _HIGH = 0.64, 1.25  # of a letter, in font sizes
RING = 1.6
"""How much wider the ring of a mark is than its node."""
_NUMBERED = 40.0  # points²: what a node must measure to hold a number


@dataclass(frozen=True)
class Labels:
    """Texts of a picture.

    nodes: one for each node, or none. links: one for each link, or none. steps: node → its places in a plan. ways:
    [m, 2] int, from which node to which a plan goes, in its order. link_steps: pair of nodes → its places in a plan.
    """

    nodes: Sequence[str] = ()
    links: Sequence[str] = ()
    steps: Mapping[int, str] = field(default_factory=dict)
    ways: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), int))
    link_steps: Mapping[tuple[int, int], str] = field(default_factory=dict)


NO_LABELS = Labels()
_NONE = np.zeros((0, 2), int)


def write_labels(
    axes: Axes,
    position: np.ndarray,
    edges: np.ndarray,
    labels: Labels,
    size: float,
    nodes: np.ndarray,
    marks: np.ndarray,
    links: np.ndarray = _NONE,
) -> None:
    """Write what has room, the most telling first: a plan, names of marked and chosen nodes, others, weights of links.

    position: [N, 2]; edges: [L, 2] int; size: the area of a node, in points²; nodes: the chosen ones, and marks: those
    with a ring around them, int; links: [m, 2] int, drawn beside `edges`.
    """
    count = len(position)
    _draw_ways(axes, position, labels.ways)
    if size >= _NUMBERED:
        for node, text in labels.steps.items():
            font = min(7.0, 0.62 * math.sqrt(size), 1.3 * math.sqrt(size) / len(text))
            x, y = position[node]
            axes.text(x, y, text, ha="center", va="center_baseline", fontsize=font, color="white", zorder=5)
    radius = np.full(count, math.sqrt(size) / 2)
    radius[marks] *= RING
    room = _Room(axes, position, radius)
    if len(labels.link_steps) <= _MOST:
        for (one, other), text in labels.link_steps.items():
            room.write((position[one] + position[other]) / 2, text, 7, ACCENT)
    if labels.nodes:
        font = 8.0 if count <= 60 else 6.0
        ours = dict.fromkeys([*marks.tolist(), *nodes.tolist()])
        ends = np.concatenate([edges, edges[:, ::-1], links, links[:, ::-1]])
        for node in dict.fromkeys([*ours, *range(count)]) if count <= _MOST else ours if len(ours) <= _MOST else ():
            near = ends[ends[:, 0] == node, 1]
            room.write(position[node], _shortened(labels.nodes[node]), font, INK, node=node, near=near)
    if len(edges) <= _MOST and labels.links:
        for (one, other), text in zip(edges.tolist(), labels.links, strict=True):
            room.write((position[one] + position[other]) / 2, text, 7, INK)


def _shortened(text: str) -> str:
    text = text.replace("$", r"\$")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _draw_ways(axes: Axes, position: np.ndarray, ways: np.ndarray) -> None:
    """An arrow head in the middle of each way."""
    if len(ways) > 2 * _MOST:
        return
    for one, other in ways.tolist():
        begin, end = position[one], position[other]
        if np.allclose(begin, end):
            continue
        style = {"arrowstyle": "-|>", "color": ACCENT, "linewidth": 0, "mutation_scale": 11, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", begin + 0.58 * (end - begin), begin + 0.42 * (end - begin), arrowprops=style, zorder=2)


class _Room:
    """Where nothing stands yet, in pixels.

    radius: of each node [N], in points.
    """

    def __init__(self, axes: Axes, position: np.ndarray, radius: np.ndarray) -> None:
        from matplotlib import patheffects

        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.draw_without_rendering()  # which settles where things are
        self.axes, self.point = axes, figure.dpi / 72
        self.radius = radius * self.point
        self.page = figure.bbox.bounds
        self.nodes = axes.transData.transform(position) if len(position) else np.zeros((0, 2))
        self.boxes: list[tuple[float, float, float, float]] = []
        self.halo: list[AbstractPathEffect] = [patheffects.withStroke(linewidth=2.0, foreground="white")]

    def write(
        self, at: np.ndarray, text: str, size: float, colour: str, *, node: int | None = None, near: Sequence[int] = ()
    ) -> None:
        """On a side of `node` with room, or at the place itself where it is None; nowhere where all is taken.

        near: the nodes that links lead to; sides without a link come first.
        """
        if not text:
            return
        x, y = self.axes.transData.transform(at)
        wide, high = len(text) * _WIDE * size * self.point, _HIGH * size * self.point
        sides = [(-wide / 2, -high / 2)] if node is None else self._around(node, wide, high)
        free = [
            box for left, low in sides if self._is_free(box := (x + left, y + low, x + left + wide, y + low + high))
        ]
        if not free:
            return
        others = self.nodes[np.asarray(near, int)]
        box = next((box for box in free if not crossed(box, np.array([x, y]), others)), free[0])
        self.boxes.append(box)
        x, y = self.axes.transData.inverted().transform(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
        written = self.axes.text(x, y, text, fontsize=size, color=colour, ha="center", va="center", zorder=6)
        written.set_path_effects(self.halo)
        written.set_in_layout(False)

    def _around(self, node: int, wide: float, high: float) -> list[tuple[float, float]]:
        """Where the lower left corner of a text may be, from the middle of the node."""
        away = float(self.radius[node]) + 1.5 * self.point
        near = 0.75 * away
        return [
            (-wide / 2, away),
            (away, -high / 2),
            (-wide / 2, -away - high),
            (-away - wide, -high / 2),
            (near, near),
            (-near - wide, near),
            (near, -near - high),
            (-near - wide, -near - high),
        ]

    def _is_free(self, box: tuple[float, float, float, float]) -> bool:
        left, low, right, high = box
        x, y, wide, tall = self.page
        if left < x or low < y or right > x + wide or high > y + tall:
            return False
        if any(left < b[2] and right > b[0] and low < b[3] and high > b[1] for b in self.boxes):
            return False
        nearest = np.clip(self.nodes, (left, low), (right, high))
        return not bool((np.linalg.norm(self.nodes - nearest, axis=1) < self.radius).any())


def crossed(box: tuple[float, float, float, float], begin: np.ndarray, ends: np.ndarray) -> bool:
    """Whether a line from `begin` [2] to one of `ends` [K, 2] goes through `box` (left, low, right, high)."""
    if not len(ends):
        return False
    along = np.where(ends == begin, 1e-9, ends - begin)
    one, other = (np.array(box[:2]) - begin) / along, (np.array(box[2:]) - begin) / along
    enters, leaves = np.minimum(one, other).max(1), np.maximum(one, other).min(1)
    return bool((np.maximum(enters, 0) < np.minimum(leaves, 1)).any())
