"""`EpisodeBatch`: live episodes that take any action and are reset from outside, as frameworks do it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment
from graphwright.envs.team import graph_reward
from graphwright.envs.vector import InstanceSource, draw_playable
from graphwright.envs.wrappers.penalized import Penalized
from graphwright.frameworks.schema import Limits


@dataclass(frozen=True, eq=False)
class StepResult:
    """One step of B graphs, in which D decisions were taken.

    reward: [B] float32; where decisions have rewards of their own, their sum. terminated, truncated: [B] bool.
    own_reward: [D] float32, what each decision received. successor: as of `Step`.
    """

    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    own_reward: Tensor
    successor: Tensor | None

    @property
    def done(self) -> Tensor:
        """[B] bool."""
        return self.terminated | self.truncated


class EpisodeBatch:
    """`num_envs` episodes side by side, of `environment` with illegal actions punished as `Penalized` says.

    limits: instances that exceed them, themselves or as first observed, are drawn again.
    """

    def __init__(
        self,
        environment: Environment,
        source: InstanceSource,
        num_envs: int,
        *,
        limits: Limits | None = None,
        penalty: float = 1.0,
    ) -> None:
        self.environment = Penalized(environment, penalty, masked=True)
        self.source = source
        self.limits = limits
        self.state = self._draw(num_envs)
        self.observation = self.environment.observe(self.state)

    def reset(self, index: Tensor, instances: GraphBatch | None = None) -> None:
        """Begin new episodes in the rows `index` [S] int64, on the given instances [S] or the source's next."""
        fresh = self._draw(index.numel()) if instances is None else self.environment.reset(instances)
        whole = index.numel() == self.state.num_graphs
        self.state = fresh.select(torch.argsort(index)) if whole else self.state.replace(index, fresh)
        self.observation = self.environment.observe(self.state)

    def step(self, action: Tensor) -> StepResult:
        """Play `action`, [D] int64 or [D, columns] float32; graphs that are done do not change."""
        graphs = self.environment.actions.deciders(self.observation.graph)
        step = self.environment.step_observed(self.state, self.observation, action)
        self.state, self.observation = step.state, self.environment.observe(step.state)
        own_reward = step.reward if self.environment.own_reward else step.reward[graphs.index]
        reward = graph_reward(self.environment, step.reward, graphs)
        return StepResult(reward, step.terminated, step.truncated, own_reward, step.successor)

    def _draw(self, count: int) -> GraphBatch:
        return draw_playable(self.environment, self.source, count, None if self.limits is None else self._fits)[1]

    def _fits(self, instances: GraphBatch, observed: GraphBatch) -> Tensor:
        """[B] bool: whether instances, and what is first observed of them, are within the limits."""
        assert self.limits is not None
        nodes, edges = self.limits.nodes, self.limits.edges - self.limits.growth
        within = [
            (graph.node_segments.lengths <= nodes) & (graph.edge_segments.lengths <= edges)
            for graph in (instances, observed)
        ]
        return within[0] & within[1]
