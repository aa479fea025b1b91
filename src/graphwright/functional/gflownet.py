"""Objectives of generative flow networks, over one layout: all visited states, grouped by trajectory.

A trajectory of L rows visits L states. Row r has the log-probability of the forward action that was taken there (0
where the state is final and nothing was left to choose) and of the backward action that leads to the row before (0 for
the first). Sums of these are all that an objective needs; R rows, M trajectories, `segments` the rows of each.

Every residual is 0 for all trajectories if and only if objects are sampled with probability R(x) / Z.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from graphwright.core.segment import Segments, segment_sum

Regression = Literal["squared", "huber", "log-cosh"]


def regression(kind: Regression) -> Callable[[Tensor], Tensor]:
    """What is made of a residual: x², Huber's (x²/2 up to 1, |x| - 1/2 beyond), or log cosh x."""
    match kind:
        case "squared":
            return torch.square
        case "huber":
            return lambda x: F.huber_loss(x, torch.zeros_like(x), reduction="none")
        case "log-cosh":
            return lambda x: x.abs() + F.softplus(-2 * x.abs()) - torch.log(x.new_tensor(2.0))


def trajectory_balance(
    log_forward: Tensor, log_backward: Tensor, log_reward: Tensor, log_z: Tensor, segments: Segments
) -> Tensor:
    """[M]: log Z + Σ log P_F - Σ log P_B - log R.

    Malkin et al. 2022, "Trajectory balance: improved credit assignment in GFlowNets", eq. 14.

    log_forward, log_backward: [R]; log_reward: [M]; log_z: [] or [M].
    """
    return log_z - log_z_estimate(log_forward, log_backward, log_reward, segments)


def log_z_estimate(log_forward: Tensor, log_backward: Tensor, log_reward: Tensor, segments: Segments) -> Tensor:
    """[M]: log R + Σ log P_B - Σ log P_F, what each trajectory says of log Z."""
    return log_reward - segment_sum(log_forward - log_backward, segments)


def log_partition_variance(estimate: Tensor, groups: Segments) -> Tensor:
    """[M]: how far each trajectory's `estimate` [M] of log Z is from the mean of its group, such as of one condition.

    Its square is VarGrad (Richter et al. 2020; Zhang et al. 2023, "Robust scheduling with GFlowNets"), which needs no
    learned log Z.
    """
    mean = segment_sum(estimate, groups) / groups.lengths
    return mean[groups.index] - estimate


def detailed_balance(
    log_flow: Tensor, log_forward: Tensor, log_backward: Tensor, log_reward: Tensor, segments: Segments
) -> Tensor:
    """[R]: log F(s) + log P_F(s' | s) - log F(s') - log P_B(s | s'), R(x) being the flow of a finished object.

    Bengio et al. 2023, "GFlowNet foundations", eq. 15. With `log_flow` = learned part + log R(s) of every state it is
    the forward-looking objective (Pan et al. 2023, "Better training of GFlowNets with local credit").

    log_flow, log_forward, log_backward: [R]; log_reward: [M].
    """
    return log_flow + log_forward - flow_after(log_flow, log_backward, log_reward, segments)


def flow_after(log_flow: Tensor, log_backward: Tensor, log_reward: Tensor, segments: Segments) -> Tensor:
    """[R]: log F(s') + log P_B(s | s') of the state that follows each, and log R after the last of a trajectory."""
    following = torch.cat([(log_flow + log_backward)[1:], log_flow[:1]])
    return following.index_copy(0, segments.ptr[1:] - 1, log_reward.to(following))


def modified_detailed_balance(
    log_reward: Tensor, log_stop: Tensor, log_forward: Tensor, log_backward: Tensor, segments: Segments
) -> Tensor:
    """[R - M]: detailed balance where every state may be finished, with flows R(s) / P_F(stop | s) put in.

    Deleu et al. 2022, "Bayesian structure learning with GFlowNets", eq. 9. One residual for each step but stop.

    log_reward: [R], of the object that each state would be; log_stop: [R]; log_forward, log_backward: [R].
    """
    log_flow = log_reward - log_stop
    residual = (log_flow + log_forward)[:-1] - (log_flow + log_backward)[1:]
    return residual[_is_followed(segments)]


def sub_trajectory_balance(
    log_flow: Tensor, log_forward: Tensor, log_backward: Tensor, log_reward: Tensor, segments: Segments, decay: float
) -> tuple[Tensor, Tensor]:
    """Residuals [P] of all sub-trajectories, and weights [P] that add up to 1: decay^length over their sum.

    Madan et al. 2023, "Learning GFlowNets from partial episodes for improved convergence and stability", eq. 6. A
    sub-trajectory from state i to state j has the residual u_i - u_j with u = log F - Σ (log P_F - log P_B) so far.

    log_flow, log_forward, log_backward: [R]; log_reward: [M].
    """
    points = Segments.from_lengths(segments.lengths + 1)  # the finished object is one more
    visited, finished = torch.arange(segments.num_rows, device=log_flow.device) + segments.index, points.ptr[1:] - 1
    nothing = log_flow.new_zeros(points.num_rows)
    flow = nothing.index_copy(0, visited, log_flow).index_copy(0, finished, log_reward.to(log_flow))
    steps = nothing.index_copy(0, visited + 1, log_forward).index_add(0, visited, -log_backward)
    potential = flow - _running_sum(steps, points)
    late, early = _pairs(points)
    weight = log_flow.new_tensor(decay).pow(late - early)
    return potential[early] - potential[late], weight / weight.sum()


def log_z_estimates_of_prefixes(
    log_finish: Tensor, may_finish: Tensor, log_forward: Tensor, log_backward: Tensor, segments: Segments
) -> Tensor:
    """[Q]: log R(s) - log P_F(stop | s) - Σ (log P_F - log P_B) so far, of each state s that may be finished.

    What the trajectory that stops there says of log Z.

    log_finish: [Q], log R(s) - log P_F(stop | s) of the Q true rows of `may_finish` [R] bool.
    log_forward, log_backward: [R].
    """
    before = _running_sum(log_forward, segments) - log_forward - _running_sum(log_backward, segments)
    return log_finish - before[may_finish]


def modified_sub_trajectory_balance(
    log_z: Tensor, estimate: Tensor, may_finish: Tensor, segments: Segments, decay: float
) -> tuple[Tensor, Tensor]:
    """Residuals [P] of all sub-trajectories between states that may be finished, and weights [P] that add up to 1.

    With flows R(s) / P_F(stop | s) of such states put in (Deleu et al. 2022, eq. 9, on sub-trajectories as Madan et al.
    2023 weigh them), residuals are the differences of what the prefixes of a trajectory say of log Z, and log Z itself,
    which stands before the first. Weights are decay^(such states between) over their sum. Where only the last state of
    each may be finished it is trajectory balance.

    log_z: [M]; estimate: [Q], as `log_z_estimates_of_prefixes` gives them; may_finish: [R] bool, with Q true rows.
    """
    owner = segments.index[may_finish]
    points = Segments.from_lengths(1 + torch.bincount(owner, minlength=segments.num_groups))
    places = torch.arange(owner.numel(), device=owner.device) + owner + 1
    potential = estimate.new_zeros(points.num_rows).index_copy(0, points.ptr[:-1], log_z.to(estimate))
    potential = potential.index_copy(0, places, estimate)
    late, early = _pairs(points)
    weight = potential.new_tensor(decay).pow(late - early - 1)
    return potential[early] - potential[late], weight / weight.sum()


def flow_matching(log_inflow: Tensor, log_outflow: Tensor) -> Tensor:
    """[R]: log Σ F(parent → s) - log Σ F(s → child) (Bengio et al. 2021, eq. 12), stop being an edge of flow R(s)."""
    return log_inflow - log_outflow


def _is_followed(segments: Segments) -> Tensor:
    """[R - 1] bool: whether each row but the last is followed by one of the same trajectory."""
    return segments.index[1:] == segments.index[:-1]


def _running_sum(values: Tensor, segments: Segments) -> Tensor:
    """[R]: the sum of each group's values up to and with each row."""
    total = values.double().cumsum(0)
    before = (total - values)[segments.ptr[:-1].clamp(max=max(values.numel() - 1, 0))]
    return (total - before[segments.index]).to(values)


def _pairs(points: Segments) -> tuple[Tensor, Tensor]:
    """The later and the earlier row of every pair of rows of one group, [P] int64 each."""
    count = points.position  # so many earlier rows has each
    pairs = Segments.from_lengths(count)
    return pairs.index, points.ptr[:-1][points.index[pairs.index]] + pairs.position
