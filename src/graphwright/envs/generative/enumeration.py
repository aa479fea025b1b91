"""Enumeration: every state of a small environment, and what a policy does there, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_sum
from graphwright.envs.reversible import Reversible


@dataclass(frozen=True, eq=False)
class StateSpace:
    """All S states that can be reached from one instance, level by level: every step leads to the next level.

    Where nodes have no names, a state stands for all of its numberings.

    states: [S]; level_ptr: where each level begins, [levels + 1].
    candidates: the forward candidates of each state; legal: [K] bool. source, target: [M] int64, the states that each
        legal candidate but stop joins, in the order of candidates; move: [M] int64, the row of that candidate in [K].
    may_finish: [S] bool; stop: [S] int64, the row in [K] of stop, -1 where it is not legal.
    keys: state by its key.
    """

    states: GraphBatch
    level_ptr: Tensor
    candidates: Segments
    legal: Tensor
    source: Tensor
    target: Tensor
    move: Tensor
    may_finish: Tensor
    stop: Tensor
    keys: dict[bytes, int]

    @property
    def num_states(self) -> int:
        """S."""
        return self.states.num_graphs

    def reached(self, log_probs: Tensor) -> tuple[Tensor, Tensor]:
        """[S] float64 each: the probability of passing through a state, and of finishing there.

        log_probs: [K], of a policy, over the candidates of all states.
        """
        probs = log_probs.double().exp()
        passing = torch.zeros(self.num_states, dtype=torch.float64)
        passing[0] = 1
        level = torch.searchsorted(self.level_ptr, self.source, right=True) - 1
        for number in range(self.level_ptr.numel() - 1):
            moves = level == number
            source = self.source[moves]
            passing.index_add_(0, self.target[moves], passing[source] * probs[self.move[moves]])
        stopping = torch.where(self.stop >= 0, probs[self.stop.clamp(min=0)], 1.0)
        return passing, passing * stopping * self.may_finish

    def target_distribution(self, log_reward: Tensor) -> tuple[Tensor, float]:
        """[S] float64: R / Z over the states where an object may be finished; and log Z."""
        log_reward = log_reward.double().masked_fill(~self.may_finish, -torch.inf)
        log_z = torch.logsumexp(log_reward, 0)
        return (log_reward - log_z).exp(), float(log_z)


class _Level(NamedTuple):
    """The states that are so many steps away from the first, and the legal steps out of them."""

    states: GraphBatch
    candidates: Segments
    legal: Tensor
    rows: Tensor
    reached: Tensor


def enumerate_states(environment: Reversible, instance: GraphBatch, *, limit: int = 100_000) -> StateSpace:
    """All states that can be reached from `instance`, a batch of one. Raises ValueError beyond `limit` states."""
    states = environment.reset(instance)
    keys = {environment.keys(states)[0]: 0}
    levels = []
    while states.num_graphs:
        legal = environment.actions.arrange(states, environment.observe(states).masks)
        candidates = environment.actions.segments(states)
        rows = (legal & (candidates.position >= int(environment.has_stop))).nonzero().squeeze(1)
        following = environment.advance(states.select(candidates.index[rows]), candidates.position[rows]).state
        before = len(keys)
        reached = [keys.setdefault(key, len(keys)) for key in environment.keys(following)]
        if len(keys) > limit:
            raise ValueError(f"more than {limit:,} states; exact answers are for smaller environments")
        levels.append(_Level(states, candidates, legal, rows, torch.tensor(reached, dtype=torch.int64)))
        states = following.select(_first_of_each(levels[-1].reached, before, len(keys)))
    return _assemble(environment, levels, keys)


def _first_of_each(reached: Tensor, begin: int, end: int) -> Tensor:
    """The first place in `reached` [M] of each number from `begin` to `end`."""
    first = torch.full((end - begin,), reached.numel())
    new = reached >= begin
    return first.scatter_reduce(0, reached[new] - begin, new.nonzero().squeeze(1), "amin")


def _assemble(environment: Reversible, levels: Sequence[_Level], keys: dict[bytes, int]) -> StateSpace:
    candidates = Segments.from_lengths(torch.cat([level.candidates.lengths for level in levels]))
    legal = torch.cat([level.legal for level in levels])
    offsets = [0, *accumulate(level.legal.numel() for level in levels)]
    move = torch.cat([level.rows + offset for level, offset in zip(levels, offsets, strict=False)])
    stop = torch.full((len(keys),), -1)
    if environment.has_stop:
        stop = torch.where(legal[candidates.ptr[:-1]], candidates.ptr[:-1], -1)
    return StateSpace(
        states=GraphBatch.concat([level.states for level in levels]),
        level_ptr=torch.tensor([0, *accumulate(level.states.num_graphs for level in levels)]),
        candidates=candidates,
        legal=legal,
        source=candidates.index[move],
        target=torch.cat([level.reached for level in levels]),
        move=move,
        may_finish=stop >= 0 if environment.has_stop else segment_sum(legal, candidates) == 0,
        stop=stop,
        keys=keys,
    )


def in_pieces(states: GraphBatch, evaluate: Callable[[GraphBatch], Tensor], size: int = 1024) -> Tensor:
    """`evaluate` (states → rows) of all `states`, a few at a time, so that memory stays bounded."""
    pieces = torch.arange(states.num_graphs).split(size)
    return torch.cat([evaluate(states.select(piece)) for piece in pieces])


def total_variation(one: Tensor, other: Tensor) -> float:
    """Half the L1 distance of two distributions [S]."""
    return float((one - other).abs().sum() / 2)
