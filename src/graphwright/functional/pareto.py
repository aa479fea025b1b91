"""How well a set of points covers several objectives, all of which are maximised."""

from __future__ import annotations

from itertools import combinations

import numpy as np

_BLOCK = 256


def pareto_front(points: np.ndarray) -> np.ndarray:
    """[n] bool: which of `points` [n, K] no other point dominates, which is at least as large everywhere and larger
    somewhere. Equal points do not dominate each other."""
    points = np.asarray(points)
    # A point that dominates another comes before it in lexicographic order.
    order = np.lexsort(-points.T[::-1])
    is_front = np.zeros(len(points), bool)
    front = order[:0]
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        for rivals in (front, block):
            dominated = _dominates(points[rivals][:, None], points[block]).any(0)
            block = block[~dominated]
        is_front[block] = True
        front = np.concatenate([front, block])
    return is_front


def hypervolume(points: np.ndarray, reference: np.ndarray) -> float:
    """Volume of what the `points` [n, K] dominate above `reference` [K], exactly; 0 of no points.

    λ(∪ᵢ [reference, pointᵢ]) (Zitzler and Thiele 1998). By slices along the last objective, each point adding what its
    predecessors leave of its own box: their boxes cut to it are a problem of K − 1 objectives with few points (While,
    Bradstreet and Barone 2012, "A fast way of calculating exact hypervolumes"). Meant for K ≤ 4.
    """
    height = np.asarray(points, np.float64).reshape(-1, len(reference)) - np.asarray(reference, np.float64)
    height = height[(height > 0).all(1)]
    return _volume(height[pareto_front(height)])


def igd(points: np.ndarray, front: np.ndarray) -> float:
    """Inverted generational distance: mean over `front` [m, K] of the Euclidean distance to the nearest of `points`
    [n, K]. Smaller is better (Coello Coello and Reyes Sierra 2004; the mean as in Ishibuchi et al. 2015)."""
    points, front = np.asarray(points, np.float64), np.asarray(front, np.float64)
    nearest = [
        np.linalg.norm(front[start : start + _BLOCK, None] - points, axis=2).min(1)
        for start in range(0, len(front), _BLOCK)
    ]
    return float(np.concatenate(nearest).mean())


def r2(points: np.ndarray, weights: np.ndarray, ideal: np.ndarray) -> float:
    """R2 indicator with weighted Chebyshev utilities: mean over `weights` [W, K] of minₚ maxₖ wₖ |idealₖ − pₖ|.

    Smaller is better (Hansen and Jaszkiewicz 1998; this form: Brockhoff, Wagner and Trautmann 2012). points: [n, K].
    """
    distance = np.abs(np.asarray(ideal, np.float64) - np.asarray(points, np.float64))
    return float(np.mean([(weight * distance).max(1).min() for weight in np.asarray(weights, np.float64)]))


def simplex_weights(num_objectives: int, divisions: int) -> np.ndarray:
    """[C(divisions + K − 1, K − 1), K] float64: all weights that are multiples of 1 / divisions and add up to 1 (the
    simplex lattice of Das and Dennis 1998)."""
    places = divisions + num_objectives - 1
    bars = np.array(list(combinations(range(places), num_objectives - 1)), np.int64)
    ends = np.full((len(bars), 1), places)
    return (np.diff(np.hstack([np.full_like(ends, -1), bars, ends])) - 1) / divisions


def _dominates(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    dominates: np.ndarray = np.all(left >= right, axis=-1) & np.any(left > right, axis=-1)
    return dominates


def _volume(height: np.ndarray) -> float:
    """Volume of the union of the boxes from 0 to each row of `height` [n, K], all positive, none dominated if K > 2."""
    if not len(height):
        return 0.0
    if height.shape[1] == 1:
        return float(height.max())
    height = height[np.argsort(-height[:, -1], kind="stable")]
    if height.shape[1] == 2:
        reach = np.maximum.accumulate(height[:, 0])
        return float(np.diff(reach, prepend=0.0) @ height[:, 1])
    base = height[:, :-1]
    total = 0.0
    for place, box in enumerate(base):
        covered = np.minimum(base[:place], box)
        if covered.shape[1] > 2:
            covered = covered[pareto_front(covered)]
        total += height[place, -1] * (float(box.prod()) - _volume(covered))
    return total
