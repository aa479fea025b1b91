"""Rules by which a search follows moves down its trees: PUCT, Gumbel's, UCB1."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from graphwright.core.segment import (
    segment_argmax,
    segment_log_softmax,
    segment_max,
    segment_sum,
)
from graphwright.search.tree import Moves, Tree

_PUCT_BASE, _PUCT_INIT = 19_652, 1.25
_VISIT_SCALE, _VALUE_SCALE = 50.0, 1.0
_FIRST = 1e6


def puct(tree: Tree, edges: Moves) -> Tensor:
    """argmax of Q + c P √N / (1 + n), c = log((1 + N + 19652) / 19652) + 1.25 (Silver et al. 2018, AlphaZero).

    N counts the visit that added the node. Of moves not tried yet Q is the value of the node itself.
    """
    total = 1 + segment_sum(edges.visits, edges.groups)
    factor = (torch.log((1 + total + _PUCT_BASE) / _PUCT_BASE) + _PUCT_INIT) * total.sqrt()
    mean = torch.where(edges.visits > 0, edges.mean, tree.value[edges.node][edges.groups.index])
    bonus = factor[edges.groups.index] * edges.log_prior.exp() / (1 + edges.visits)
    return segment_argmax(mean + bonus, edges.groups)


def ucb(tree: Tree, edges: Moves, exploration: float = math.sqrt(2.0)) -> Tensor:
    """argmax of Q + c √(log N / n); moves not tried yet come first, in their order (Kocsis & Szepesvári 2006)."""
    total = segment_sum(edges.visits, edges.groups).clamp(min=1).log()[edges.groups.index]
    bonus = exploration * (total / edges.visits.clamp(min=1)).sqrt()
    return segment_argmax(torch.where(edges.visits > 0, edges.mean + bonus, _FIRST), edges.groups)


class Gumbel:
    """The search of Danihelka et al. 2022, "Policy improvement by planning with Gumbel": few simulations improve.

    At the roots sequential halving among the `considered` moves with the largest Gumbel noise + log-probability; below,
    the move whose share of the visits lags most behind the improved policy (its eq. 14). noise: [M] of the moves of the
    roots, 0 for a search without chance. Values count as (1 + value) / 2, in [0, 1].
    """

    def __init__(self, simulations: int, noise: Tensor, considered: int = 16) -> None:
        self.noise = noise
        self.simulation = 0
        plans = [visit_plan(count, simulations) for count in range(considered + 1)]
        self.plans = torch.tensor(plans, dtype=torch.float32, device=noise.device)

    def __call__(self, tree: Tree, edges: Moves) -> Tensor:
        """[A] int64."""
        if edges.node.numel() and int(edges.node[0]) < tree.num_games:  # the roots come first, all at once
            return self._at_roots(tree, edges)
        improved = improved_policy(tree, edges).exp()
        total = segment_sum(edges.visits, edges.groups)[edges.groups.index]
        return segment_argmax(improved - edges.visits / (1 + total), edges.groups)

    def _at_roots(self, tree: Tree, edges: Moves) -> Tensor:
        count = edges.groups.lengths.clamp(max=len(self.plans) - 1)
        wanted = self.plans[count, self.simulation][edges.groups.index]
        self.simulation += 1
        return segment_argmax(self.scores(tree, edges).masked_fill(edges.visits != wanted, -torch.inf), edges.groups)

    def scores(self, tree: Tree, edges: Moves) -> Tensor:
        """[M]: noise + log-probability + σ(Q) of the roots' moves."""
        return self.noise + edges.log_prior + _scaled(completed(tree, edges), edges)

    def chosen(self, tree: Tree, edges: Moves) -> Tensor:
        """[B] int64: of the most visited moves of the roots that with the highest score."""
        most = segment_max(edges.visits, edges.groups)[edges.groups.index]
        return segment_argmax(self.scores(tree, edges).masked_fill(edges.visits < most, -torch.inf), edges.groups)


def visit_plan(count: int, simulations: int) -> list[int]:
    """How many visits the move has that each simulation follows, for sequential halving among `count` moves.

    Each of the log₂ count phases spends as much as the others; after it the better half goes on (Karnin et al. 2013).
    """
    if count <= 1:
        return list(range(simulations))
    phases, visits, left = math.ceil(math.log2(count)), [0] * count, count
    plan: list[int] = []
    while len(plan) < simulations:
        for _ in range(max(1, simulations // (phases * left))):
            plan += visits[:left]
            visits[:left] = [number + 1 for number in visits[:left]]
        left = max(2, left // 2)
    return plan[:simulations]


def completed(tree: Tree, edges: Moves) -> Tensor:
    """[M]: Q of the moves that were tried, and a mix of these and of the node's own value for the others (eq. 33)."""
    groups, tried = edges.groups, edges.visits > 0
    prior = edges.log_prior.exp() * tried
    visits, weight = segment_sum(edges.visits, groups), segment_sum(prior, groups)
    average = segment_sum(prior * edges.mean, groups) / weight.clamp(min=torch.finfo(weight.dtype).tiny)
    mixed = (tree.value[edges.node] + visits * average) / (1 + visits)
    return torch.where(tried, edges.mean, mixed[groups.index])


def improved_policy(tree: Tree, edges: Moves) -> Tensor:
    """[M]: log of softmax(log-probability + σ(completed Q)), the policy that is better than the prior (eq. 11)."""
    return segment_log_softmax(edges.log_prior + _scaled(completed(tree, edges), edges), edges.groups)


def _scaled(value: Tensor, edges: Moves) -> Tensor:
    """σ(q) = (50 + max n) q, in units of log-probabilities (eq. 8)."""
    most = segment_max(edges.visits, edges.groups)[edges.groups.index]
    return (_VISIT_SCALE + most) * _VALUE_SCALE * (value + 1) / 2
