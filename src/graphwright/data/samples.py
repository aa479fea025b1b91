"""`ReplaySamples`: the minibatches of one update, drawn from a replay while they are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.data.replay import Replay, Transitions

DECISIONS = "decisions"
"""The group of a transition that holds what was decided."""
SEARCHED, OUTCOME = "searched", "outcome"
"""The group of a position that holds what a search has found there, with a "policy" [K]; and its column with the
outcome of the game for the side that moves, -1 to 1."""
_LEAST_PRIORITY = 1e-3


@dataclass(frozen=True, eq=False)
class ReplaySamples:
    """`count` minibatches of `size` transitions, drawn as they are iterated.

    Transitions have the columns "reward" [S, n] (those of the next steps, 0 after the last that counts), "length" [S]
    int64 (how many count) and "terminated" [S] bool, and the group "decisions" with "action" [D] (or [D, columns]);
    where there may be several on a graph, "successor" [D] int64, the place of the decider among those of its graph in
    the next state, or -k where it is gone after k of the steps; where each has a reward of its own, "reward" [D].

    priority: the exponent by which they are drawn; 0 draws all alike. generator: of the CPU.
    """

    replay: Replay
    count: int
    size: int
    priority: float
    generator: torch.Generator

    def __iter__(self) -> Iterator[Transitions]:
        for _ in range(self.count):
            if self.priority > 0:
                yield self.replay.sample_by_priority(self.size, self.generator, self.priority)
            else:
                yield self.replay.sample(self.size, self.generator)

    def set_error(self, ids: Tensor, error: Tensor) -> None:
        """What the transitions of `ids` [S] were wrong by, [S]: how soon they are drawn again."""
        if self.priority > 0:
            self.replay.set_priority(ids, error.detach().abs() + _LEAST_PRIORITY)
