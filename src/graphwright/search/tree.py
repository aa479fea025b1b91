"""`Tree`: the search trees of many games as tables of nodes and edges, grown by one node a game and simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_sum
from graphwright.envs.game import Game
from graphwright.search.evaluation import Evaluate, Evaluation
from graphwright.search.states import ChangedColumns, StoredStates, WholeGraphStates

_NONE = -1


class Moves(NamedTuple):
    """The legal moves of A nodes. node: [A] int64; groups: M → A; rows: [M] int64, their places in the tree's tables;
    log_prior, visits, mean: [M] float32, mean that of what the side that moves has found there, 0 without visits."""

    node: Tensor
    groups: Segments
    rows: Tensor
    log_prior: Tensor
    visits: Tensor
    mean: Tensor


Choose = Callable[["Tree", Moves], Tensor]
"""From the moves of A nodes to the place of the one to follow among those of each, [A] int64."""


class Tree:
    """The trees of B games, none of which is over at its root.

    Node s · B + b is the one that simulation s has added to game b; s = 0 are the roots. Of nodes: `value` for the side
    that moves, `side` 1 or -1 (for players 0 and 1), `over`, and `result` of games that are over for player 0. Of
    edges, the legal moves: `log_prior`, `visits`, `total`, `action` and the node `child`, -1 before the first visit.
    depth: no node is further from its root, 0 for any distance. Raises ValueError for a game that is over.
    """

    def __init__(self, game: Game, roots: GraphBatch, evaluate: Evaluate, simulations: int, depth: int = 0) -> None:
        self.game = game
        self.evaluate = evaluate
        self.depth = depth
        self.num_games = roots.num_graphs
        capacity, device = simulations + 1, roots.device
        store = WholeGraphStates if game.edits_graph else ChangedColumns
        self.states: StoredStates = store(roots, capacity)
        self.games = torch.arange(self.num_games, device=device)
        size = capacity * self.num_games
        self.value, self.result = torch.zeros(2, size, device=device)
        self.side = torch.ones(size, device=device)
        self.over = torch.zeros(size, dtype=torch.bool, device=device)
        self.first, self.count = torch.zeros(2, size, dtype=torch.int64, device=device)
        self.num_edges = 0
        self.log_prior, self.visits, self.total = torch.zeros(3, 0, device=device)
        self.action, self.child = torch.zeros(2, 0, dtype=torch.int64, device=device)
        evaluation = evaluate(roots)
        self._add(self.games, roots, evaluation)
        self.candidates = evaluation.candidates
        if bool((self.count[self.games] == 0).any()):
            raise ValueError("a game that is over has no moves to search for")

    def edges(self, node: Tensor) -> Moves:
        """The legal moves of the nodes [A] int64."""
        groups = Segments.from_lengths(self.count[node])
        rows = self.first[node][groups.index] + groups.position
        visits = self.visits[rows]
        return Moves(node, groups, rows, self.log_prior[rows], visits, self.total[rows] / visits.clamp(min=1))

    @property
    def roots(self) -> Moves:
        """The moves of the roots."""
        return self.edges(self.games)

    def simulate(self, number: int, choose: Choose) -> None:
        """Simulation `number`, 1 or more: follow `choose` down each tree, add what is found, and carry its value up."""
        path = self._descend(choose)
        edge, parent = path[-1][1].new_empty(self.num_games), path[-1][1].new_empty(self.num_games)
        for node, followed, row in path:  # the last of each game stays
            edge[followed], parent[followed] = row, node
        leaf = self.child[edge]
        new = (leaf == _NONE).nonzero().squeeze(1)
        if new.numel():
            leaf = leaf.index_copy(0, new, self._expand(number, new, parent[new], edge[new]))
        found = torch.where(self.over[leaf], self.result[leaf], self.value[leaf] * self.side[leaf])
        for node, followed, row in path:
            self.visits[row] += 1
            self.total[row] += found[followed] * self.side[node]

    def _descend(self, choose: Choose) -> list[tuple[Tensor, Tensor, Tensor]]:
        """A step down for each entry: the nodes, the games and the edges followed; the first is of all games."""
        node = games = self.games
        path: list[tuple[Tensor, Tensor, Tensor]] = []
        while games.numel() and not 0 < self.depth == len(path):
            edges = self.edges(node)
            row = self.first[node] + choose(self, edges)
            path.append((node, games, row))
            child = self.child[row]
            inside = ((child != _NONE) & ~self.over[child.clamp(min=0)]).nonzero().squeeze(1)
            node, games = child[inside], games[inside]
        return path

    def _expand(self, number: int, games: Tensor, parent: Tensor, edge: Tensor) -> Tensor:
        """The nodes [A] that the edges of `games` [A] lead to for the first time."""
        step = self.game.step(self.states.get(parent // self.num_games, games), self.action[edge])
        node = number * self.num_games + games
        self.child[edge] = node
        over = step.terminated | step.truncated
        self.over[node] = over
        self.result[node] = step.reward * self.side[parent] * step.terminated
        self.states.put(number, games, step.state)
        inside = (~over).nonzero().squeeze(1)
        if inside.numel():
            states = step.state if inside.numel() == over.numel() else step.state.select(inside)
            self._add(node[inside], states, self.evaluate(states))
        return node

    def _add(self, node: Tensor, states: GraphBatch, evaluation: Evaluation) -> None:
        legal = evaluation.log_probs > -torch.inf
        count = segment_sum(legal, evaluation.candidates)
        self.value[node], self.side[node] = evaluation.value, 1.0 - 2.0 * self.game.player(states)
        self.count[node], self.first[node] = count, self.num_edges + count.cumsum(0) - count
        rows = legal.nonzero().squeeze(1)
        begin, end = self.num_edges, self.num_edges + rows.numel()
        self._make_room(end)
        self.log_prior[begin:end] = evaluation.log_probs[rows]
        self.action[begin:end] = evaluation.candidates.position[rows]
        self.child[begin:end] = _NONE
        self.num_edges = end

    def _make_room(self, size: int) -> None:
        if size <= self.visits.numel():
            return
        for name in ("log_prior", "visits", "total", "action", "child"):
            column = getattr(self, name)
            larger = column.new_zeros(max(size, 2 * column.numel()))
            larger[: column.numel()] = column
            setattr(self, name, larger)
