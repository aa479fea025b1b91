"""What an objective is given: trajectories, their rewards, and what the networks say of every visited state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation
from graphwright.core.segment import Segments
from graphwright.data.trajectories import Trajectories
from graphwright.nn.gflownet_policy import FlowEstimate, FlowPolicy

LogReward = Callable[[GraphBatch], Tensor]
"""From finished objects [B] to log R [B]."""
Prefer = Callable[[GraphBatch, Tensor], GraphBatch]
"""From states, or observations, and weights of objectives [B, K] to the same for those weights."""


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
    condition. reward_of: log R of any states, for the objectives that ask for it. rewards: [M, K] float32, of the
    objects for each of K objectives. prefer: see `Prefer`, where weights vary. progress: how much of the run is over,
    0 to 1. all_segments: where `trajectories` is an excerpt, the rows of the trajectories that it is from.
    """

    observe: Observe
    backward_masks: BackwardMasks
    undo: Undo
    policy: FlowPolicy
    trajectories: Trajectories
    log_reward: Tensor
    groups: Segments
    reward_of: LogReward
    rewards: Tensor | None = None
    prefer: Prefer | None = None
    progress: float = 0.0
    all_segments: Segments | None = None

    def excerpt(self, steps: Tensor) -> FlowBatch:
        """What the chosen steps (`steps` [R] bool) lead from and to, see `Trajectories.excerpt`."""
        trajectories, source = self.trajectories.excerpt(steps)
        groups = torch.bincount(self.groups.index[source], minlength=self.groups.num_groups)
        return replace(
            self,
            trajectories=trajectories,
            log_reward=self.log_reward[source],
            groups=Segments.from_lengths(groups),
            rewards=None if self.rewards is None else self.rewards[source],
            all_segments=self.segments,
        )

    @property
    def beginnings(self) -> FlowBatch:
        """The initial states alone, for what is known of log Z."""
        first, ends = self.segments.ptr[:-1], torch.zeros_like(self.segments.ptr[:-1], dtype=torch.bool)
        every = Segments(torch.arange(first.numel() + 1, device=first.device))
        trajectories = self.trajectories
        table, forward, backward = trajectories.table.take(first), trajectories.forward[first], trajectories.backward
        alone = Trajectories(table, every, forward, backward[first], ends)
        return replace(self, trajectories=alone, all_segments=self.segments)

    @cached_property
    def observed(self) -> Observation:
        """What a network sees of the R visited states, and what may be done there."""
        return self.observe(self.trajectories.states)

    @property
    def observed_initial(self) -> GraphBatch:
        """[M]: what a network sees of the first state of each."""
        return self.observed.graph.select(self.segments.ptr[:-1])

    @cached_property
    def estimate(self) -> FlowEstimate:
        """Of all visited states, in one pass."""
        masks, backward_masks = self.observed.masks, self.backward_masks(self.trajectories.states)
        return self.policy(self.observed.graph, masks, backward_masks)

    @property
    def segments(self) -> Segments:
        """The rows of each trajectory."""
        return self.trajectories.segments

    @cached_property
    def log_forward(self) -> Tensor:
        """[R]: log P_F of what was done."""
        return self.estimate.forward.log_prob(self.trajectories.forward)

    @cached_property
    def log_backward(self) -> Tensor:
        """[R]: log P_B of the way back; without a gradient where counts teach it (`learner.count_residual`)."""
        log_backward = self.learned_log_backward
        return log_backward if self.estimate.log_count is None else log_backward.detach()

    @cached_property
    def learned_log_backward(self) -> Tensor:
        """[R]: log P_B of the way back."""
        return self.estimate.backward.log_prob(self.trajectories.backward)

    @property
    def log_flow(self) -> Tensor:
        """[R]: the learned log F(s)."""
        assert self.estimate.log_flow is not None
        return self.estimate.log_flow

    @cached_property
    def stuck(self) -> Tensor:
        """[M] bool: whether nothing was left to do at last."""
        return self.trajectories.forward[self.segments.ptr[1:] - 1] < 0

    @cached_property
    def stops(self) -> Tensor:
        """[M] bool: whether the last action was to stop, rather than that nothing was left to do."""
        ends = self.trajectories.ends
        return ~self.stuck if ends is None else ends & ~self.stuck

    @cached_property
    def has_step(self) -> Tensor:
        """[R] bool: whether the step from a state is known: from all but the last of a run that does not end."""
        every, ends = torch.ones_like(self.trajectories.forward, dtype=torch.bool), self.trajectories.ends
        return every if ends is None else every.index_copy(0, self.segments.ptr[1:] - 1, ends)

    def of_steps(self, values: Tensor) -> Tensor:
        """[S]: those of `values` [R] from whose states a step is known."""
        return values if self.trajectories.ends is None else values[self.has_step]

    @property
    def num_steps(self) -> int:
        """S: how many steps are known, those included that were none since nothing was left to do."""
        return self.of_steps(self.trajectories.forward).numel()

    @property
    def num_last(self) -> float:
        """How many of the steps finish an object: M, or of an excerpt so many in expectation."""
        if self.all_segments is None:
            return self.segments.num_groups
        return self.num_steps * self.all_segments.num_groups / self.all_segments.num_rows

    @property
    def num_inner(self) -> float:
        """How many of the steps lead to another state: R - M, or of an excerpt so many in expectation."""
        return self.num_steps - self.num_last

    @cached_property
    def state_log_reward(self) -> Tensor:
        """[R] float32: log R of the object that each visited state would be."""
        return self.reward_of(self.trajectories.states).to(torch.float32)
