"""How likely a policy is to build given objects, and how far what it builds is from what is wanted, by trajectories."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.data.trajectories import Trajectories
from graphwright.envs.reversible import Reversible
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler


@torch.no_grad()
def log_ratios(environment: Reversible, policy: FlowPolicy, trajectories: Trajectories) -> Tensor:
    """[M] float32: log P_F(τ) - log P_B(τ | x) of each trajectory."""
    states = trajectories.states
    seen = environment.observe(states)
    estimate = policy(seen.graph, seen.masks, environment.backward_masks(states))
    ratio = estimate.forward.log_prob(trajectories.forward) - estimate.backward.log_prob(trajectories.backward)
    return segment_sum(ratio, trajectories.segments)


@torch.no_grad()
def log_likelihood(
    environment: Reversible, policy: FlowPolicy, objects: GraphBatch, trajectories: int, generator: torch.Generator
) -> Tensor:
    """[B] float32: log of the probability of building each object, estimated.

    log of the mean over `trajectories` drawn backward of P_F(τ) / P_B(τ | x), which has the right expectation; of a
    graph without names, any numbering of it counts. objects: with the conditions that `condition.attach` gives.
    """
    sampler = Sampler(environment, policy, NO_EXPLORATION, generator)
    found = [log_ratios(environment, policy, sampler.sample_backward(objects)) for _ in range(trajectories)]
    symmetries = environment.log_automorphisms(objects).to(torch.float32)
    return torch.logsumexp(torch.stack(found), 0) - math.log(trajectories) - symmetries


def effective_share(log_weight: Tensor) -> float:
    """(Σ w)² / (M Σ w²) of the importance weights w = R / (Z p) of M drawn objects: 1 where p = R / Z, 1 / M at worst.

    Kish 1965, "Survey sampling". log_weight: [M], up to a constant.
    """
    weight = (log_weight.double() - log_weight.max()).exp()
    return float(weight.sum().square() / (weight.square().sum() * weight.numel()))


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Spearman's correlation of two sequences [M], NaN where one of them is constant."""
    from scipy.stats import spearmanr

    if bool((one == one[0]).all()) or bool((other == other[0]).all()):
        return math.nan
    return float(spearmanr(one.numpy(), other.numpy()).statistic)
