"""Steps of live episodes that run on from one update to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.memory import STEP, require_memory
from graphwright.core.numbers import require_each
from graphwright.core.segment import Segments
from graphwright.data.rollout import Rollout
from graphwright.data.sources import GeneratedInstances, RepeatedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.envs.team import graph_reward, has_own_reward
from graphwright.envs.vector import VectorEnv, VectorEnvironment
from graphwright.nn import GraphPolicy
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.live import LiveCollector
from graphwright.training.collectors.play import PlayConfig
from graphwright.training.collectors.tables import InstanceRows, action_table, store_states


@dataclass(frozen=True)
class StepsConfig(PlayConfig):
    """Steps of live episodes that run on from one update to the next."""

    num_envs: int = 256
    """Episodes side by side."""
    num_steps: int = 16
    """Steps of each between updates."""
    copies: int = 1
    """Episodes of each instance side by side, which are compared: they meet the same chance as long as none ends before
    the others, so what chance does to all of them is not taken for the merit of an action."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require_each(self, "", ("num_envs", "num_steps", "copies"))
        if self.num_envs % self.copies:
            raise ValueError(f"--copies {self.copies}: give a divisor of --num-envs, {self.num_envs}")

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        drawn = source if self.copies == 1 else RepeatedInstances(source, self.copies)
        vector = VectorEnvironment(environment, drawn, self.num_envs)
        return StepCollector(vector, self.num_steps, generator, source, self.copies)


class StepCollector(LiveCollector):
    """`num_steps` steps of every live episode. source: where fresh instances come from, if it has a memory."""

    def __init__(
        self,
        vector: VectorEnv,
        num_steps: int,
        generator: torch.Generator,
        source: GeneratedInstances | None = None,
        copies: int = 1,
    ) -> None:
        super().__init__(vector, source)
        require_memory(STEP * num_steps * vector.num_envs)
        self.num_steps = num_steps
        self.generator = generator
        self.copies = copies

    @override
    def collect(self, policy: Any) -> Collected:
        rollout = replace(collect_steps(self.vector, policy, self.num_steps, self.generator), copies=self.copies)
        done = rollout.terminated | rollout.truncated
        return Collected(rollout, rollout.num_steps, self.of_ended(rollout.reward, done, rollout.lost))


def collect_steps(vector: VectorEnv, policy: GraphPolicy, num_steps: int, generator: torch.Generator) -> Rollout:
    """`num_steps` steps of every live episode, going on from where they are."""
    played, states = InstanceRows(vector.instances), []
    final_rows: list[Tensor] = []
    final_states: list[GraphBatch] = []
    chosen, steps = [], []
    for _ in range(num_steps):
        states.append(vector.state)
        chosen.append(policy.act(vector.observe(), generator))
        vector.state = chosen[-1].into(vector.state)
        step = vector.step(chosen[-1].action)
        steps.append(step)
        if step.final.num_graphs:
            final_rows.append(played.row[step.truncated])
            final_states.append(step.final)
        played.follow(step.terminated | step.truncated, step.fresh)
    truncated = torch.stack([step.truncated for step in steps])
    environment, graphs = vector.environment, [choice.graphs for choice in chosen]
    rewards = [graph_reward(environment, step.reward, own) for step, own in zip(steps, graphs, strict=True)]
    return Rollout(
        states=store_states(
            environment,
            played.instances,
            [*played.rows, played.row, *final_rows],
            [*states, vector.state, *final_states],
        ),
        action=action_table(environment.actions, [choice.action for choice in chosen], graphs),
        log_prob=torch.cat([choice.log_prob for choice in chosen]),
        reward=torch.stack(rewards),
        terminated=torch.stack([step.terminated for step in steps]),
        truncated=truncated,
        next_row=_next_rows(truncated),
        lost=torch.stack([torch.zeros_like(step.truncated) if step.lost is None else step.lost for step in steps]),
        own_reward=torch.cat([step.reward for step in steps]) if has_own_reward(environment) else None,
        successor=_successors([step.successor for step in steps], graphs),
    )


def _successors(successors: Sequence[Tensor | None], graphs: Sequence[Segments]) -> Tensor | None:
    """[Q] int32, see `Rollout`."""
    if all(successor is None for successor in successors):
        return None
    places = [own.position if given is None else given for given, own in zip(successors, graphs, strict=True)]
    return torch.cat(places).to(torch.int32)


def _next_rows(truncated: Tensor) -> Tensor:
    """[T, B] int32: one step on, or among the final states, which follow the T · B + B others."""
    num_steps, num_envs = truncated.shape
    following = torch.arange(num_envs, (num_steps + 1) * num_envs, device=truncated.device).view_as(truncated)
    final = (num_steps + 1) * num_envs + truncated.flatten().cumsum(0).view_as(truncated) - 1
    return torch.where(truncated, final, following).to(torch.int32)
