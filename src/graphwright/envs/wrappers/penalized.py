"""The one meaning of a punished illegal action: it changes nothing, costs something, and too many end the episode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Observation, Step
from graphwright.core.segment import Segments, segment_sum
from graphwright.envs.optimization import Optimization
from graphwright.envs.team import has_own_reward
from graphwright.envs.wrappers.around import Around, AroundOptimization


@dataclass(frozen=True)
class Penalized(Around):
    """Another environment that takes any action: an illegal one changes nothing and is punished (`Penalized.around`).

    Illegal is a number that names no legal candidate. Where a graph has several decisions all must be legal, or none is
    played, and each illegal one is punished; a decision without a legal candidate is neither, whatever it says.
    Continuous actions are always legal.

    inner: the environment.
    penalty: the reward of an illegal action is minus this; by="severity": times what `inner.severity` says of it.
    limit: an episode is truncated after limit · n illegal actions on a graph of n nodes.
    masked: whether the masks of `inner` are still shown; otherwise every candidate of a decision that has a legal one.

    State: adds the graph columns `num_illegal` [B] int32 and `penalty_paid` [B] float32 to that of `inner`.

    Raises ValueError for options that make no environment.
    """

    penalty: float = 1.0
    by: Literal["count", "severity"] = "count"
    limit: float = 1.0
    masked: bool = False

    def __post_init__(self) -> None:
        if self.inner.actions.continuous and not self.masked:
            raise ValueError("no continuous action is illegal; leave penalties out")
        if self.by == "severity" and not isinstance(self.inner, Optimization):
            raise ValueError("by=severity: nothing says how bad an action is; give by=count")
        if self.by == "severity" and not self.inner.actions.one_per_graph:
            raise ValueError("by=severity: says how bad one action a graph is; with several decisions give by=count")
        if not (self.penalty >= 0 and self.limit > 0):
            raise ValueError(f"penalty={self.penalty}, limit={self.limit}: give at least 0, and more than 0")

    @property
    def own_reward(self) -> bool:
        """As `inner`."""
        return has_own_reward(self.inner)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        zero = torch.zeros(instances.num_graphs, device=instances.device)
        return self.inner.reset(instances).with_graphs(num_illegal=zero.to(torch.int32), penalty_paid=zero)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        observation = self.inner.observe(state)
        if self.masked:
            return observation
        graph = observation.graph
        able = self.actions.able(graph, observation.masks)
        masks = []
        for rows_of, mask in zip(self.actions.rows(graph), observation.masks, strict=True):
            rows = able[rows_of.index]
            masks.append(rows.view(-1, *[1] * (mask.dim() - 1)).expand(mask.shape).clone())
        return Observation(graph, tuple(masks))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        return self.step_observed(state, self.inner.observe(state), action)

    def step_observed(self, state: GraphBatch, observation: Observation, action: Tensor) -> Step:
        """`step`, where `observation`, what `inner` shows of `state`, is known: nothing is observed twice."""
        spec, graph = self.actions, observation.graph
        if spec.continuous:
            return self.inner.step(state, action)
        layout = spec.layout(graph)
        mask, candidates = layout.arrange(observation.masks), layout.segments
        known = (action >= 0) & (action < candidates.lengths)
        permitted = known & mask[torch.where(known, candidates.ptr[:-1] + action, 0)] if mask.numel() else known
        if spec.one_per_graph:
            legal = permitted
        else:
            able = segment_sum(mask, candidates) > 0
            action, permitted = torch.where(able, action, -1), permitted | ~able
            legal = (spec.joint(graph, ~permitted) == 0) & (spec.joint(graph, able) > 0)
        if bool(legal.all()):
            return self._told(self.inner.step(state, action), spec.deciders(graph))
        fines = torch.where(permitted, 0.0, -self.penalty)
        if self.by == "severity":
            bad = (known & ~permitted).nonzero().squeeze(1)
            fines[bad] *= self._severity(state.select(bad), action[bad])
        return self._step_some(state, graph, action, legal, fines)

    def _step_some(self, state: GraphBatch, graph: GraphBatch, action: Tensor, legal: Tensor, fines: Tensor) -> Step:
        """Play the graphs that are `legal` [B] bool; all others stay, and decisions are rewarded with `fines` [D]."""
        spec, deciders = self.actions, self.actions.deciders(graph)
        fine = spec.joint(graph, fines)
        num_illegal = state.graphs["num_illegal"] + ~legal
        following = state.with_graphs(num_illegal=num_illegal, penalty_paid=state.graphs["penalty_paid"] - fine)
        reward = fines if self.own_reward else fine
        terminated = torch.zeros_like(legal)
        truncated = ~legal & (num_illegal >= self.limit * state.node_segments.lengths)
        successor = None if spec.one_per_graph else deciders.position
        rows = legal.nonzero().squeeze(1)
        if rows.numel():
            groups, decisions = deciders.select(rows)
            step = self._told(self.inner.step(state.select(rows), spec.select(graph, action, rows)), groups)
            following = following.replace(rows, step.state)
            reward[decisions if self.own_reward else rows] = step.reward
            terminated[rows], truncated[rows] = step.terminated, step.truncated
            if successor is not None and step.successor is not None:
                successor = successor.index_put((decisions,), step.successor)
        return Step(following, reward, terminated, truncated, successor)

    def _told(self, step: Step, deciders: Segments) -> Step:
        """`step`, which says who goes on as whom, so that this does not depend on what else is in the batch."""
        if self.actions.one_per_graph or step.successor is not None:
            return step
        return replace(step, successor=deciders.position.masked_fill(step.terminated[deciders.index], -1))

    def _severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        assert isinstance(self.inner, Optimization)
        return self.inner.severity(state, action)


@dataclass(frozen=True)
class PenalizedOptimization(Penalized, AroundOptimization):
    """`Penalized`, of an optimisation.

    Objective: with the penalties in it; an incomplete solution pays for limit · n illegal actions at least.
    """

    inner: Optimization

    @override
    def objective(self, state: GraphBatch) -> Tensor:
        paid = state.graphs["penalty_paid"].double()
        least = self.penalty * self.limit * state.node_segments.lengths.double()
        paid = torch.where(self.inner.is_complete(state), paid, torch.maximum(paid, least))
        return self.inner.objective(state) + (-paid if self.maximise else paid)


Penalized.own = {Optimization: PenalizedOptimization}
