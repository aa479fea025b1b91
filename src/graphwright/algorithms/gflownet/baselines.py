"""Objectives that look for the best objects rather than all good ones, for comparison."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.envelope import envelope_after, valued
from graphwright.algorithms.gflownet.objective import Objective
from graphwright.core.segment import segment_mean, segment_sum
from graphwright.functional.envelope import homotopy


class Baseline(Objective):
    """Looks for the best objects rather than all good ones: a baseline, not a flow network, and without a log Z."""

    teaches_backward = False
    has_log_z = False

    def check(self, batch: FlowBatch) -> None:
        """R itself has to be a float32."""
        learned = [batch.log_reward.exp(), *([] if batch.rewards is None else [batch.rewards])]
        if not all(bool(reward.isfinite().all()) for reward in learned):
            raise ValueError(
                f"--algorithm {self.name}: learns R itself, which of some object is too large a number; "
                "raise --reward.temperature, or take an algorithm that learns log R, such as tb"
            )

    def log_z(self, batch: FlowBatch) -> Tensor:
        """Not defined."""
        return batch.log_reward.new_tensor(torch.nan)


class TrajectoryActorCritic(Baseline):
    """A2C on R itself."""

    learned = frozenset({"flow"})
    by_step = True

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        error = batch.of_steps(batch.log_reward.exp()[batch.segments.index] - batch.log_flow)
        policy_loss = -(error.detach() * batch.of_steps(batch.log_forward)).mean()
        entropy = batch.of_steps(batch.estimate.forward.entropy).mean()
        return policy_loss + self.mean(error) - self.entropy_coefficient * entropy


class TrajectoryReinforce(Baseline):
    """REINFORCE on R with the mean of a group as the baseline, standardized.

    With conditions that hold weights of objectives it is multi-objective REINFORCE (Lin et al. 2022, "Pareto set
    learning for expensive multi-objective optimization", section 3, in the form of one conditional policy).
    """

    compares = True

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        rewards = batch.log_reward.exp()
        mean = segment_mean(rewards, batch.groups)[batch.groups.index]
        advantage = (rewards - mean) / rewards.std(unbiased=False).clamp(min=1e-8)
        log_prob = segment_sum(batch.log_forward, batch.segments)
        bonus = self.entropy_coefficient * batch.estimate.forward.entropy.mean()
        return -(advantage * log_prob).mean() - bonus


class EnvelopeQ(Baseline):
    """Envelope Q-learning of the objectives themselves (`functional.envelope`), for every preference at once.

    An object's rewards come with the last step, undiscounted; targets are taken from the same networks, without
    gradient. The loss moves from L^A, the residual of Q in every objective, to L^B, that of w · Q, along with the run
    (Yang et al. 2019, algorithm 1; `homotopy`). With one objective it is Q-learning.
    """

    learned = frozenset({"values"})
    by_step = True

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        forward, action = valued(batch), batch.trajectories.forward
        acts = (action >= 0) & batch.has_step
        residual = forward.values_of(action, acts) - envelope_after(batch, forward, self.preferences)[acts]
        main = self.mean(residual, batch.num_steps)
        auxiliary = (forward.weights[acts] * residual).sum(1).abs().sum() / batch.num_steps
        return main.lerp(auxiliary, homotopy(batch.progress))
