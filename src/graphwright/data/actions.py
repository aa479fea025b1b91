"""`ActionTable`: the actions that were taken in many states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core.segment import Segments


@dataclass(frozen=True, eq=False)
class ActionTable:
    """What was chosen in each of Q decisions of M states.

    values: [Q] int32, the place of a candidate; or, where actions are continuous, [Q, columns] float32.
    states: the decisions of each state (Q → M); None where each state has exactly one.
    """

    values: Tensor
    states: Segments | None = None

    @staticmethod
    def of(actions: Sequence[Tensor], graphs: Sequence[Segments] | None = None) -> ActionTable:
        """The table of `actions`, a tensor for each batch of states, whose decisions `graphs` group."""
        values = torch.cat(list(actions))
        values = values if values.is_floating_point() else values.to(torch.int32)
        states = None if graphs is None else Segments.from_lengths(torch.cat([group.lengths for group in graphs]))
        return ActionTable(values, states)

    @property
    def nbytes(self) -> int:
        """Bytes of what is stored."""
        return self.values.nbytes + (0 if self.states is None else self.states.ptr.nbytes)

    def decisions(self, rows: Tensor) -> tuple[Tensor, Segments | None]:
        """The rows [S'] of the decisions in the states at `rows` [S] int64, and their groups (S' → S), as `states`."""
        if self.states is None:
            return rows, None
        groups, chosen = self.states.select(rows)
        return chosen, groups

    def select(self, rows: Tensor) -> Tensor:
        """The actions in the states at `rows` [S] int64, as an environment and a distribution take them."""
        values = self.values[self.decisions(rows)[0]]
        return values if values.is_floating_point() else values.long()
