"""The least time in which robots do all tasks, by dynamic programming over sets of tasks."""

from __future__ import annotations

import numpy as np


def least_makespan(robot: np.ndarray, position: np.ndarray, speed: np.ndarray, duration: np.ndarray) -> float:
    """The least time at which all tasks are done: a shortest path for each robot and set, then the best division."""
    places, starts = position[~robot].astype(float), position[robot].astype(float)
    count = len(places)
    sets = 1 << count
    between = np.linalg.norm(places[:, None] - places[None], axis=2)
    path = np.full((len(starts), sets, count), np.inf)  # shortest, through a set of tasks, that ends in one
    for task in range(count):
        path[:, 1 << task, task] = np.linalg.norm(starts - places[task], axis=1)
    for some in range(1, sets):
        for task in range(count):
            if some >> task & 1 and some != 1 << task:
                path[:, some, task] = (path[:, some ^ 1 << task] + between[:, task]).min(1)
    inside = (np.arange(sets)[:, None] >> np.arange(count)) & 1
    takes = path.min(2) / speed[robot].astype(float)[:, None] + inside @ duration[~robot].astype(float)
    takes[:, 0] = 0
    least = takes[0]
    for own in takes[1:]:
        least = np.array([np.maximum(least[some ^ part], own[part]).min() for some, part in _parts(sets)])
    return float(least[-1])


def _parts(sets: int) -> list[tuple[int, np.ndarray]]:
    """Each set with all its subsets, [k] int64."""
    every = np.arange(sets)
    return [(some, every[(every & some) == every]) for some in range(sets)]
