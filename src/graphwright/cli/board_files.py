"""Boards from files, for the games that are played on any graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graphwright.adapters.named_graph import NamedGraph
from graphwright.cli.instances import FileOptions, say_reading
from graphwright.core import GraphBatch
from graphwright.envs.readable import Readable
from graphwright.envs.rollouts import has_choice
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError


def read_boards(
    agent: Agent, paths: Sequence[Path], files: FileOptions, size: int | None
) -> list[tuple[NamedGraph, GraphBatch]]:
    """The graph and the board of each file, for the game of a run; what was understood is said on stderr.

    Raises ConfigError where the game reads no files, where a `size` is asked for too, and for a board on which the game
    is decided before it begins; GraphError naming the file.
    """
    game = agent.config.environment
    if not isinstance(game, Readable):
        raise ConfigError(f"--instances: {agent.problem.name} reads no files; leave it out")
    if size is not None:
        raise ConfigError(f"--size {size}: a file has a size of its own; leave it out")
    found = []
    for path in paths:
        named, board = files.read(path, game)
        if not bool(has_choice(game, game.observe(game.reset(board))).all()):
            raise ConfigError(f"{path}: the game is decided before it begins; mark other nodes")
        say_reading(path, named)
        found.append((named, board))
    return found
