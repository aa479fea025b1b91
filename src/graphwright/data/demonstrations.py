"""`Demonstrations`: states, with what an expert would do in each."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from graphwright.core.segment import Segments
from graphwright.data.states import States


@dataclass(frozen=True, eq=False)
class Demonstrations:
    """M states in which episodes acted, in the order of time.

    states: the M states. approved: [K] bool, what the expert approves of among the candidates of all M states, which
        `candidates` groups; nothing in states from which the expert's solution cannot be reached any more.
    returns: [episodes] float32, the undiscounted return of each episode.
    """

    states: States
    approved: Tensor
    candidates: Segments
    returns: Tensor

    @property
    def num_steps(self) -> int:
        """M."""
        return self.candidates.num_groups

    def select(self, rows: Tensor) -> Tensor:
        """What the expert approves of in the states at `rows` [S] int64, over their candidates, bool."""
        return self.approved[self.candidates.select(rows)[1]]
