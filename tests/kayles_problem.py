"""Node Kayles as a problem, to be named as kayles_problem:KAYLES."""

from __future__ import annotations

import torch
from torch import Tensor

from games_and_queues import Kayles
from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.games.opponents import random_moves
from graphwright.envs.problem import Problem


def first_legal(game: Game, states: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: the first legal node."""
    (mask,) = game.observe(states).masks
    return torch.stack([own.nonzero()[0, 0] for own in mask.split(states.node_segments.lengths.tolist())])


KAYLES = Problem(
    name="kayles_problem:KAYLES",
    summary="Node Kayles",
    environment=Kayles(),
    topology="path",
    sizes=(4, 5, 7),
    opponents={"random": random_moves, "first": first_legal},
)
