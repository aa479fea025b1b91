"""Games that are won by k stones in a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, GraphError, Observation, Step
from graphwright.core.kernels.jit import arrays
from graphwright.core.segment import segment_sum
from graphwright.envs.game import Game
from graphwright.envs.games.lines.kernels import chances, completed
from graphwright.envs.games.lines.solver import values_of_moves
from graphwright.envs.games.opponents import draw_best
from graphwright.envs.games.stones import StoneGame

_MOST_IN_A_ROW = 26


@dataclass(frozen=True)
class LineGame(StoneGame):
    """Take cells in turn; who first has k in a row, column or diagonal wins, and a full board is a draw.

    Instance: a board, of any shape that fits a grid: the node column `position` [N, 2], (column, row).
    """

    in_a_row: int = 3
    """Stones in a row that win."""

    falls: ClassVar[bool] = False
    """Whether stones fall to the last row."""

    def __post_init__(self) -> None:
        """Raise ValueError for a length that no line has."""
        if not 1 <= self.in_a_row <= _MOST_IN_A_ROW:
            raise ValueError(f"environment.in-a-row: {self.in_a_row}; give 1 to {_MOST_IN_A_ROW}")

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        if "position" not in instances.nodes:
            raise GraphError("a board needs the node column 'position', (column, row) of each cell")
        return self.begun(instances, torch.full((instances.num_nodes,), -1, dtype=torch.int8, device=instances.device))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        mine, theirs = self.seen(state)
        best, count = self.chances(state)
        player = state.graphs["player"][state.node_graph].unsqueeze(1)
        sides = torch.cat([player, 1 - player], dim=1)
        fullest = (best.gather(1, sides) + 1) / self.in_a_row
        lines = count.gather(1, sides).float().log1p()
        graph = state.keep(edges=list(self.features.edges)).with_nodes(
            mine=mine,
            theirs=theirs,
            my_line=fullest[:, 0],
            their_line=fullest[:, 1],
            my_lines=lines[:, 0],
            their_lines=lines[:, 1],
        )
        return Observation(graph, (self.legal(state),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        owner, node = self.placed(state, action)
        won = torch.empty(state.num_graphs, dtype=torch.bool)
        batch = arrays(state.node_ptr.cpu(), cell(state).cpu(), owner.cpu(), node.cpu())
        completed(*batch, self.in_a_row, won.numpy())
        won = won.to(state.device)
        return self.moved(state, owner, won, won | (segment_sum(owner < 0, state.node_segments) == 0))

    @override
    def legal(self, state: GraphBatch) -> Tensor:
        return state.nodes["owner"] < 0

    def chances(self, state: GraphBatch) -> tuple[Tensor, Tensor]:
        """[N, 2] int64 each, of every cell and side: the stones in the fullest line through it in which the other side
        has none, and how many lines are that full; -1 and 0 where there is none, and where the cell is taken."""
        best, count = torch.empty(2, state.num_nodes, 2, dtype=torch.int64)
        batch = arrays(state.node_ptr.cpu(), cell(state).cpu(), state.nodes["owner"].cpu())
        chances(*batch, self.in_a_row, *arrays(best, count))
        return best.to(state.device), count.to(state.device)


def cell(state: GraphBatch) -> Tensor:
    """[N, 2] int64: column and row of each cell."""
    return state.nodes["position"].round().long()


def one_ply(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: a cell that wins, or else one on which the other side would win, or else any, drawn of equals."""
    assert isinstance(game, LineGame)
    best, _ = game.chances(state)
    player = state.graphs["player"][state.node_graph]
    wins = best == game.in_a_row - 1
    mine, theirs = (wins.gather(1, side.unsqueeze(1)).squeeze(1) for side in (player, 1 - player))
    scores = (2.0 * mine + theirs).masked_fill(~game.legal(state), -torch.inf)
    return draw_best(scores, state.node_segments, generator)


@dataclass(frozen=True)
class PerfectPlay:
    """Perfect play of positions with at most so many empty cells: wins quickly, loses slowly, drawn of equals.

    otherwise: whether one-ply plays the others; if not, they are refused with a ValueError.
    """

    most_empty: int
    otherwise: bool = False

    def __call__(self, game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
        """[B] int64."""
        assert isinstance(game, LineGame)
        empty = segment_sum(state.nodes["owner"] < 0, state.node_segments)
        small = (empty <= self.most_empty) & (state.node_segments.lengths <= 64)
        if not self.otherwise and not bool(small.all()):
            most = f"at most {self.most_empty} empty cells, not {int(empty[~small].max())}"
            raise ValueError(f"perfect play is found of positions with {most}; choose a smaller board")
        action = torch.empty_like(empty)
        for chosen, solved in ((small, True), (~small, False)):
            rows = chosen.nonzero().squeeze(1)
            if rows.numel():
                some = state.select(rows)
                action[rows] = _perfect(game, some, generator) if solved else one_ply(game, some, generator)
        return action


def _perfect(game: LineGame, state: GraphBatch, generator: torch.Generator) -> Tensor:
    value = values_of_moves(state, cell(state), game.in_a_row, game.falls)
    return draw_best(value.float().masked_fill(~game.legal(state), -torch.inf), state.node_segments, generator)
