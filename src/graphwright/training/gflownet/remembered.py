"""A function of states that is asked once for each of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.distinct import distinct_numbers, graph_hashes

_CAPACITY = 50_000


class Remembered:
    """`function`, states [B] → [B, ...], which is only asked for states that it was not asked for before.

    States are the same where all their numbers are. At most `capacity` are remembered; then all are forgotten.
    """

    def __init__(self, function: Callable[[GraphBatch], Tensor], capacity: int = _CAPACITY) -> None:
        self.function = function
        self.capacity = capacity
        self.place: dict[int, int] = {}
        self.values: Tensor | None = None

    def __call__(self, states: GraphBatch) -> Tensor:
        """[B, ...]."""
        hashes = graph_hashes(states)
        rows, index = distinct_numbers(hashes)
        keys = hashes[rows].tolist()
        new = [number for number, key in enumerate(keys) if key not in self.place]
        if len(self.place) + len(new) > self.capacity:
            self.place, self.values, new = {}, None, list(range(len(keys)))
        if new or self.values is None:
            found = self.function(states.select(rows[torch.tensor(new, dtype=torch.int64)]))
            self.place |= {keys[number]: len(self.place) + count for count, number in enumerate(new)}
            self.values = found if self.values is None else torch.cat([self.values, found])
        return self.values[torch.tensor([self.place[key] for key in keys], dtype=torch.int64)[index]]
