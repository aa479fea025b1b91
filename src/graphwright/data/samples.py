"""`ReplaySamples`: the minibatches of one update, drawn from a replay while they are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graphwright.core.sequence import Sequence
from graphwright.data.replay import Replay, Transitions

DECISIONS = "decisions"
"""The group of a transition that holds what was decided."""
SEARCHED, OUTCOME = "searched", "outcome"
"""The group of a position that holds what a search has found there, with a "policy" [K]; and its column with the
outcome of the game for the side that moves, -1 to 1."""
_LEAST_PRIORITY = 1e-3


@dataclass(frozen=True)
class InARow:
    """Runs of up to `length` steps of one episode, which are drawn together.

    stride: how many ids on the next step of an episode is, if it is there: the number of episodes side by side.
    """

    length: int
    stride: int

    def draw(self, replay: Replay, count: int, generator: torch.Generator) -> Transitions:
        """About `count` transitions of one step each, step by step, and what goes on where (`Transitions.sequence`).

        Runs begin anywhere, alike; they end with their episode, or where the newest transition is. What an agent
        remembers where its run begins is what was stored then (Kapturowski et al. 2019, "Recurrent experience replay in
        distributed reinforcement learning", the stored state).
        """
        here = replay.ids[0] + torch.randint(len(replay), (max(1, count // self.length),), generator=generator).to(
            replay.ids.device
        )
        ids, following, total = [here], [], here.numel()
        for _ in range(self.length - 1):
            goes_on = replay.follows(here, here + self.stride)
            following.append(torch.where(goes_on, total + goes_on.long().cumsum(0) - 1, -1))
            here = (here + self.stride)[goes_on]
            ids.append(here)
            total += here.numel()
        following.append(torch.full_like(here, -1))
        found = replay.select(torch.cat(ids))
        decisions = found.groups[DECISIONS]
        agents, successor, then = decisions.segments, decisions.columns["successor"], torch.cat(following)
        then = then[agents.index]
        place = torch.where((then >= 0) & (successor >= 0), agents.ptr[then.clamp(min=0)] + successor, -1)
        steps = torch.stack([part.sum() for part in agents.lengths.split([part.numel() for part in ids])])
        return replace(found, sequence=Sequence.of(place, steps))


@dataclass(frozen=True, eq=False)
class ReplaySamples:
    """`count` minibatches of `size` transitions, drawn as they are iterated.

    Transitions have the columns "reward" [S, n] (those of the next steps, 0 after the last that counts), "length" [S]
    int64 (how many count) and "terminated" [S] bool, and the group "decisions" with "action" [D] (or [D, columns]);
    where there may be several on a graph, "successor" [D] int64, the place of the decider among those of its graph in
    the next state, or -k where it is gone after k of the steps; where each has a reward of its own, "reward" [D, n].

    priority: the exponent by which they are drawn; 0 draws all alike. generator: of the CPU.
    in_a_row: how steps in a row are drawn together; None: single transitions are.
    """

    replay: Replay
    count: int
    size: int
    priority: float
    generator: torch.Generator
    in_a_row: InARow | None = None

    def __iter__(self) -> Iterator[Transitions]:
        for _ in range(self.count):
            if self.in_a_row is not None:
                yield self.in_a_row.draw(self.replay, self.size, self.generator)
            elif self.priority > 0:
                yield self.replay.sample_by_priority(self.size, self.generator, self.priority)
            else:
                yield self.replay.sample(self.size, self.generator)

    def set_error(self, ids: Tensor, error: Tensor) -> None:
        """What the transitions of `ids` [S] were wrong by, [S]: how soon they are drawn again."""
        if self.priority > 0:
            self.replay.set_priority(ids, error.detach().abs() + _LEAST_PRIORITY)
