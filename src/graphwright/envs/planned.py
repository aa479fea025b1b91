"""The capability to say what is to be done one step after the other, so that somebody can do it."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.optimization import Optimization


class PlanStep(NamedTuple):
    """One step of a plan.

    do: a verb, such as "start", "go", "wait", "repair". time: when it is over, counted from the beginning of the plan.
    total: the objective of what is done by then. node, link: what it is done to, counted from 0; None where nothing is.
    """

    do: str
    time: float
    total: float
    node: int | None = None
    link: tuple[int, int] | None = None


class Planned(Optimization):
    """An optimisation whose final states say in which order things are to be done."""

    @abstractmethod
    def plan(self, state: GraphBatch) -> list[PlanStep]:
        """What `state`, a batch of one graph, says is to be done."""


class Sequential(Optimization):
    """An optimisation whose solution is its own steps, one action a graph each, which states do not hold.

    `envs.wrappers.recorded` remembers them.
    """

    @abstractmethod
    def beginning(self, start: GraphBatch) -> list[PlanStep]:
        """Where one graph begins: a step of no time, or none."""

    @abstractmethod
    def told(self, before: GraphBatch, action: Tensor, after: GraphBatch, time: float) -> PlanStep:
        """What `action` [1] is that led from the state `before`, reached at `time`, to the state `after`."""
