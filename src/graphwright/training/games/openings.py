"""Random moves at the beginning of games, so that they differ."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.games.opponents import random_moves
from graphwright.envs.rollouts import is_over


def opened(game: Game, states: GraphBatch, most: int, generator: torch.Generator) -> GraphBatch:
    """`states` after none to `most` random moves each, as many as do not end the game."""
    if not most:
        return states
    left = torch.randint(most + 1, (states.num_graphs,), generator=generator, device=states.device)
    for move in range(most):
        rows = (left > move).nonzero().squeeze(1)
        if rows.numel():
            step = game.step(some := states.select(rows), random_moves(game, some, generator))
            goes_on = ~is_over(step)
            states = states.replace(rows[goes_on], step.state.select(goes_on))
    return states
