"""Moving pictures of a team at play, and how policies carry over to other team sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graphwright.drawing.style import ACCENT, EDGE, GREY, INK, new_figure, pixels, save_animation, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MILLISECONDS = 120
_FIXED = ("landmarks", "targets", "food")
_MOVING = ("agents", "cells", "prey")


def save_episode(record: Mapping[str, np.ndarray], title: str, path: Path) -> None:
    """Write the episode of a recording (`training.play_teams.Recorder`) as a GIF, a frame a step.

    record: name → array of one episode. What moves has a row for each step; the map, where there is one, is a grid
    whose cells are (row, column).
    """
    save_animation(_frames(record, title), path, _MILLISECONDS)


def _frames(record: Mapping[str, np.ndarray], title: str) -> list[np.ndarray]:
    steps = int(record["lengths"])
    moving = {name: _shown(record[name]) for name in _MOVING if name in record}
    fixed = {name: _shown(record[name]) for name in _FIXED if name in record}
    figure = new_figure(4.2, 4.4)
    axes = figure.subplots()
    frames = []
    for time in range(steps + 1):
        axes.clear()
        _ground(axes, record, [*moving.values(), *fixed.values()])
        for name, places in fixed.items():
            at = places[time] if places.ndim == 3 else places
            axes.scatter(at[:, 0], at[:, 1], marker="X", s=70, color=GREY, label=name, linewidths=0)
        for name, places in moving.items():
            trail = places[max(time - 6, 0) : time + 1]
            colour = GREY if name == "prey" else ACCENT
            axes.plot(trail[..., 0], trail[..., 1], color=colour, linewidth=1, alpha=0.4)
            axes.scatter(places[time, :, 0], places[time, :, 1], s=60, color=colour, edgecolors=INK, label=name)
        axes.set_title(f"{title}, step {time} of {steps}", fontsize=9, color=INK)
        frames.append(pixels(figure, 80))
    return frames


def _shown(places: np.ndarray) -> np.ndarray:
    """Places as x and y; cells are (row, column)."""
    return places.astype(float)[..., ::-1] if places.dtype.kind in "iu" else places


def _ground(axes: Axes, record: Mapping[str, np.ndarray], places: Sequence[np.ndarray]) -> None:
    """The map, or the extent of all places."""
    if "map" in record:
        axes.imshow(record["map"], cmap="Greys", vmin=0, vmax=1.6, interpolation="nearest")
    else:
        low, high = (extreme([extreme(each) for each in places]) for extreme in (np.nanmin, np.nanmax))
        axes.set_xlim(low - 0.1, high + 0.1)
        axes.set_ylim(low - 0.1, high + 0.1)
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
