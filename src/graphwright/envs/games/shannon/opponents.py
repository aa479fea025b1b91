"""Fixed players of the switching game, for both of its sides."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.game import Game
from graphwright.envs.games.opponents import draw_best
from graphwright.envs.games.shannon.environment import Shannon
from graphwright.envs.games.shannon.kernels import bridges
from graphwright.envs.games.shannon.solver import values_of_moves

MOST_EMPTY = 16
"""Empty nodes of the largest positions that are solved."""
_JOINED = 1e6  # the conductance between two nodes of Short
_DIGITS = 1e5  # currents are alike that differ by less than one over this


def one_ply(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: a node that wins, or else one with which the other side would win, or else any, drawn of equals."""
    assert isinstance(game, Shannon)
    return _draw(game, state, _urgent(game, state), generator)


def shortest_path(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: a node of a connection for which Short needs fewest stones, whichever side moves; before all a node
    that decides."""
    assert isinstance(game, Shannon)
    return _draw(game, state, _urgent(game, state) + 1 / game.needed(state).double(), generator)


def resistance(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: the empty node through which most current flows from terminal to terminal; first one that decides.

    Nodes are joined by resistors of 1, of which half belongs to each end, and none to nodes of Short; those of Cut are
    taken out. This is how the machine of Shannon and Moore played (Gardner 1961, "The Second Scientific American Book
    of Mathematical Puzzles and Diversions").
    """
    assert isinstance(game, Shannon)
    current = (_current(state) * _DIGITS).round() / _DIGITS
    return _draw(game, state, _urgent(game, state) + current, generator)


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
    bridges(*game.arrays(state), cuts.numpy())
    joins, connects = game.needed(state) == 1, (state.graphs["connector"] == state.graphs["player"])[state.node_graph]
    mine, theirs = torch.where(connects, joins, cuts), torch.where(connects, cuts, joins)
    return 4.0 * mine.double() + 2.0 * theirs.double()


def _draw(game: Shannon, state: GraphBatch, scores: Tensor, generator: torch.Generator) -> Tensor:
    return draw_best(scores.masked_fill(~game.legal(state), -torch.inf), state.node_segments, generator)


def _current(state: GraphBatch) -> Tensor:
    """[N] float64: how much flows through each node, of what flows at most through one of its graph."""
    from scipy.sparse import coo_matrix, diags
    from scipy.sparse.linalg import spsolve

    source, destination = state.edge_index
    short = state.nodes["owner"] == state.graphs["connector"][state.node_graph]
    kept = (short | (state.nodes["owner"] < 0)).double()
    halves = 0.5 * (~short).double()
    ohm = halves[source] + halves[destination]
    conductance = kept[source] * kept[destination] / ohm.clamp(min=1 / _JOINED)
    terminal = state.nodes["terminal"]
    given = torch.zeros(state.num_nodes, dtype=torch.float64)
    given[terminal.nonzero().squeeze(1)[::2]] = 1
    inside = conductance * ~terminal[destination]  # the terminals keep what they are given
    size = (state.num_nodes, state.num_nodes)
    flow = coo_matrix((inside.numpy(), (destination.numpy(), source.numpy())), shape=size).tocsc()
    own = segment_sum(inside, state.in_edges) + terminal.double() + 1e-9
    potential = torch.from_numpy(spsolve(diags(own.numpy(), format="csc") - flow, given.numpy()))
    through = segment_sum(conductance * (potential[source] - potential[destination]).abs(), state.in_edges)
    largest = torch.zeros(state.num_graphs, dtype=torch.float64)
    open_nodes = through.masked_fill(short, 0)
    largest = largest.scatter_reduce(0, state.node_graph, open_nodes, "amax").clamp(min=1e-12)
    return open_nodes / largest[state.node_graph]
