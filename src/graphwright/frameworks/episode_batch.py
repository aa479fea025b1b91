"""`EpisodeBatch`: live episodes that take any action and are reset from outside, as frameworks do it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.envs.environment import Environment
from graphwright.envs.rollouts import has_choice
from graphwright.envs.vector import InstanceSource
from graphwright.frameworks.schema import Limits

_MAX_DRAWS = 100


@dataclass(frozen=True, eq=False)
class StepResult:
    """One step of B graphs: reward [B] float32, terminated and truncated [B] bool."""

    reward: Tensor
    terminated: Tensor
    truncated: Tensor

    @property
    def done(self) -> Tensor:
        """[B] bool."""
        return self.terminated | self.truncated


class EpisodeBatch:
    """`num_envs` episodes side by side.

    An illegal action, or a number without a candidate, changes nothing and costs `penalty`; after as many of them as
    the graph has nodes the episode is truncated. Continuous actions are always legal.

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
        self.environment = environment
        self.source = source
        self.limits = limits
        self.penalty = penalty
        self.state = self._draw(num_envs)
        self.observation = environment.observe(self.state)
        self.num_illegal = torch.zeros(num_envs, dtype=torch.int64)

    def reset(self, index: Tensor, instances: GraphBatch | None = None) -> None:
        """Begin new episodes in the rows `index` [S] int64, on the given instances [S] or the source's next."""
        fresh = self._draw(index.numel()) if instances is None else self.environment.reset(instances)
        whole = index.numel() == self.state.num_graphs
        self.state = fresh.select(torch.argsort(index)) if whole else self.state.replace(index, fresh)
        self.observation = self.environment.observe(self.state)
        self.num_illegal = self.num_illegal.index_fill(0, index, 0)

    def step(self, action: Tensor) -> StepResult:
        """Play `action`, [B] int64 or [N, columns] float32; graphs that are done do not change."""
        legal = self._legal(action)
        if legal is not None and not bool(legal.all()):
            return self._step_some(action, legal)
        step = self.environment.step(self.state, action)
        self.state, self.observation = step.state, self.environment.observe(step.state)
        return StepResult(step.reward, step.terminated, step.truncated)

    def _legal(self, action: Tensor) -> Tensor | None:
        """[B] bool: whether each action is a legal candidate of its graph; None where actions are continuous."""
        actions, graph = self.environment.actions, self.observation.graph
        if actions.continuous:
            return None
        mask, candidates = actions.arrange(graph, self.observation.masks), actions.segments(graph)
        known = (action >= 0) & (action < candidates.lengths)
        return known & mask[torch.where(known, candidates.ptr[:-1] + action, 0)] if mask.numel() else known

    def _step_some(self, action: Tensor, legal: Tensor) -> StepResult:
        """Play where `legal` [B]; all other graphs do not change."""
        reward = torch.where(legal, 0.0, -self.penalty)
        terminated, truncated = torch.zeros_like(legal), torch.zeros_like(legal)
        rows = legal.nonzero().squeeze(1)
        if rows.numel():
            step = self.environment.step(self.state.select(rows), action[rows])
            reward[rows], terminated[rows], truncated[rows] = step.reward, step.terminated, step.truncated
            self.state = self.state.replace(rows, step.state)
            self.observation = self.environment.observe(self.state)
        self.num_illegal = self.num_illegal + ~legal
        return StepResult(reward, terminated, truncated | (self.num_illegal >= self.state.node_segments.lengths))

    def _draw(self, count: int) -> GraphBatch:
        """First states that offer a legal action and fit into the limits."""
        instances = self.source.draw(count)
        for _ in range(_MAX_DRAWS):
            state = self.environment.reset(instances)
            observation = self.environment.observe(state)
            unfit = ~has_choice(self.environment, observation)
            if self.limits is not None:
                for graph in (instances, observation.graph):
                    unfit |= graph.node_segments.lengths > self.limits.nodes
                    unfit |= graph.edge_segments.lengths > self.limits.edges - self.limits.growth
            rows = unfit.nonzero().squeeze(1)
            if not rows.numel():
                return state
            instances = instances.replace(rows, self.source.draw(rows.numel()))
        raise GraphError(
            f"{_MAX_DRAWS} draws gave no instance that offers an action and fits; raise max_nodes and max_edges, "
            "or give the generator other sizes"
        )
