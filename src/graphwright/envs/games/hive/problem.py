"""Hive as a problem, with and without its expansions."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.games.hive.environment import EXPANSIONS, Hive, with_expansions
from graphwright.envs.games.hive.plies import mobility_of_moves
from graphwright.envs.games.opponents import draw_best, random_moves
from graphwright.envs.generators import DrawColumns
from graphwright.envs.problem import Problem

SETS = ["".join(some) for count in range(4) for some in itertools.combinations(EXPANSIONS, count)]
"""The eight sets of expansions: "", "M", "L", "P", "ML", "MP", "LP", "MLP"."""


def law(letters: str) -> DrawColumns:
    """Games with these expansions. Nothing is drawn."""

    def first_cells(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
        return with_expansions(letters, graph)

    return first_cells


def mobility(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: the move that wins, or else after which the own moves exceed those of the other side by most, three
    moves being worth a neighbour of the other queen; drawn of equals."""
    scores, segments = mobility_of_moves(state)
    return draw_best(scores, segments, generator)


HIVE = Problem(
    name="hive",
    summary="surround the queen of the other side with insects that move each in its own way",
    objective="score",
    environment=Hive(),
    topology="path",
    sizes=(1,),
    laws={letters or "base": law(letters) for letters in reversed(SETS)},
    opponents={"random": random_moves, "one-ply": mobility},
    training={
        "encoder": {"kind": "gin"},  # which reads edges
        "collection": {"self-play": {"num_envs": 64}},  # positions are large, and games have up to 200 moves
        "validation": {"games": 16},
    },
)
