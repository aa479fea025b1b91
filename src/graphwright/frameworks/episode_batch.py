"""`EpisodeBatch`: live episodes that take any action and are reset from outside, as frameworks do it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, Segments, Step
from graphwright.core.segment import segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.rollouts import has_choice
from graphwright.envs.team import graph_reward, has_own_reward
from graphwright.envs.vector import InstanceSource
from graphwright.frameworks.schema import Limits

_MAX_DRAWS = 100


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
    """`num_envs` episodes side by side.

    An illegal action, or a number without a candidate, changes nothing and costs `penalty`; after as many of them as
    the graph has nodes the episode is truncated. Of several decisions of a graph all must be legal, but those that may
    do nothing, whose action means nothing. Continuous actions are always legal.

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
        """Play `action`, [D] int64 or [D, columns] float32; graphs that are done do not change."""
        graph, spec = self.observation.graph, self.environment.actions
        if spec.continuous:
            return self._play(action)
        layout = spec.layout(graph)
        mask, candidates = layout.arrange(self.observation.masks), layout.segments
        known = (action >= 0) & (action < candidates.lengths)
        legal = known & mask[torch.where(known, candidates.ptr[:-1] + action, 0)] if mask.numel() else known
        if spec.one_per_graph:
            return self._play(action) if bool(legal.all()) else self._play_some(action, legal, legal)
        able = segment_sum(mask, candidates) > 0
        action, legal = torch.where(able, action, -1), legal | ~able
        fine = (spec.joint(graph, ~legal) == 0) & (spec.joint(graph, able) > 0)
        return self._play(action) if bool(fine.all()) else self._play_some(action, legal, fine)

    def _play(self, action: Tensor) -> StepResult:
        """Play all graphs."""
        graphs = self.environment.actions.deciders(self.observation.graph)
        step = self.environment.step(self.state, action)
        self.state, self.observation = step.state, self.environment.observe(step.state)
        reward, own_reward = self._rewards(step, graphs)
        return StepResult(reward, step.terminated, step.truncated, own_reward, step.successor)

    def _play_some(self, action: Tensor, legal: Tensor, fine: Tensor) -> StepResult:
        """Play the graphs that are `fine` [B] bool; all others do not change. legal: [D] bool."""
        spec, graph = self.environment.actions, self.observation.graph
        graphs = spec.deciders(graph)
        reward, own_reward = torch.where(fine, 0.0, -self.penalty), torch.where(legal, 0.0, -self.penalty)
        terminated, truncated = torch.zeros_like(fine), torch.zeros_like(fine)
        successor = graphs.position.clone()
        rows = fine.nonzero().squeeze(1)
        if rows.numel():
            step = self.environment.step(self.state.select(rows), spec.select(graph, action, rows))
            played, decisions = graphs.select(rows)
            reward[rows], own_reward[decisions] = self._rewards(step, played)
            terminated[rows], truncated[rows] = step.terminated, step.truncated
            successor[decisions] = played.position if step.successor is None else step.successor
            self.state = self.state.replace(rows, step.state)
            self.observation = self.environment.observe(self.state)
        self.num_illegal = self.num_illegal + ~fine
        truncated |= self.num_illegal >= self.state.node_segments.lengths
        return StepResult(reward, terminated, truncated, own_reward, successor)

    def _rewards(self, step: Step, graphs: Segments) -> tuple[Tensor, Tensor]:
        """The rewards of graphs [B] and of decisions [D]."""
        own = step.reward if has_own_reward(self.environment) else step.reward[graphs.index]
        return graph_reward(self.environment, step.reward, graphs), own

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
