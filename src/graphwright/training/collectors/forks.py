"""Forks: what comes of each thing that may be done in a state, if the policy goes on from there, by the same chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.numbers import require, require_each
from graphwright.core.segment import Segments, lexsort, segment_argmax, segment_sum
from graphwright.data.demonstrations import Demonstrations
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.envs.vector import VectorEnvironment
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.live import LiveCollector
from graphwright.training.collectors.play import ConfigError, PlayConfig
from graphwright.training.collectors.tables import store_states

_LOOK = 8  # steps after which forks are looked at, whether they are alike again


@dataclass(frozen=True)
class ForksConfig(PlayConfig):
    """States of live episodes, each with what comes of the candidates of one of its decisions."""

    num_envs: int = 256
    """Episodes side by side, in which the policy draws what it does."""
    num_steps: int = 4
    """Steps of each between updates."""
    num_states: int = 512
    """States between updates in which something is tried, if so many leave a choice."""
    num_candidates: int = 4
    """The most candidates of a decision that are tried: the policy's own choice, and others by lot."""
    ahead: int = 100
    """For how many slots the policy then goes on from each of them."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require_each(self, "", ("num_envs", "num_steps", "num_states", "ahead"))
        require("num-candidates", self.num_candidates, 2)
        met = self.num_envs * self.num_steps
        if self.num_states > met:
            raise ValueError(
                f"--num-states {self.num_states}: --num-envs {self.num_envs} meet {met} in --num-steps "
                f"{self.num_steps}; give more of these, or at most {met}"
            )

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        if not isinstance(environment, Endless) or environment.actions.continuous:
            raise ConfigError(
                f"--algorithm policy-iteration: tries the candidates of a decision, which {problem.name} has not"
            )
        vector = VectorEnvironment(environment, source, self.num_envs)
        return ForkCollector(vector, environment.without_cuts(), self, source, generator)


class ForkCollector(LiveCollector):
    """Tries the candidates of single decisions in states that the policy meets; endless: the task without cuts."""

    def __init__(
        self,
        vector: VectorEnvironment,
        endless: Endless,
        config: ForksConfig,
        source: GeneratedInstances,
        generator: torch.Generator,
    ) -> None:
        super().__init__(vector, source)
        self.endless = endless
        self.config = config
        self.generator = generator

    @override
    @torch.no_grad()
    def collect(self, policy: Any) -> Collected:
        vector, config = self.vector, self.config
        states, each = [], -(-config.num_states // config.num_steps)
        for _ in range(config.num_steps):
            observation = vector.observe()
            able = self._has_alternatives(vector.state).nonzero().squeeze(1)
            key = torch.rand(able.numel(), generator=self.generator, device=able.device)
            states.append(vector.state.select(able[key.argsort()[:each]]))
            vector.step(policy.act(observation, self.generator).action)
        found = GraphBatch.concat(states)
        target, lengths, steps = self._tried(policy, found)
        rows = torch.arange(found.num_graphs, device=found.device)
        table = store_states(vector.environment, found, [rows], [found])
        demonstrations = Demonstrations(table, target=target, candidates=Segments.from_lengths(lengths))
        return Collected(demonstrations, config.num_steps * vector.num_envs + steps, {})

    def _has_alternatives(self, states: GraphBatch) -> Tensor:
        """[B] bool: whether some decision has at least two legal candidates."""
        seen = self.endless.observe(states)
        layout, deciders = self.endless.actions.layout(seen.graph), self.endless.actions.deciders(seen.graph)
        free = segment_sum(layout.arrange(seen.masks), layout.segments) > 1
        return segment_sum(free, deciders) > 0

    def _tried(self, policy: Any, states: GraphBatch) -> tuple[Tensor, Tensor, int]:
        """[K] float32: of the candidates of all states, the rewards of `ahead` slots that begin with each; NaN where it
        was not tried. Also the candidates of each state, and how many steps this took."""
        endless, generator = self.endless, self.generator
        seen = endless.observe(states)
        layout, deciders = endless.actions.layout(seen.graph), endless.actions.deciders(seen.graph)
        segments, legal, best = layout.segments, layout.arrange(seen.masks), policy.best(seen)
        free = segment_sum(legal, segments) > 1
        lot = torch.rand(free.numel(), generator=generator, device=free.device).masked_fill(~free, -torch.inf)
        place = segment_argmax(lot, deciders)
        decision = (deciders.ptr[:-1] + place)[place >= 0]
        rows = _some_of_each(legal, segments, decision, best, self.config.num_candidates, generator)
        graph = deciders.index[segments.index[rows]]
        forks = states.select(graph)
        groups, own = deciders.select(graph)
        action = best[own]
        action[groups.ptr[:-1] + deciders.position[segments.index[rows]]] = segments.position[rows]
        total, steps = self._rewards(policy, forks, action, graph)
        target = torch.full((segments.num_rows,), torch.nan, device=total.device)
        target[rows] = total.float()
        return target, endless.actions.joint(seen.graph, segments.lengths), steps

    def _rewards(self, policy: Any, forks: GraphBatch, action: Tensor, origin: Tensor) -> tuple[Tensor, int]:
        """[F] float64: the rewards of `ahead` slots that begin with `action`, and the steps that were taken.

        origin: [F] int64, rising, the state that each is a fork of. Where all forks of a state are alike again they
        stay alike, and are not followed any more: what they would still earn is the same.
        """
        endless, ahead = self.endless, self.config.ahead
        total = torch.zeros(forks.num_graphs, dtype=torch.float64, device=forks.device)
        live = torch.arange(forks.num_graphs, device=forks.device)
        begun, state, steps, age = endless.periods(forks), forks, 0, 0
        while True:
            step = endless.step(state, action)
            steps, age, state = steps + live.numel(), age + 1, step.state
            now = endless.periods(state)
            done = torch.full_like(live, age) if now is None or begun is None else now - begun[live]
            total[live] += step.reward.double() * (done <= ahead)
            if bool((done >= ahead).all()):
                return total, steps
            if age % _LOOK == 0:
                apart = _differ(state, origin[live]).nonzero().squeeze(1)
                if not apart.numel():
                    return total, steps
                if apart.numel() < live.numel():
                    state, live = state.select(apart), live[apart]
            action = policy.best(endless.observe(state))


def _differ(forks: GraphBatch, origin: Tensor) -> Tensor:
    """[F] bool: the forks whose state has one that is not like the others; origin: as above."""
    _, group, count = origin.unique_consecutive(return_inverse=True, return_counts=True)
    first = (count.cumsum(0) - count)[group]
    odd = torch.zeros_like(origin, dtype=torch.bool)
    for column in forks.graphs.values():
        odd |= (column != column[first]).flatten(1).any(1) if column.dim() > 1 else column != column[first]
    for table, segments in ((forks.nodes, forks.node_segments), (forks.edges, forks.edge_segments)):
        other = segments.ptr[:-1][first][segments.index] + segments.position
        for column in table.values():
            same = (column == column[other]).flatten(1).all(1) if column.dim() > 1 else column == column[other]
            odd |= segment_sum(~same, segments) > 0
    return (torch.zeros_like(count).index_add(0, group, odd.long()) > 0)[group]


def _some_of_each(
    legal: Tensor, segments: Segments, decision: Tensor, best: Tensor, most: int, generator: torch.Generator
) -> Tensor:
    """[F] int64: the rows of up to `most` legal candidates of each of the decisions at `decision` [S].

    The policy's own choice, `best` [D], is among them.
    """
    groups, rows = segments.select(decision)
    key = torch.rand(rows.numel(), generator=generator, device=rows.device)
    key = key.masked_fill(segments.position[rows] == best[decision][groups.index], -1.0)
    key = key.masked_fill(~legal[rows], 2.0)
    order = lexsort(key, groups.index)
    kept = order[(groups.position < most) & (key[order] < 1)]
    return rows[kept.sort().values]
