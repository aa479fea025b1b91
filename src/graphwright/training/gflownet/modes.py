"""How different generated objects are: diversity of the best, and modes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Similarity = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Indices [r] and [c] of objects to their similarities [r, c], symmetric, 1 for equal ones."""
_BLOCK = 512


class Tanimoto:
    """Tanimoto similarity |a ∧ b| / |a ∨ b| of fingerprints, 1 where both are empty (Rogers and Tanimoto 1960).

    bits: [n, d] bool, d at most 2²⁴; one bit each is kept.
    """

    def __init__(self, bits: np.ndarray) -> None:
        self.packed = np.packbits(np.asarray(bits, bool), axis=1)
        self.count = np.asarray(bits, bool).sum(1)

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """[r, c] float64."""
        # A product of 0-1 matrices counts common bits exactly, and as fast as a popcount of the words of each pair.
        left, right = (np.unpackbits(self.packed[index], axis=1).astype(np.float32) for index in (rows, columns))
        common = (left @ right.T).astype(np.float64)
        union = self.count[rows][:, None] + self.count[columns] - common
        return np.where(union > 0, common / np.maximum(union, 1), 1.0)


def top_k_diversity(rewards: np.ndarray, similarity: Similarity, k: int) -> float:
    """`diversity` of the k objects of largest reward [n]."""
    best = _best(rewards, k)
    return diversity(len(best), lambda rows, columns: similarity(best[rows], best[columns]))


def diversity(count: int, similarity: Similarity) -> float:
    """Mean of 1 − similarity over all pairs of different objects, NaN of fewer than two (Bengio et al. 2021, "Flow
    network based generative models", report the mean similarity of the best)."""
    if count < 2:
        return float("nan")
    objects = np.arange(count)
    total = 0.0
    for start in range(0, count, _BLOCK):
        rows = objects[start : start + _BLOCK]
        above = similarity(rows, objects[start:])
        total += np.triu(1 - above, 1).sum()
    return float(2 * total / (count * (count - 1)))


def find_modes(rewards: np.ndarray, similarity: Similarity, threshold: float, max_similarity: float) -> np.ndarray:
    """Indices of the modes among objects with `rewards` [n], best first.

    By falling reward (the first of equal ones first), an object is a mode if its reward is at least `threshold` and its
    similarity to each mode so far is below `max_similarity` (the "Tanimoto-separated modes" of Bengio et al. 2021).
    Similarities are taken in blocks of rows, against the modes so far only.
    """
    order = _best(rewards, len(rewards))
    order = order[np.asarray(rewards)[order] >= threshold]
    modes = order[:0]
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        if modes.size:
            block = block[(similarity(block, modes) < max_similarity).all(1)]
        apart = similarity(block, block) < max_similarity
        left = np.ones(len(block), bool)
        kept = []
        while left.any():
            first = int(left.argmax())
            kept.append(first)
            left &= apart[first]
            left[first] = False
        modes = np.concatenate([modes, block[kept]])
    return modes


def _best(rewards: np.ndarray, k: int) -> np.ndarray:
    """[min(k, n)] int64: indices of the largest, best first, the first of equal ones first."""
    return np.argsort(-np.asarray(rewards), kind="stable")[:k]
