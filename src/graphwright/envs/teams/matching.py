"""Optimal one-to-one matchings of agents and landmarks, of many teams at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.segment import Segments


def match(one: Tensor, ones: Segments, other: Tensor, others: Segments) -> Tensor:
    """[M] int64: the place of the landmark that each agent has in the matching of least total distance.

    one: [M, 2], where the agents of each group of `ones` are; other: [L, 2] likewise, as many in each group or more.
    """
    matched = torch.empty(one.shape[0], dtype=torch.int64)
    places = one.detach().cpu().double(), ones.ptr.cpu(), other.detach().cpu().double(), others.ptr.cpu()
    _match_groups(*arrays(*places, matched))
    return matched.to(one.device)


@jit_as_written
def _match_groups(one, one_ptr, other, other_ptr, matched):  # type: ignore[no-untyped-def]
    """The Hungarian method with potentials, row by row: O(n² m) a group (Jonker & Volgenant 1987)."""
    for group in range(one_ptr.shape[0] - 1):
        n, m = one_ptr[group + 1] - one_ptr[group], other_ptr[group + 1] - other_ptr[group]
        row_price, column_price = np.zeros(n + 1), np.zeros(m + 1)
        owner, before = np.zeros(m + 1, np.int64), np.zeros(m + 1, np.int64)
        for row in range(1, n + 1):
            owner[0] = row
            column = 0
            least = np.full(m + 1, np.inf)
            used = np.zeros(m + 1, np.bool_)
            while True:
                used[column] = True
                current, step, following = owner[column], np.inf, 0
                a = one_ptr[group] + current - 1
                for j in range(1, m + 1):
                    if used[j]:
                        continue
                    b = other_ptr[group] + j - 1
                    distance = np.sqrt((one[a, 0] - other[b, 0]) ** 2 + (one[a, 1] - other[b, 1]) ** 2)
                    reduced = distance - row_price[current] - column_price[j]
                    if reduced < least[j]:
                        least[j], before[j] = reduced, column
                    if least[j] < step:
                        step, following = least[j], j
                for j in range(m + 1):
                    if used[j]:
                        row_price[owner[j]] += step
                        column_price[j] -= step
                    else:
                        least[j] -= step
                column = following
                if owner[column] == 0:
                    break
            while column != 0:
                owner[column] = owner[before[column]]
                column = before[column]
        for j in range(1, m + 1):
            if owner[j] > 0:
                matched[one_ptr[group] + owner[j] - 1] = j - 1
