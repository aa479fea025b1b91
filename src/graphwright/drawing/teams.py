"""Moving pictures of a team at play, and how policies carry over to other team sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graphwright.drawing.style import ACCENT, EDGE, GREY, INK, new_figure, pixels, save_animation, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MILLISECONDS = 120
_TRAIL = 6  # steps
_FIXED = ("landmarks", "targets", "food")
_MOVING = ("agents", "cells", "prey")


def save_episode(record: Mapping[str, np.ndarray], title: str, path: Path) -> None:
    """Write the episode of a recording (`training.play_teams.Recorder`) as a GIF, a frame a step.

    record: name → array of one episode. What moves has a row for each step; the map, where there is one, is a grid
    whose cells are (row, column), a torus where there is its `side`; `links` [L, 2] join landmarks; `present` and
    `free` [T + 1, ...] say which food and which prey is still there.
    """
    save_animation(_frames(record, title), path, _MILLISECONDS)


def _frames(record: Mapping[str, np.ndarray], title: str) -> list[np.ndarray]:
    from matplotlib.collections import LineCollection

    steps = int(record["lengths"])
    moving = {name: _shown(record[name]) for name in _MOVING if name in record}
    fixed = {name: _shown(record[name]) for name in _FIXED if name in record}
    side = int(record["side"]) if "side" in record else None
    figure = new_figure(4.2, 4.6)
    axes = figure.subplots()
    frames = []
    for time in range(steps + 1):
        axes.clear()
        _ground(axes, record, [*moving.values(), *fixed.values()])
        for name, places in fixed.items():
            at = places[time] if places.ndim == 3 else places
            at = at[record["present"][time] > 0] if name == "food" else at
            axes.scatter(at[:, 0], at[:, 1], marker="X", s=70, color=GREY, label=name, linewidths=0, zorder=2)
        for name, places in moving.items():
            colour = GREY if name == "prey" else ACCENT
            trails = trails_of(places[max(time - _TRAIL, 0) : time + 1], side)
            axes.add_collection(LineCollection(trails, colors=colour, linewidths=1.2, alpha=0.45), autolim=False)
            caught = record["free"][time] == 0 if name == "prey" else np.zeros(places.shape[1], dtype=bool)
            for word, inside, shown in ((_WORDS.get(name, name), colour, ~caught), ("caught", "white", caught)):
                if shown.any():
                    x, y = places[time, shown].T
                    axes.scatter(x, y, s=60, color=inside, edgecolors=INK, label=word, zorder=3)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, frameon=False, fontsize=8)
        axes.set_title(f"{title}, step {time} of {steps}", fontsize=9, color=INK)
        frames.append(pixels(figure, 80))
        figure.set_layout_engine("none")  # nothing moves that is not in the episode
    return frames


_WORDS = {"cells": "agents"}


def trails_of(places: np.ndarray, side: int | None) -> list[np.ndarray]:
    """Lines [T, 2] along the last places [T, A, 2] of each agent.

    side: of a torus, where a way over the border leaves on one side and comes in on the other: the line goes on beyond
    the border, and once more as it comes in.
    """
    if side is None:
        return list(places.swapaxes(0, 1))
    half = side / 2
    ahead = (np.diff(places, axis=0) + half) % side - half
    later = np.concatenate([np.cumsum(ahead[::-1], axis=0)[::-1], np.zeros_like(places[-1:])])
    whole = places[-1] - later  # as if there were no border, [T, A, 2]
    low, high = np.floor((whole.min(0) + 0.5) / side), np.floor((whole.max(0) + 0.5) / side)
    lines = []
    for agent in range(whole.shape[1]):
        tiles = [range(int(one), int(other) + 1) for one, other in zip(low[agent], high[agent], strict=True)]
        lines += [whole[:, agent] - side * np.array(tile) for tile in product(*tiles)]
    return lines


def _shown(places: np.ndarray) -> np.ndarray:
    """Places as x and y; cells are (row, column), and −1 where there is nobody."""
    if places.dtype.kind not in "iu":
        return places
    return np.where(places < 0, np.nan, places.astype(float))[..., ::-1]


def _ground(axes: Axes, record: Mapping[str, np.ndarray], places: Sequence[np.ndarray]) -> None:
    """The map and the links between its places, or the extent of all places."""
    from matplotlib.collections import LineCollection

    if "map" in record:
        axes.imshow(record["map"], cmap="Greys", vmin=0, vmax=1.6, interpolation="nearest")
    else:
        low, high = (extreme([extreme(each) for each in places]) for extreme in (np.nanmin, np.nanmax))
        margin = 0.06 * (high - low)
        axes.set_xlim(low - margin, high + margin)
        axes.set_ylim(low - margin, high + margin)
    if "links" in record:
        links = record["links"][record["links"][:, 0] >= 0]
        axes.add_collection(LineCollection(record["landmarks"][links], colors=EDGE, linewidths=1, zorder=1))
    axes.autoscale(False)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(EDGE)


def save_transfer(rows: Mapping[str, Mapping[int, float]], what: str, path: Path) -> None:
    """Write a heat map: policies, with what they were trained on, down; numbers of agents across.

    rows: name → number of agents → the value of `what`.
    """
    sizes = sorted({size for values in rows.values() for size in values})
    numbers = np.array([[values.get(size, np.nan) for size in sizes] for values in rows.values()])
    figure = new_figure(1.9 + 0.8 * len(sizes), 1.3 + 0.45 * len(rows))
    axes = figure.subplots()
    is_share = what == "success"
    least, most = (0.0, 1.0) if is_share else (None, None)
    axes.imshow(numbers, cmap="YlGnBu", aspect="auto", vmin=least, vmax=most)
    middle = 0.5 if is_share else float(np.nanmean([np.nanmin(numbers), np.nanmax(numbers)]))
    for (row, column), number in np.ndenumerate(numbers):
        text = "" if np.isnan(number) else f"{number:.0%}" if is_share else f"{number:.3g}"
        axes.text(column, row, text, ha="center", va="center", color="white" if number > middle else INK, fontsize=9)
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_xlabel("agents")
    axes.set_title(what.replace("_", " "), loc="left", fontsize=10)
    save_figure(figure, path)
