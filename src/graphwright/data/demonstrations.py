"""`Demonstrations`: states, with what an expert would do in each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core.segment import Segments
from graphwright.data.actions import ActionTable
from graphwright.data.states import States


@dataclass(frozen=True, eq=False)
class Demonstrations:
    """M states, and what is right in each.

    states: the M states, which are those at `rows` [M] int64 of a longer table where there are `rows`.
    action: of the decisions in these states; None where `target` alone says what is right.
    target: [K] of the candidates of all states, which `candidates` groups by state: bool, which are right (none where
        the expert knows no way), or float32: how right each is, 0 to 1, as an expert says; its probability, in a
        recording; what it earned, of forks. None where there is `action` alone.
    """

    states: States
    action: ActionTable | None = None
    target: Tensor | None = None
    candidates: Segments | None = None
    rows: Tensor | None = None

    @property
    def num_steps(self) -> int:
        """M."""
        return self.states.num_states if self.rows is None else self.rows.numel()

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        held = self.action.values if self.target is None and self.action is not None else self.target
        assert held is not None
        return held.device

    def places(self, rows: Tensor) -> Tensor:
        """Where the states at `rows` [S] of these are in the table."""
        return rows if self.rows is None else self.rows[rows]

    def targets(self, places: Tensor) -> Tensor:
        """What is right in the states at `places` [S] int64 of the table, over their candidates."""
        assert self.target is not None
        assert self.candidates is not None
        return self.target[self.candidates.select(places)[1]]
