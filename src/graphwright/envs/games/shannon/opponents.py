"""Fixed players of the switching game, for both of its sides."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.game import Game
from graphwright.envs.games.opponents import draw_best
from graphwright.envs.games.shannon.environment import Shannon
from graphwright.envs.games.shannon.kernels import bridges, needed
from graphwright.envs.games.shannon.measures import measured
from graphwright.envs.games.shannon.solver import values_of_moves

MOST_EMPTY = 16
"""Empty nodes of the largest positions that are solved."""


def one_ply(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: a node that wins, or else one with which the other side would win, or else any, drawn of equals."""
    assert isinstance(game, Shannon)
    return _draw(game, state, _urgent(game, state), generator)


def shortest_path(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: a node of a connection for which Short needs fewest stones, whichever side moves; before all a node
    that decides."""
    assert isinstance(game, Shannon)
    return _draw(game, state, _urgent(game, state) + 1 / measured(state).need[0].double(), generator)


def resistance(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: the empty node with most of the current of both sides together; first one that decides.

    See `circuits.py` for the circuit of a side, and `Measures` for that of Cut on graphs that are no boards.
    """
    assert isinstance(game, Shannon)
    return _draw(game, state, _urgent(game, state) + measured(state).current.sum(0) / 2, generator)


def perfect(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: perfect play, which wins quickly and loses slowly, drawn of equals.

    Raises ValueError for positions of more than `MOST_EMPTY` empty nodes.
    """
    assert isinstance(game, Shannon)
    empty = int(segment_sum(state.nodes["owner"] < 0, state.node_segments).max())
    if empty > MOST_EMPTY:
        most = f"at most {MOST_EMPTY} empty nodes, not {empty}"
        raise ValueError(f"perfect play is found of positions with {most}; choose a smaller board")
    return _draw(game, state, values_of_moves(state).double(), generator)


def _urgent(game: Shannon, state: GraphBatch) -> Tensor:
    """[N] float64: 4 for nodes that win at once, 2 for those with which the other side would."""
    cuts = torch.empty(state.num_nodes, dtype=torch.bool)
    needs = torch.empty(state.num_nodes, dtype=torch.int64)
    needed(*game.arrays(state), needs.numpy())
    bridges(*game.arrays(state), cuts.numpy())
    joins, connects = needs == 1, (state.graphs["connector"] == state.graphs["player"])[state.node_graph]
    mine, theirs = torch.where(connects, joins, cuts), torch.where(connects, cuts, joins)
    return 4.0 * mine.double() + 2.0 * theirs.double()


def _draw(game: Shannon, state: GraphBatch, scores: Tensor, generator: torch.Generator) -> Tensor:
    return draw_best(scores.masked_fill(~game.legal(state), -torch.inf), state.node_segments, generator)
