"""Searches: from positions to moves, improved policies and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_argmax, segment_sample, segment_sum
from graphwright.envs.game import Game
from graphwright.search.evaluation import Evaluate, by_playouts
from graphwright.search.rules import Gumbel, improved_policy, puct, ucb
from graphwright.search.tree import Moves, Tree

Kind = Literal["gumbel", "puct"]


@dataclass(frozen=True, eq=False)
class Found:
    """What a search has found of B positions.

    action: [B] int64, the move to make. policy: [K] float32, how likely each candidate should be, 0 where it is not
    legal; candidates: K → B. value: [B] float32, of the position for the side that moves, -1 to 1. visits: [K] int64.
    """

    action: Tensor
    policy: Tensor
    candidates: Segments
    value: Tensor
    visits: Tensor


@dataclass(frozen=True)
class SearchSettings:
    """How moves are searched for.

    kind: "gumbel", which improves a policy with few simulations, or "puct". considered: moves among which Gumbel's
    search divides its simulations at the root. depth: the most moves that it looks ahead, 0 for any number. noise: of
    PUCT at the root while learning, the part of the prior that is Dirichlet noise, of concentration 10 over the number
    of moves.
    """

    simulations: int = 32
    kind: Kind = "gumbel"
    considered: int = 16
    depth: int = 0
    noise: float = 0.25


@torch.no_grad()
def search(
    game: Game,
    positions: GraphBatch,
    evaluate: Evaluate,
    settings: SearchSettings,
    generator: torch.Generator | None = None,
) -> Found:
    """Search each of `positions` [B], none of which is over.

    generator: of what makes games differ while they are learned from, Gumbel noise or noise in the prior and moves
    drawn in proportion to visits; None: without chance.
    """
    tree = Tree(game, positions, evaluate, settings.simulations, settings.depth)
    roots = tree.roots
    if settings.kind == "puct":
        if generator is not None:
            _stir(tree, roots, settings.noise, generator)
        for number in range(settings.simulations):
            tree.simulate(number + 1, puct)
        roots = tree.roots
        policy = roots.visits / segment_sum(roots.visits, roots.groups).clamp(min=1)[roots.groups.index]
        if generator is None:
            place = segment_argmax(policy, roots.groups)
        else:
            place = segment_sample(policy.log(), roots.groups, generator)
        return _found(tree, roots, place, policy)
    noise = torch.zeros_like(roots.log_prior)
    if generator is not None:
        exponential = torch.empty_like(noise).exponential_(generator=generator)
        noise = -exponential.clamp_(min=torch.finfo(noise.dtype).tiny).log_()
    rule = Gumbel(settings.simulations, noise, settings.considered)
    for number in range(settings.simulations):
        tree.simulate(number + 1, rule)
    roots = tree.roots
    return _found(tree, roots, rule.chosen(tree, roots), improved_policy(tree, roots).exp())


@torch.no_grad()
def search_by_playouts(game: Game, positions: GraphBatch, simulations: int, generator: torch.Generator) -> Found:
    """UCT: UCB1 down the tree and one random game from each leaf; the most visited move (Kocsis & Szepesvári 2006)."""
    tree = Tree(game, positions, by_playouts(game, generator), simulations)
    for number in range(simulations):
        tree.simulate(number + 1, ucb)
    roots = tree.roots
    policy = roots.visits / segment_sum(roots.visits, roots.groups).clamp(min=1)[roots.groups.index]
    tie = torch.rand(policy.shape, generator=generator, device=policy.device) * 1e-3
    return _found(tree, roots, segment_argmax(roots.visits + tie, roots.groups), policy)


def _stir(tree: Tree, roots: Moves, share: float, generator: torch.Generator) -> None:
    """Mix Dirichlet noise into the prior of the roots' moves."""
    concentration = (10 / roots.groups.lengths.clamp(min=1)).float()[roots.groups.index]
    drawn = torch._standard_gamma(concentration, generator=generator).clamp(min=torch.finfo(torch.float32).tiny)
    noise = drawn / segment_sum(drawn, roots.groups)[roots.groups.index]
    tree.log_prior[roots.rows] = ((1 - share) * roots.log_prior.exp() + share * noise).log()


def _found(tree: Tree, roots: Moves, place: Tensor, policy: Tensor) -> Found:
    rows = tree.candidates.ptr[:-1][roots.groups.index] + tree.action[roots.rows]
    everything = torch.zeros(tree.candidates.num_rows, device=policy.device)
    visits = segment_sum(roots.visits, roots.groups)
    searched = segment_sum(roots.visits * roots.mean, roots.groups)
    return Found(
        action=tree.action[tree.first[tree.games] + place],
        policy=everything.index_copy(0, rows, policy),
        candidates=tree.candidates,
        value=(tree.value[tree.games] + searched) / (1 + visits),
        visits=everything.long().index_copy(0, rows, roots.visits.long()),
    )
