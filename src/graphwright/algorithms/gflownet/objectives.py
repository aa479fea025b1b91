"""Flow networks: objectives that are 0 where flows balance, and objects are drawn in proportion to their rewards."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.objective import Objective
from graphwright.core.segment import Segments, segment_logsumexp
from graphwright.functional import gflownet


class TrajectoryBalance(Objective):
    """Trajectory balance (`functional.gflownet.trajectory_balance`)."""

    learned = frozenset({"log_z"})

    @torch.no_grad()
    def begin(self, sample: Callable[[], FlowBatch]) -> None:
        """log Z begins at the mean estimate, which is below it on average (Jensen), rather than at 0."""
        self.settle(sample(), 1.0)

    @override
    def settle(self, batch: FlowBatch, rate: float) -> None:
        """log Z goes a share of the way, `rate`, to the mean of what the batch says of it, which fits it best.

        By gradient steps it would take hundreds of them to come there, and its error would be most of every residual.
        """
        assert batch.policy.log_z is not None
        gap = self.estimated_log_z(batch).detach() - self.log_z(batch).detach()
        batch.policy.log_z.constant.add_(rate * gap)

    def estimated_log_z(self, batch: FlowBatch) -> Tensor:
        """What the trajectories say of it, on average."""
        return super().log_z(batch)

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        log_z = batch.log_z
        return self.mean(
            gflownet.trajectory_balance(batch.log_forward, batch.log_backward, batch.log_reward, log_z, batch.segments)
        )

    def log_z(self, batch: FlowBatch) -> Tensor:
        """The learned one."""
        return batch.log_z.mean()


class LogPartitionVariance(Objective):
    """Log-partition variance (`functional.gflownet.log_partition_variance`): log Z is not learned."""

    compares = True

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        estimate = gflownet.log_z_estimate(batch.log_forward, batch.log_backward, batch.log_reward, batch.segments)
        return self.mean(gflownet.log_partition_variance(estimate, batch.groups))


class StateFlows(Objective):
    """Objectives that learn the flow of every state; that of the initial state is Z."""

    learned = frozenset({"flow"})
    knows_flows = True

    def log_flow(self, batch: FlowBatch) -> Tensor:
        """[R]."""
        return batch.log_flow

    def log_z(self, batch: FlowBatch) -> Tensor:
        """The flow of the initial state."""
        return self.log_flow(batch)[batch.segments.ptr[:-1]].mean()


class DetailedBalance(StateFlows):
    """Detailed balance (`functional.gflownet.detailed_balance`)."""

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        log_flow = self.log_flow(batch)
        residual = gflownet.detailed_balance(
            log_flow, batch.log_forward, batch.log_backward, batch.log_reward, batch.segments
        )
        return self.mean(residual)


class ForwardLooking(DetailedBalance):
    """Detailed balance with flows that begin at the reward of the state (`functional.gflownet.detailed_balance`)."""

    def log_flow(self, batch: FlowBatch) -> Tensor:
        """[R]."""
        return batch.log_flow + batch.state_log_reward


class SubTrajectoryBalance(StateFlows):
    """Sub-trajectory balance (`functional.gflownet.sub_trajectory_balance`)."""

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        residual, weight = gflownet.sub_trajectory_balance(
            self.log_flow(batch), batch.log_forward, batch.log_backward, batch.log_reward, batch.segments, self.decay
        )
        return (weight * gflownet.regression(self.regression)(residual)).sum()


class ModifiedDetailedBalance(Objective):
    """Modified detailed balance (`functional.gflownet.modified_detailed_balance`), for objects that may stop anywhere.

    No flows are learned.
    """

    def loss(self, batch: FlowBatch) -> Tensor:
        """Raises ValueError where some visited state cannot be finished."""
        if bool(batch.stuck.any()):
            raise ValueError("--algorithm modified-db: here objects cannot stop at every step; take db or subtb")
        log_stop = batch.log_stop
        if not bool(log_stop.isfinite().all()):
            raise ValueError("--algorithm modified-db: some states cannot be finished; take db or subtb")
        residual = gflownet.modified_detailed_balance(
            batch.state_log_reward, log_stop, batch.log_forward, batch.log_backward, batch.segments
        )
        return self.mean(residual)


class ModifiedSubTrajectoryBalance(TrajectoryBalance):
    """Sub-trajectory balance between all states that may be finished, and log Z.

    (`functional.gflownet.modified_sub_trajectory_balance`.) Every prefix of a trajectory teaches what its own object
    does, at the price of their rewards.
    """

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        residual, weight = gflownet.modified_sub_trajectory_balance(
            batch.log_z.expand(batch.segments.num_groups),
            batch.prefix_estimates,
            batch.may_finish,
            batch.segments,
            self.decay,
        )
        return (weight * gflownet.regression(self.regression)(residual)).sum()

    @override
    def estimated_log_z(self, batch: FlowBatch) -> Tensor:
        return batch.prefix_estimates.mean()


class EdgeFlows(Objective):
    """Objectives whose networks give, for each action, the logarithm of a flow or value rather than a mere score."""

    teaches_backward = False
    knows_flows = True

    def log_flow(self, batch: FlowBatch) -> Tensor:
        """[R]: the sum over what may be done; of a state where nothing is left to do, log R."""
        forward = batch.estimate.forward
        log_flow = segment_logsumexp(forward.logits, forward.segments)[batch.which]
        last = (batch.segments.ptr[1:] - 1)[batch.stuck]
        return log_flow.index_copy(0, last, batch.log_reward[batch.stuck])

    def log_z(self, batch: FlowBatch) -> Tensor:
        """The flow out of the initial state."""
        return self.log_flow(batch)[batch.segments.ptr[:-1]].mean()


class FlowMatching(EdgeFlows):
    """Flow matching (`functional.gflownet.flow_matching`).

    In every visited state but the first, and R(x) = F(x → stop) in the last.
    """

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        inner = batch.trajectories.backward >= 0
        residual = gflownet.flow_matching(log_inflow(batch, inner), self.log_flow(batch)[inner])
        last = (batch.segments.ptr[1:] - 1)[~batch.stuck]
        stop = batch.estimate.forward.logits[batch.estimate.forward.segments.ptr[:-1][batch.which[last]]]
        return self.mean(residual) + self.mean(stop - batch.log_reward[~batch.stuck], batch.segments.num_groups)


class SoftQ(EdgeFlows):
    """Soft Q-learning, with log P_B as the reward of a step and log R as that of the object.

    With these rewards the optimal soft policy samples in proportion to R (Tiapkin et al. 2024, "Generative flow
    networks as entropy-regularized RL", theorem 1). Targets are taken from the same networks, without gradient.
    """

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        value = self.log_flow(batch)
        q = value + batch.log_forward  # log P_F = Q - V
        target = gflownet.flow_after(value, batch.log_backward, batch.log_reward, batch.segments)
        return self.mean(q - target.detach())


def log_inflow(batch: FlowBatch, rows: Tensor) -> Tensor:
    """[S]: log Σ F(parent → s) over the parents of the states where `rows` [R] bool is true.

    One pass over all parents. Where several backward actions lead to one parent, each has its own forward action.
    """
    states = batch.trajectories.states.select(rows)
    actions = batch.policy.backward_actions
    legal = actions.arrange(states, batch.backward_masks(states))
    candidates = actions.segments(states)
    ways = legal.nonzero().squeeze(1)
    child = candidates.index[ways]
    parents, forward = batch.undo(states.select(child), candidates.position[ways])
    distribution = batch.policy.distribution(batch.observe(parents))
    log_flow = distribution.logits[distribution.segments.ptr[:-1] + forward]
    return segment_logsumexp(log_flow, Segments.from_lengths(torch.bincount(child, minlength=states.num_graphs)))
