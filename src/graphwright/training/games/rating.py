"""Elo ratings of many players from the games between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from graphwright.training.statistics import Interval

_POINTS = 400 / math.log(10)
_SPREAD = 800.0  # of the prior, in points: it keeps who has won all games finite


class Encounter(NamedTuple):
    """Games between two players, named by places. points: of `one`, a draw being half a point."""

    one: int
    other: int
    points: float
    games: int


def elo(num_players: int, encounters: Sequence[Encounter]) -> list[Interval]:
    """The rating of each player with its 95 % interval, by how much it is above that of the first.

    The mode of the Bradley–Terry model's posterior, P(i beats j) = 1 / (1 + 10^((r_j − r_i) / 400)), draws counting as
    half a win and half a loss, under a normal prior of 800 points around the first; intervals from the curvature
    there. Bradley & Terry 1952; Elo 1978.
    """
    free = list(range(1, num_players))
    if not free:
        return [Interval(0.0, 0.0, 0.0)]
    one, other = (np.array([getattr(each, name) for each in encounters], dtype=np.int64) for name in ("one", "other"))
    points, games = (np.array([getattr(each, name) for each in encounters], float) for name in ("points", "games"))
    rating, prior = np.zeros(num_players), np.full(num_players, (_POINTS / _SPREAD) ** 2)
    curvature = np.eye(len(free))
    for _ in range(100):
        expected = 1 / (1 + np.exp(rating[other] - rating[one]))
        slope = -prior * rating
        np.add.at(slope, one, points - games * expected)
        np.add.at(slope, other, games * expected - points)
        weight, full = games * expected * (1 - expected), np.diag(prior)
        for left, right, sign in ((one, one, 1), (other, other, 1), (one, other, -1), (other, one, -1)):
            np.add.at(full, (left, right), sign * weight)
        curvature = full[np.ix_(free, free)]
        step = np.linalg.solve(curvature, slope[free])
        rating[free] += step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    half = np.zeros(num_players)
    half[free] = 1.959964 * np.sqrt(np.diag(np.linalg.inv(curvature)))
    return [
        Interval(float(value), float(value - spread), float(value + spread))
        for value, spread in zip(rating * _POINTS, half * _POINTS, strict=True)
    ]


def table(names: Sequence[str], ratings: Sequence[Interval]) -> list[Mapping[str, object]]:
    """Rows for a file, the best first."""
    rows = [
        {"player": name, "elo": round(each.value, 1), "low": round(each.low, 1), "high": round(each.high, 1)}
        for name, each in zip(names, ratings, strict=True)
    ]
    return sorted(rows, key=lambda row: -float(row["elo"]))  # type: ignore[arg-type]
