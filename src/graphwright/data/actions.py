"""`ActionTable`: the actions that were taken in many states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch
from graphwright.core.segment import Segments


@dataclass(frozen=True, eq=False)
class ActionTable:
    """One action for each of M states.

    values: [M] int32, the place of a candidate; or, where actions are continuous, [N, columns] float32, a row for each
        node of all M states, which `nodes` groups.
    """

    values: Tensor
    nodes: Segments | None = None

    @staticmethod
    def of(spec: ActionSpec, states: Sequence[GraphBatch], actions: Sequence[Tensor]) -> ActionTable:
        """The table of `actions`, one tensor for each batch of `states`."""
        values = torch.cat(list(actions))
        if not spec.continuous:
            return ActionTable(values.to(torch.int32))
        return ActionTable(values, Segments.from_lengths(torch.cat([state.node_segments.lengths for state in states])))

    def select(self, rows: Tensor) -> Tensor:
        """The actions of the states at `rows` [S] int64, as an environment and a distribution take them."""
        if self.nodes is None:
            return self.values[rows].long()
        return self.values[self.nodes.select(rows)[1]]
