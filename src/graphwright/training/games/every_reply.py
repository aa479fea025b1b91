"""All games that a player can come to: it decides, and its opponent does everything that the rules allow."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.problem import Opponent
from graphwright.envs.rollouts import is_over
from graphwright.training.games.match import Score


def against_every_reply(
    game: Game, instance: GraphBatch, player: Opponent, side: int, generator: torch.Generator
) -> Score:
    """How `player`, which has `side`, ends all games on the one graph of `instance` in which it makes its own moves.

    For games that are small enough to be counted. A player that has lost none of them never loses, whoever plays.
    """
    states, total = game.reset(instance), Score(0, 0, 0)
    while states.num_graphs:
        own = game.player(states) == side
        index, action = _every_move(game, states)
        if bool(own.any()):
            mine = own.nonzero().squeeze(1)
            theirs = ~own[index]
            index = torch.cat([mine, index[theirs]])
            action = torch.cat([player(game, states.select(mine), generator), action[theirs]])
        step = game.step(states.select(index), action)
        over = is_over(step)
        outcome = game.outcome(step.state.select(over)) * step.terminated[over] * (1 - 2 * side)
        total += Score(*(int((outcome == value).sum()) for value in (1, 0, -1)))
        states = step.state.select(~over)
    return total


def _every_move(game: Game, states: GraphBatch) -> tuple[Tensor, Tensor]:
    """[M] int64 each, of all legal moves: the state, and the action."""
    seen = game.observe(states)
    candidates = game.actions.segments(seen.graph)
    rows = game.actions.arrange(seen.graph, seen.masks).nonzero().squeeze(1)
    return candidates.index[rows], candidates.position[rows]
