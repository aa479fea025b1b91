"""Boards to play on, of which none is decided before it begins."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.game import Game
from graphwright.envs.problem import Problem
from graphwright.envs.vector import draw_playable
from graphwright.training.collectors.play import ConfigError, PlayConfig


def draw_boards(
    problem: Problem, game: Game, collection: PlayConfig, size: int, count: int, seed: int, option: str = "--size"
) -> GraphBatch:
    """`count` boards of that size, as `collection` draws them, on the CPU. Raises ConfigError, naming the option."""
    try:
        generate = problem.generator(collection.generator, (size,), collection.law)
    except ValueError as error:
        raise ConfigError(f"{option} {size}: {error}") from None
    source = GeneratedInstances(generate, seed, torch.device("cpu"), block=max(count, 1))
    return draw_playable(game, source, count)[0]
