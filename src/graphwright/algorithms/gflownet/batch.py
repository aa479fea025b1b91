"""What an objective is given: trajectories, their rewards, and what the networks say of every visited state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation
from graphwright.core.segment import Segments
from graphwright.data.trajectories import Trajectories
from graphwright.functional.gflownet import log_z_estimate, log_z_estimates_of_prefixes
from graphwright.nn.gflownet_policy import FlowEstimate, FlowPolicy

LogReward = Callable[[GraphBatch], Tensor]
"""From finished objects [B] to log R [B]."""
Observe = Callable[[GraphBatch], Observation]
"""From states to what a network sees of them, and what may be done there."""
BackwardMasks = Callable[[GraphBatch], tuple[Tensor, ...]]
"""From states to what may be undone there, a mask for each block of the backward actions."""
Undo = Callable[[GraphBatch, Tensor], tuple[GraphBatch, Tensor]]
"""From states and backward actions [B] to the states before, and the actions [B] that lead on from there."""


@dataclass(frozen=True, eq=False)
class FlowBatch:
    """M trajectories with R visited states.

    log_reward: [M] float32, of the objects. groups: the trajectories that share their Z, such as those of one
    condition. reward_of: log R of any states, for the objectives that ask for it.
    """

    observe: Observe
    backward_masks: BackwardMasks
    undo: Undo
    policy: FlowPolicy
    trajectories: Trajectories
    log_reward: Tensor
    groups: Segments
    reward_of: LogReward

    @property
    def beginnings(self) -> FlowBatch:
        """The initial states alone, for what is known of log Z."""
        first = self.segments.ptr[:-1]
        every = Segments(torch.arange(first.numel() + 1, device=first.device))
        every_row = self.trajectories
        alone = Trajectories(every_row.table.take(first), every, every_row.forward[first], every_row.backward[first])
        return replace(self, trajectories=alone)

    @cached_property
    def observed(self) -> Observation:
        """What a network sees of the U different states that are visited, and what may be done there."""
        return self.observe(self.trajectories.distinct_states)

    @property
    def which(self) -> Tensor:
        """[R] int64: which of the U different states each visited one is."""
        return self.trajectories.distinct.which

    @property
    def log_z(self) -> Tensor:
        """[M] or a scalar: the learned log Z of the first state of each."""
        return self.policy.log_z_of(self.observed.graph, self.which.index_select(0, self.segments.ptr[:-1]))

    @cached_property
    def estimate(self) -> FlowEstimate:
        """Of the U different states, in one pass."""
        masks, backward_masks = self.observed.masks, self.backward_masks(self.trajectories.distinct_states)
        return self.policy(self.observed.graph, masks, backward_masks)

    @property
    def segments(self) -> Segments:
        """The rows of each trajectory."""
        return self.trajectories.segments

    @cached_property
    def log_forward(self) -> Tensor:
        """[R]: log P_F of what was done."""
        return self.estimate.forward.log_prob(self.trajectories.forward, self.which)

    @cached_property
    def log_backward(self) -> Tensor:
        """[R]: log P_B of the way back; without a gradient where counts teach it (`learner.count_residual`)."""
        log_backward = self.learned_log_backward
        return log_backward if self.estimate.log_count is None else log_backward.detach()

    @cached_property
    def learned_log_backward(self) -> Tensor:
        """[R]: log P_B of the way back."""
        return self.estimate.backward.log_prob(self.trajectories.backward, self.which)

    @property
    def log_flow(self) -> Tensor:
        """[R]: the learned log F(s)."""
        assert self.estimate.log_flow is not None
        return self.estimate.log_flow.index_select(0, self.which)

    @property
    def log_count(self) -> Tensor:
        """[R]: the learned log of the number of trajectories to each state."""
        assert self.estimate.log_count is not None
        return self.estimate.log_count.index_select(0, self.which)

    @cached_property
    def stuck(self) -> Tensor:
        """[M] bool: whether nothing was left to do at last."""
        return self.trajectories.forward[self.segments.ptr[1:] - 1] < 0

    @cached_property
    def may_finish(self) -> Tensor:
        """[R] bool: whether each visited state may be finished, by stop or as nothing is left to do."""
        forward = self.estimate.forward
        if bool(self.stuck.all()):
            nowhere = torch.zeros_like(self.trajectories.forward, dtype=torch.bool)
            return nowhere.index_fill(0, self.segments.ptr[1:] - 1, True)
        return forward.legal[forward.segments.ptr[:-1]][self.which]

    @cached_property
    def prefix_estimates(self) -> Tensor:
        """[Q]: what each trajectory says of log Z if it stops in one of the Q visited states that may be finished."""
        rows = self.may_finish
        log_finish = self.state_log_reward[rows] - self.log_stop[rows]
        return log_z_estimates_of_prefixes(log_finish, rows, self.log_forward, self.log_backward, self.segments)

    @cached_property
    def log_stop(self) -> Tensor:
        """[R]: log P_F of stop; 0 where nothing is left to do."""
        forward = self.estimate.forward
        if bool(self.stuck.all()):
            return self.log_forward
        return forward.log_prob(torch.zeros_like(self.trajectories.forward), self.which)

    @torch.no_grad()
    def wrongness(self, log_z: Tensor) -> Tensor:
        """[M]: the squared residual of trajectory balance of each trajectory."""
        return (log_z_estimate(self.log_forward, self.log_backward, self.log_reward, self.segments) - log_z).square()

    def parts(self, number: int) -> list[FlowBatch]:
        """At most `number` parts of the trajectories: of whole groups, or of one group at least two trajectories each.

        Every so many-th is in a part, so that all have their share of what is built and of what is replayed.
        """
        alone = self.groups.num_groups == 1
        total = self.segments.num_groups if alone else self.groups.num_groups
        number = min(number, max(total // 2, 1) if alone else total)
        if number == 1:
            return [self]
        chosen = [torch.arange(part, total, number) for part in range(number)]
        parts = [(_one_group(rows), rows) if alone else self.groups.select(rows) for rows in chosen]
        return [
            replace(self, trajectories=self.trajectories.select(rows), log_reward=self.log_reward[rows], groups=groups)
            for groups, rows in parts
        ]

    def reusable(self) -> FlowBatch:
        """The same, whose copies for other weights share what does not depend on these: what is seen, what may be
        undone, and rewards."""
        return replace(
            self,
            observe=cache(self.observe),
            backward_masks=cache(self.backward_masks),
            reward_of=cache(self.reward_of),
        )

    @cached_property
    def state_log_reward(self) -> Tensor:
        """[R] float32: log R of the object that each visited state would be."""
        return self.reward_of(self.trajectories.distinct_states).to(torch.float32)[self.which]


def _one_group(rows: Tensor) -> Segments:
    """Of all `rows` together."""
    return Segments(torch.tensor([0, rows.numel()], device=rows.device))
