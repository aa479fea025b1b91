"""Illegal actions that cost something, instead of a mask that rules them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step
from graphwright.core.segment import segment_argmax
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.rollouts import has_choice
from graphwright.envs.team import has_own_reward


@dataclass(frozen=True)
class Penalized(Optimization):
    """Another environment, without its masks: an illegal action changes nothing and is punished.

    Of several decisions in a graph one that is illegal stops them all, and each that is illegal is punished.

    inner: the environment, whose actions are discrete.
    penalty: the reward of an illegal action is minus this; by="severity": times what `inner.severity` says of it.
    limit: an episode is truncated after limit · n steps on a graph of n nodes.

    State: adds the graph columns `steps_taken` [B] int32 and `penalty_paid` [B] float32 to that of `inner`.
    Objective: with the penalties in it; an incomplete solution pays for all steps, as if each had been illegal.
    """

    inner: Optimization
    penalty: float = 1.0
    by: Literal["count", "severity"] = "count"
    limit: float = 1.0

    def __post_init__(self) -> None:
        """Raise ValueError for options that make no environment."""
        if self.inner.actions.continuous:
            raise ValueError("no continuous action is illegal; leave penalties out")
        if self.by == "severity" and not self.inner.actions.one_per_graph:
            raise ValueError("by=severity: says how bad one action a graph is; with several decisions give by=count")
        if not (self.penalty >= 0 and self.limit > 0):
            raise ValueError(f"penalty={self.penalty}, limit={self.limit}: give at least 0, and more than 0")

    @property
    def features(self) -> Features:
        """Those of `inner`."""
        return self.inner.features

    @property
    def actions(self) -> ActionSpec:
        """Those of `inner`."""
        return self.inner.actions

    @property
    def maximise(self) -> bool:
        """As `inner`."""
        return self.inner.maximise

    @property
    def edits_graph(self) -> bool:
        """As `inner`."""
        return self.inner.edits_graph

    @property
    def own_reward(self) -> bool:
        """As `inner`."""
        return has_own_reward(self.inner)

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        return self.inner.instance(graph)

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """As `inner`; nothing is paid yet."""
        zero = torch.zeros(instances.num_graphs, device=instances.device)
        return self.inner.reset(instances).with_graphs(steps_taken=zero.to(torch.int32), penalty_paid=zero)

    def observe(self, state: GraphBatch) -> Observation:
        """As `inner`; every candidate may be chosen while there is a legal one."""
        observation = self.inner.observe(state)
        alive = has_choice(self.inner, observation)
        masks = []
        rows_of, deciders = self.actions.rows(observation.graph), self.actions.deciders(observation.graph)
        for segments, mask in zip(rows_of, observation.masks, strict=True):
            rows = alive[deciders.index[segments.index]]
            masks.append(rows.view(-1, *[1] * (mask.dim() - 1)).expand(mask.shape).clone())
        return Observation(observation.graph, tuple(masks))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        observation = self.inner.observe(state)
        graph, spec = observation.graph, self.actions
        layout, graphs = spec.layout(graph), spec.deciders(graph)
        mask, candidates = layout.arrange(observation.masks), layout.segments
        permitted = mask[(candidates.ptr[:-1] + action).clamp(min=0)] if mask.numel() else action < 0
        permitted |= action < 0
        instead = segment_argmax(torch.where(mask, 1.0, -torch.inf), candidates)
        step = self.inner.step(state, torch.where(permitted, action, instead))
        legal = spec.joint(graph, (~permitted).long()) == 0
        illegal = (~legal).nonzero().squeeze(1)
        degree = self.inner.severity(state, action) if self.by == "severity" else torch.ones(action.shape)
        fines = (self.penalty * degree).masked_fill(permitted, 0)
        fine = spec.joint(graph, fines)
        steps_taken = state.graphs["steps_taken"] + 1
        following = step.state.replace(illegal, state.select(illegal)).with_graphs(
            steps_taken=steps_taken, penalty_paid=state.graphs["penalty_paid"] + fine
        )
        terminated = step.terminated & legal
        late = steps_taken >= self.limit * state.node_segments.lengths
        truncated = ((step.truncated & legal) | late) & ~terminated
        if self.own_reward:
            reward = torch.where(legal[graphs.index], step.reward, -fines)
        else:
            reward = torch.where(legal, step.reward, -fine)
        stays = step.successor
        if stays is not None:
            stays = torch.where(legal[graphs.index], stays, graphs.position)
        return Step(following, reward, terminated, truncated, stays)

    @override
    def objective(self, state: GraphBatch) -> Tensor:
        everything = self.penalty * self.limit * state.node_segments.lengths.double()
        paid = torch.where(self.inner.is_complete(state), state.graphs["penalty_paid"].double(), everything)
        return self.inner.objective(state) + (-paid if self.maximise else paid)

    @override
    def is_complete(self, state: GraphBatch) -> Tensor:
        return self.inner.is_complete(state)

    @override
    def solution(self, state: GraphBatch) -> Solution:
        return self.inner.solution(state)

    @override
    def severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        return self.inner.severity(state, action)
