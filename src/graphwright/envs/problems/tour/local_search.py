"""Tours made shorter by exchanging edges: 2-opt and Or-opt."""

from __future__ import annotations

import math

import numpy as np
import torch

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.problems.tour.sequence import in_order

_LEAST = 1e-9  # of a gain, over the length of the tour: smaller ones are rounding errors


def improve(state: GraphBatch) -> GraphBatch:
    """The complete tours of `state`, made shorter until no 2-opt and no Or-opt move makes them so.

    2-opt (Croes 1958, "A method for solving traveling-salesman problems") reverses a piece of the tour; Or-opt (Or
    1976, "Traveling salesman-type combinatorial problems") moves a piece of up to three nodes elsewhere, either way
    round.
    """
    ptr, successor = state.node_ptr.cpu().numpy(), state.nodes["successor"].cpu().numpy()
    position = state.nodes["position"].cpu().numpy()
    order = _follow(successor, ptr)
    _improve_all(order, ptr, position, state.graphs["rounding"].cpu().numpy())
    return in_order(state, torch.from_numpy(order).to(state.device))


@jit_as_written
def _follow(successor: np.ndarray, ptr: np.ndarray) -> np.ndarray:
    """[N]: the nodes of each graph in the order of its tour, numbered over the union."""
    order = np.empty_like(successor)
    for graph in range(ptr.size - 1):
        node = ptr[graph]
        for place in range(ptr[graph], ptr[graph + 1]):
            order[place] = node
            node = ptr[graph] + successor[node]
    return order


@jit_as_written
def _radians(angle: float) -> float:
    degrees = math.trunc(angle)
    return 3.141592 * (degrees + 5 * (angle - degrees) / 3) / 180


@jit_as_written
def _on_globe(one: np.ndarray, other: np.ndarray) -> float:
    if one[0] == other[0] and one[1] == other[1]:
        return 0.0
    latitude, longitude = _radians(one[0]), _radians(one[1])
    other_latitude, other_longitude = _radians(other[0]), _radians(other[1])
    q1, q2 = math.cos(longitude - other_longitude), math.cos(latitude - other_latitude)
    chord = 0.5 * ((1 + q1) * q2 - (1 - q1) * math.cos(latitude + other_latitude))
    return math.floor(6378.388 * math.acos(min(max(chord, -1.0), 1.0)) + 1)


@jit_as_written
def distance_between(position: np.ndarray, rounding: int, one: int, other: int) -> float:
    """The distance of `plane.distance`, of two rows of `position`."""
    dx, dy = position[one, 0] - position[other, 0], position[one, 1] - position[other, 1]
    square = dx * dx + dy * dy
    if rounding == 4:
        return _on_globe(position[one], position[other])
    if rounding == 3:
        return math.ceil(math.sqrt(square / 10))
    exact = math.sqrt(square)
    if rounding == 1:
        return math.floor(exact + 0.5)
    return math.ceil(exact) if rounding == 2 else exact


@jit_as_written
def _improve_all(order: np.ndarray, ptr: np.ndarray, position: np.ndarray, rounding: np.ndarray) -> None:
    for graph in range(ptr.size - 1):
        tour = order[ptr[graph] : ptr[graph + 1]]
        length = 0.0
        for i in range(tour.size):
            length += distance_between(position, rounding[graph], tour[i - 1], tour[i])
        while _two_opt(tour, position, rounding[graph], _LEAST * length) or _or_opt(
            tour, position, rounding[graph], _LEAST * length
        ):
            pass


@jit_as_written
def _two_opt(tour: np.ndarray, position: np.ndarray, rounding: int, least: float) -> bool:
    """One pass over all pairs of edges; whether any exchange was played."""
    size, found = tour.size, False
    for i in range(size - 2):
        for j in range(i + 2, size if i else size - 1):
            a, b, c, d = tour[i], tour[i + 1], tour[j], tour[(j + 1) % size]
            old = distance_between(position, rounding, a, b) + distance_between(position, rounding, c, d)
            new = distance_between(position, rounding, a, c) + distance_between(position, rounding, b, d)
            if old - new > least:
                for k in range((j - i) // 2):
                    tour[i + 1 + k], tour[j - k] = tour[j - k], tour[i + 1 + k]
                found = True
    return found


@jit_as_written
def _or_opt(tour: np.ndarray, position: np.ndarray, rounding: int, least: float) -> bool:
    """One pass over all pieces of up to three nodes and all places for them; whether any was moved."""
    size, found = tour.size, False
    for length in range(1, min(3, size - 3) + 1):
        for _ in range(size):
            # The piece stands first; the pass turns the tour by one node each time.
            head = tour[0]
            for k in range(1, size):
                tour[k - 1] = tour[k]
            tour[size - 1] = head
            first, last, before, after = tour[0], tour[length - 1], tour[size - 1], tour[length]
            saved = (
                distance_between(position, rounding, before, first)
                + distance_between(position, rounding, last, after)
                - distance_between(position, rounding, before, after)
            )
            best, best_place, turned = least, 0, False
            for place in range(length, size - 1):
                one, other = tour[place], tour[place + 1]
                between = saved + distance_between(position, rounding, one, other)
                straight = distance_between(position, rounding, one, first) + distance_between(
                    position, rounding, last, other
                )
                back = distance_between(position, rounding, one, last) + distance_between(
                    position, rounding, first, other
                )
                if between - min(straight, back) > best:
                    best, best_place, turned = between - min(straight, back), place, back < straight
            if best_place:
                piece = tour[:length].copy()
                for k in range(length, best_place + 1):
                    tour[k - length] = tour[k]
                for k in range(length):
                    tour[best_place - k if turned else best_place - length + 1 + k] = piece[k]
                found = True
    return found
