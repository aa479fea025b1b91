"""Trajectories among states that are all known: a policy is asked once for all of them, and walks are looked up."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments
from graphwright.data.states import SharedStates
from graphwright.data.trajectories import Trajectories
from graphwright.training.exploration import explore
from graphwright.training.gflownet.known import KnownStates, Ways
from graphwright.training.gflownet.sampler import Sampler


class KnownSampler(Sampler):
    """Samples what a `Sampler` does, where all instances are alike and all states are `known`."""

    def __init__(self, sampler: Sampler, known: KnownStates) -> None:
        super().__init__(sampler.environment, sampler.policy, sampler.exploration, sampler.generator)
        self.known = known

    @override
    @torch.no_grad()
    def sample_forward(self, instances: GraphBatch) -> Trajectories:
        known, actions = self.known, self.environment.actions
        policy = self.policy.distribution(known.observation)

        def choose(state: Tensor) -> Tensor:
            seen = known.states.select(state) if self.exploration.block_epsilon else known.states
            return explore(policy.select(state), actions, seen, self.exploration, self.generator)

        start = torch.zeros(instances.num_graphs, dtype=torch.int64)
        walkers, states, forward, reverse = _walk(start, policy.segments, known.onward, choose)
        backward = [torch.full_like(start, -1), *reverse]
        return self._trajectories(walkers, states, forward, backward)

    @override
    @torch.no_grad()
    def sample_backward(self, objects: GraphBatch) -> Trajectories:
        known = self.known
        policy = self.policy.backward_distribution(known.observation.graph, known.backward_masks)

        def choose(state: Tensor) -> Tensor:
            return policy.select(state).sample(self.generator)

        start = known.find(objects)
        walkers, states, backward, reverse = _walk(start, policy.segments, known.back, choose)
        forward = [torch.full_like(start, 0 if self.environment.has_stop else -1), *reverse]
        return self._trajectories(walkers[::-1], states[::-1], forward[::-1], backward[::-1])

    def _trajectories(
        self, walkers: list[Tensor], states: list[Tensor], forward: list[Tensor], backward: list[Tensor]
    ) -> Trajectories:
        walker = torch.cat(walkers)
        order = torch.argsort(walker, stable=True)
        return Trajectories(
            SharedStates(self.known.states, torch.cat(states)[order]),
            Segments.from_lengths(torch.bincount(walker)),
            torch.cat(forward)[order],
            torch.cat(backward)[order],
        )


def _walk(
    state: Tensor, candidates: Segments, ways: Ways, choose: Callable[[Tensor], Tensor]
) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
    """Step by step until nothing leads on: which walkers [A] are in which state [A], and what they do [A]; of those
    that go on, the action that leads back.
    """
    walker = torch.arange(state.numel())
    found: tuple[list[Tensor], ...] = [], [], [], []
    while walker.numel():
        action = choose(state)
        row = candidates.ptr[:-1][state] + action.clamp(min=0)
        target = torch.full_like(state, -1)
        chosen = action >= 0
        target[chosen] = ways.target[row[chosen]]
        goes_on = (target >= 0).nonzero().squeeze(1)
        for column, values in zip(found, (walker, state, action, ways.reverse[row[goes_on]]), strict=True):
            column.append(values)
        walker, state = walker[goes_on], target[goes_on]
    return found[0], found[1], found[2], found[3][:-1]
