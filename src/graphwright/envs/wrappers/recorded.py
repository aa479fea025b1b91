"""Episodes that can be told afterwards: an environment that remembers which actions led to each of its states."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Step
from graphwright.envs.optimization import Optimization
from graphwright.envs.planned import Planned, PlanStep, Sequential
from graphwright.envs.wrappers.around import AroundOptimization


@dataclass(frozen=True)
class Recorded(AroundOptimization, Planned):
    """Another environment whose states can be traced back to their beginnings, whoever plays it.

    inner: the environment. record: of every step that was taken, the number of the one before it, -1 for none, and its
    action; it grows for as long as the environment lives.

    State: adds the graph column `last_step` [B] int64, the number of the step that led to it, -1 at first.
    """

    inner: Sequential
    record: list[tuple[int, int]] = field(default_factory=list, compare=False, repr=False)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        none = torch.full((instances.num_graphs,), -1, dtype=torch.int64, device=instances.device)
        return self.inner.reset(instances).with_graphs(last_step=none)

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        first = len(self.record)
        self.record.extend(zip(state.graphs["last_step"].tolist(), action.tolist(), strict=True))
        step = self.inner.step(state, action)
        number = torch.arange(first, len(self.record), device=state.device)
        return replace(step, state=step.state.with_graphs(last_step=number))

    @override
    def plan(self, state: GraphBatch) -> list[PlanStep]:
        """The episode of `state`, played again."""
        at = self.inner.reset(state)
        steps = self.inner.beginning(at)
        time = 0.0
        for number in self._actions(state):
            action = torch.tensor([number], device=state.device)
            following = self.inner.step(at, action).state
            steps.append(self.inner.told(at, action, following, time))
            at, time = following, steps[-1].time
        return steps

    def _actions(self, state: GraphBatch) -> list[int]:
        """The actions that led from the beginning to the one graph of `state`."""
        actions, number = [], int(state.graphs["last_step"])
        while number >= 0:
            number, action = self.record[number]
            actions.append(action)
        return actions[::-1]


def recorded(environment: Optimization) -> Optimization:
    """`environment`, so that final states hold a plan if its solutions are its own steps."""
    return Recorded(environment) if isinstance(environment, Sequential) else environment


def unrecorded(environment: Optimization) -> Optimization:
    """The environment whose options are asked for."""
    return environment.inner if isinstance(environment, Recorded) else environment
