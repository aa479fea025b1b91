"""Replay: objects that were built before, with their rewards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.generative.environment import FlowEnvironment

ReplayBy = Literal["uniform", "reward", "loss", "diverse"]


class Replay:
    """At most `capacity` objects.

    measures: [S, K] float64 and log_reward: [S] float64, of each; priority: [S] float32, how wrong the policy was.
    """

    def __init__(self, environment: FlowEnvironment, capacity: int, by: ReplayBy) -> None:
        self.environment = environment
        self.capacity = capacity
        self.by = by
        self.objects: GraphBatch | None = None
        self.measures = torch.empty(0, 0, dtype=torch.float64)
        self.log_reward = torch.empty(0, dtype=torch.float64)
        self.priority = torch.empty(0)

    def __len__(self) -> int:
        return self.log_reward.numel()

    def add(self, objects: GraphBatch, measures: Tensor, log_reward: Tensor, priority: Tensor) -> None:
        """Remember `objects` [B]; the oldest are forgotten, or for "diverse" the worst and what is there already."""
        self.measures = measures if self.objects is None else torch.cat([self.measures, measures])
        self.objects = objects if self.objects is None else GraphBatch.concat([self.objects, objects])
        self.log_reward = torch.cat([self.log_reward, log_reward])
        self.priority = torch.cat([self.priority, priority])
        if self.by == "diverse":
            first = {key: row for row, key in reversed(list(enumerate(self.environment.keys(self.objects))))}
            different = torch.tensor(sorted(first.values()))
            best = self.log_reward[different].argsort(descending=True, stable=True)[: self.capacity]
            self._keep(different[best.sort().values])
        elif len(self) > self.capacity:
            self._keep(torch.arange(len(self) - self.capacity, len(self)))

    def draw(self, count: int, generator: torch.Generator) -> tuple[GraphBatch, Tensor]:
        """`count` remembered objects, repeats allowed, and their measures [count, K]."""
        assert self.objects is not None
        rows = self._rows(count, generator)
        return self.objects.select(rows), self.measures[rows]

    def _rows(self, count: int, generator: torch.Generator) -> Tensor:
        every = torch.randint(len(self), (count,), generator=generator)
        match self.by:
            case "reward":  # Shen et al. 2023, "Towards understanding and improving GFlowNet training", section 4.1
                best = self.log_reward.argsort(descending=True, stable=True)[: max(len(self) // 10, 1)]
                chosen = best[torch.randint(best.numel(), (count,), generator=generator)]
                return torch.where(torch.arange(count) < count // 2, chosen, every)
            case "loss":  # Schaul et al. 2016, "Prioritized experience replay", eq. 1, with exponent 1
                weight = self.priority.clamp(min=1e-6)
                return torch.multinomial(weight, count, replacement=True, generator=generator)
            case _:
                return every

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        if self.objects is None:
            return {}
        columns = {f"objects.{name}": tensor for name, tensor in self.objects.to_tensors().items()}
        return {"measures": self.measures, "log_reward": self.log_reward, "priority": self.priority, **columns}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        if state:
            self.measures, self.log_reward = state["measures"], state["log_reward"]
            self.priority = state["priority"]
            start = "objects."
            columns = {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}
            self.objects = GraphBatch.from_tensors(columns)

    def _keep(self, rows: Tensor) -> None:
        assert self.objects is not None
        self.objects = self.objects.select(rows)
        self.measures, self.log_reward = self.measures[rows], self.log_reward[rows]
        self.priority = self.priority[rows]
