"""Boards to play on, of which none is decided before it begins, and random moves on them, so that games differ."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.game import Game
from graphwright.envs.games.opponents import random_moves
from graphwright.envs.problem import Problem
from graphwright.envs.rollouts import is_over
from graphwright.envs.vector import draw_playable
from graphwright.training.collectors.play import ConfigError, PlayConfig


def draw_boards(
    problem: Problem,
    game: Game,
    collection: PlayConfig | None,
    size: int,
    count: int,
    seed: int,
    option: str = "--size",
) -> GraphBatch:
    """`count` boards of that size, as `collection` draws them (None: the problem's own), on the CPU.

    Raises ConfigError, naming the option.
    """
    topology, law = (None, None) if collection is None else (collection.generator, collection.law)
    try:
        generate = problem.generator(topology, (size,), law)
    except ValueError as error:
        raise ConfigError(f"{option} {size}: {error}") from None
    source = GeneratedInstances(generate, seed, torch.device("cpu"), block=max(count, 1))
    return draw_playable(game, source, count)[0]


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
