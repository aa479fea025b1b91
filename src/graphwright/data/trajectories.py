"""Trajectories of objects that were built: the one layout that every flow objective reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.distinct import Distinct, distinct_numbers
from graphwright.core.segment import Segments
from graphwright.data.states import SharedStates, StateTable, WholeStates


@dataclass(frozen=True, eq=False)
class Trajectories:
    """M trajectories, all visited states one after the other.

    table: [R] visited states, grouped by trajectory, from the initial state to the last, which is the object.
    segments: the rows of each trajectory.
    forward: [R] int64, the action that was taken in each state; -1 where it is final without stop.
    backward: [R] int64, the backward action that leads to the state before; -1 in initial states.
    """

    table: WholeStates | StateTable | SharedStates
    segments: Segments
    forward: Tensor
    backward: Tensor

    @property
    def num_trajectories(self) -> int:
        """M."""
        return self.segments.num_groups

    @cached_property
    def states(self) -> GraphBatch:
        """[R]: all visited states."""
        if isinstance(self.table, WholeStates):
            return self.table.states
        return self.table.select(torch.arange(self.table.num_states, device=self.forward.device))

    @cached_property
    def distinct(self) -> Distinct:
        """Which visited states are the same."""
        return distinct_numbers(self.table.numbers)

    @cached_property
    def distinct_states(self) -> GraphBatch:
        """[U]: one of each of the visited states that are different."""
        return self.table.select(self.distinct.rows)

    @cached_property
    def objects(self) -> GraphBatch:
        """[M]: the last state of each."""
        return self.table.select(self.segments.ptr[1:] - 1)

    @property
    def initial(self) -> GraphBatch:
        """[M]: the first state of each."""
        return self.table.select(self.segments.ptr[:-1])

    def select(self, index: Tensor) -> Trajectories:
        """The trajectories at `index` [S] int64."""
        segments, rows = self.segments.select(index)
        return Trajectories(self.table.take(rows), segments, self.forward[rows], self.backward[rows])

    @staticmethod
    def concat(parts: Sequence[Trajectories]) -> Trajectories:
        """All of `parts`, in order."""
        first, *others = (part.table for part in parts)
        return Trajectories(
            first.join(others),  # type: ignore[arg-type]  # an environment stores its states in one way
            Segments.from_lengths(torch.cat([part.segments.lengths for part in parts])),
            torch.cat([part.forward for part in parts]),
            torch.cat([part.backward for part in parts]),
        )

    @staticmethod
    def of(
        walkers: Sequence[Tensor],
        states: Sequence[GraphBatch],
        forward: Tensor,
        backward: Tensor,
        given: GraphBatch | None = None,
    ) -> Trajectories:
        """From what was seen step by step: which walkers [A] were where, in `states` [A], and their actions [R].

        given: [M], what no step changes of the states of each walker, to store it once; None where that is nothing.
        Raises ValueError where a walker was nowhere.
        """
        walker = torch.cat(list(walkers))
        count = torch.bincount(walker)
        if not bool((count > 0).all()):
            raise ValueError("a trajectory has at least its initial state")
        order = torch.argsort(walker, stable=True)
        table = WholeStates(GraphBatch.concat(states)) if given is None else StateTable.of(given, walkers, states)
        return Trajectories(table.take(order), Segments.from_lengths(count), forward[order], backward[order])
