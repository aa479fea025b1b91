"""Matches: many games between two players, who swap sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.games.opponents import random_moves
from graphwright.envs.problem import Opponent
from graphwright.envs.rollouts import is_over, repeat_each, until_done
from graphwright.training.statistics import Interval, wilson


@dataclass(frozen=True, eq=False)
class Match:
    """G games, which stand in pairs: the same beginning, with the sides swapped.

    side: [G] int64, the side that the first player has. outcome: [G] float32, 1 where the first player has won, 0 for a
    draw, -1 where it has lost. moves: [T, G] int64, the action of each move; -1 where the game is over.
    """

    side: Tensor
    outcome: Tensor
    moves: Tensor

    @property
    def num_games(self) -> int:
        """G."""
        return self.side.numel()

    def count(self, side: int | None = None) -> Score:
        """How many games the first player has won, drawn and lost, as the given side or in all."""
        outcome = self.outcome if side is None else self.outcome[self.side == side]
        return Score(*(int((outcome == value).sum()) for value in (1, 0, -1)))

    def count_pairs(self) -> Score:
        """The same of pairs of games: won where the first player has more points in both together.

        Beginnings that decide a game give one point to each, so that they count for nothing here.
        """
        sums = self.outcome.view(-1, 2).sum(1)
        return Score(int((sums > 0).sum()), int((sums == 0).sum()), int((sums < 0).sum()))

    @property
    def num_distinct(self) -> int:
        """How many different games there are among them, which is few where both players always do the same."""
        return self._distinct(None)

    def share(self, side: int | None = None) -> Interval:
        """Points for each game, as `Score.share`, with the interval of as many games as differ: others say no more."""
        differ = self._distinct(side)
        return wilson(self.count(side).share.value * differ, differ)

    def num_opened(self, opening: int) -> int:
        """How many games were over before a player made a move, after so many random ones."""
        return int(((self.moves >= 0).sum(0) <= opening).sum()) if opening else 0

    def _distinct(self, side: int | None) -> int:
        played = torch.cat([self.side[None], self.moves])
        played = played if side is None else played[:, self.side == side]
        return int(torch.unique(played, dim=1).shape[1]) if played.shape[1] else 0


@dataclass(frozen=True)
class Score:
    """Games that a player has won, drawn and lost."""

    wins: int
    draws: int
    losses: int

    @property
    def games(self) -> int:
        """All of them."""
        return self.wins + self.draws + self.losses

    @property
    def share(self) -> Interval:
        """Points for each game, a draw being half a one, with Wilson's 95 % interval."""
        return wilson(self.wins + self.draws / 2, self.games)

    @property
    def decided(self) -> Interval:
        """What was won of what somebody has won, with Wilson's 95 % interval."""
        return wilson(self.wins, self.wins + self.losses)

    def __add__(self, other: Score) -> Score:
        return Score(self.wins + other.wins, self.draws + other.draws, self.losses + other.losses)


def play_match(
    game: Game,
    instances: GraphBatch,
    one: Opponent,
    other: Opponent,
    generator: torch.Generator,
    opening: int = 0,
    watch: Callable[[int], None] | None = None,
) -> Match:
    """Two games on each of `instances`: `one` has side 0 in the first of them and side 1 in the second.

    opening: moves that are drawn at random before the players take over, the same in both games of a pair.
    watch: called with the number of games that are over after every move.
    """
    start = game.reset(repeat_each(instances, 2))
    count = start.num_graphs
    side = torch.arange(count, device=start.device) % 2
    outcome = torch.zeros(count, device=start.device)
    moves: list[Tensor] = []

    def act(episode: Tensor, state: GraphBatch) -> Tensor:
        if len(moves) < opening:
            action = random_moves(game, state, generator)
            action = action[0::2].repeat_interleave(2)  # pairs begin alike, so they also end alike in the opening
        else:
            own = game.player(state) == side[episode]
            action = torch.empty_like(episode)
            for player, mine in ((one, own), (other, ~own)):
                rows = mine.nonzero().squeeze(1)
                if rows.numel():
                    some = state if rows.numel() == mine.numel() else state.select(rows)
                    action[rows] = player(game, some, generator)
        moves.append(torch.full((count,), -1, device=start.device).index_copy(0, episode, action))
        return action

    running = count
    for transition in until_done(start, act, game.step, ends=is_over):
        step = transition.step
        assert step is not None
        won = step.terminated.nonzero().squeeze(1)
        if won.numel():
            sign = 1 - 2 * side[transition.episode[won]]
            outcome[transition.episode[won]] = sign * game.outcome(step.state.select(won))
        running -= int(is_over(step).sum())
        if watch is not None:
            watch(count - running)
    return Match(side, outcome, torch.stack(moves) if moves else side.new_empty(0, count))
