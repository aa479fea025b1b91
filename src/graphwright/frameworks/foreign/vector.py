"""`ForeignVectorEnv`: many episodes of foreign environments side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, GraphError, Observation
from graphwright.core.segment import segment_sum
from graphwright.envs.team import graph_reward
from graphwright.envs.vector import VectorEnv, VectorStep
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.workers.env_group import GroupStep
from graphwright.workers.env_pool import EnvPool, WorkerFailure


class ForeignVectorEnv(VectorEnv):
    """`num_envs` live episodes, each reset when it ends. A context manager, which closes the environments.

    Where a worker fails, the step that it did not answer has reward 0 and truncates the episode at the state before
    it; `num_lost` counts such steps.
    """

    environment: ForeignEnvironment

    def __init__(self, pool: EnvPool, environment: ForeignEnvironment) -> None:
        self.pool = pool
        self.environment = environment
        try:
            self.state = self._states(pool.reset())
        except BaseException:
            pool.close()
            raise
        self.num_envs = self.state.num_graphs
        self._is_in_step = False

    @property
    @override
    def instances(self) -> GraphBatch:
        """Empty graphs: states are stored whole, so that nothing needs the instances."""
        return bare_graphs(self.state.num_graphs)

    @property
    def failures(self) -> list[WorkerFailure]:
        """The failures of workers so far."""
        return self.pool.failures

    @property
    def num_lost(self) -> int:
        """Steps whose outcome is unknown, since a worker failed."""
        return sum(failure.num_lost for failure in self.failures)

    @override
    def step(self, action: Tensor) -> VectorStep:
        """Play `action`, [B] int64 or [N, columns] float32, and replace the graphs that are done.

        Raises RuntimeError after a step that an exception or Ctrl-C interrupted.
        """
        if self._is_in_step:
            raise RuntimeError("the last step was interrupted and its results are lost; make a new vector environment")
        actions = self.environment.env_actions(self.state, action)
        self._is_in_step = True
        steps = self.pool.step(actions)
        final = self._final(steps)
        reward, successor = self._answers(steps)
        self.state = self._states(steps)
        ends = ((step.terminated, step.truncated, np.full(len(step.terminated), step.lost)) for step in steps)
        terminated, truncated, lost = (
            torch.from_numpy(np.concatenate(parts)).to(self.environment.device) for parts in zip(*ends, strict=True)
        )
        done = int((terminated | truncated).sum())
        self._is_in_step = False
        return VectorStep(reward, terminated, truncated, final, bare_graphs(done), lost, successor)

    def with_fixed_agents(self) -> VectorEnv:
        """The same episodes with fixed rows, as PPO needs them: a row belongs to one episode until that ends."""
        return self

    def close(self) -> None:
        """Close the environments and end the workers."""
        self.pool.close()

    def __enter__(self) -> ForeignVectorEnv:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answers(self, steps: Sequence[GroupStep]) -> tuple[Tensor, Tensor | None]:
        """Rewards, and where the deciders of each graph are in the next state (`Step`), before `state` is replaced."""
        return torch.from_numpy(np.concatenate([step.reward for step in steps])).to(self.environment.device), None

    def _states(self, steps: list[GroupStep]) -> GraphBatch:
        state, actions = self.environment.states([step.live for step in steps]), self.environment.actions
        legal = actions.arrange(state, self.environment.observe(state).masks)
        stuck = (segment_sum(legal, actions.graph_segments(state)) == 0).nonzero()
        if stuck.numel():
            raise GraphError(self._no_way_on(state, int(stuck[0])))
        return state

    def _no_way_on(self, state: GraphBatch, graph: int) -> str:
        """What is said of a graph of `state` in which no action is legal."""
        return f"environment {graph}: no action is legal, yet the episode goes on; end it there"

    def _final(self, steps: list[GroupStep]) -> GraphBatch:
        """The last states of truncated episodes, in graph order; of lost ones the states before the step."""
        finals, start = [], 0
        for step in steps:
            rows = torch.arange(start, start + len(step.terminated), device=self.environment.device)
            start += len(step.terminated)
            if step.lost:
                finals.append(self.state.select(rows))
            elif step.final is not None:
                finals.append(self.environment.states([step.final]))
        return GraphBatch.concat(finals) if finals else self.state.select(torch.arange(0, device=self.state.device))


@torch.no_grad()
def play_episodes(vector: VectorEnv, choose: Callable[[Observation], Tensor], episodes: int = 1) -> Tensor:
    """[B, episodes] float32: undiscounted returns of the next episodes of each environment under `choose`.

    Every environment plays the same number, so that short episodes weigh no more than long ones. An episode that is
    lost with a worker is played again. Raises GraphError where agents join or leave while others play on.
    """
    fixed, environment = fixed_agents(vector), vector.environment
    returns = torch.zeros(fixed.num_envs, episodes)
    played = torch.zeros(fixed.num_envs, dtype=torch.int64)
    while bool((played < episodes).any()):
        observation = fixed.observe()
        step = fixed.step(choose(observation))
        reward = graph_reward(environment, step.reward, environment.actions.deciders(observation.graph))
        going_on = (played < episodes).nonzero().squeeze(1)
        returns[going_on, played[going_on]] += reward.cpu()[going_on]
        done = step.terminated | step.truncated
        if step.lost is not None:
            lost = (step.lost.cpu() & (played < episodes)).nonzero().squeeze(1)
            returns[lost, played[lost]] = 0
            done = done & ~step.lost
        played += done.cpu()
    return returns


def fixed_agents(vector: VectorEnv) -> VectorEnv:
    """The same episodes in fixed rows: a row belongs to one episode until that ends."""
    return vector.with_fixed_agents() if isinstance(vector, ForeignVectorEnv) else vector


def bare_graphs(count: int) -> GraphBatch:
    """Empty graphs, for states that are stored whole."""
    ptr = torch.zeros(count + 1, dtype=torch.int64)
    return GraphBatch(torch.empty(2, 0, dtype=torch.int64), ptr, ptr)
