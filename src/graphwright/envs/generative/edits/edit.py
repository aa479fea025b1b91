"""What an edit is: one kind of forward action with the one kind of backward action that takes it back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor

from graphwright.core import ActionBlock, GraphBatch


class Done(NamedTuple):
    """What an edit did to some graphs of a batch.

    state: all graphs, the others as they were. row: [S] int64, the row inside each edited graph, as `state` has it, of
    the action that leads back; column: [S] int64, its column, or one for all.
    """

    state: GraphBatch
    row: Tensor
    column: Tensor | int = 0


class Edit(ABC):
    """A pair of action blocks, what they need, and what they do. The backward block has one column."""

    @property
    @abstractmethod
    def forward(self) -> ActionBlock:
        """What may be done."""

    @property
    @abstractmethod
    def backward(self) -> ActionBlock:
        """What may be taken back."""

    @abstractmethod
    def mask(self, state: GraphBatch) -> Tensor:
        """[rows, columns] or [rows] bool: which forward actions are legal."""

    @abstractmethod
    def backward_mask(self, state: GraphBatch) -> Tensor:
        """[rows] bool: which backward actions are legal."""

    @abstractmethod
    def do(self, state: GraphBatch, graphs: Tensor, row: Tensor, column: Tensor) -> Done:
        """Edit `graphs` [S] int64, rising, at the rows and columns [S] of the forward block."""

    @abstractmethod
    def take_back(self, state: GraphBatch, graphs: Tensor, row: Tensor) -> Done:
        """Undo in `graphs` [S] int64, rising, what the rows [S] of the backward block name."""
