"""OpenSpiel's UCT in C++ as an opponent: positions are rebuilt there, stone by stone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.game import Game


@dataclass(frozen=True)
class OpenSpielUct:
    """MCTSBot with so many simulations, one random game for each. name: of the game there, with its options."""

    name: str
    simulations: int

    def __call__(self, game: Game, states: GraphBatch, generator: torch.Generator) -> Tensor:
        """[B] int64. A cell's number is its place, row by row, here as there."""
        import pyspiel

        spiel = pyspiel.load_game(self.name)
        seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
        evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
        bot = pyspiel.MCTSBot(spiel, evaluator, 2.0, self.simulations, 64, True, seed, False)
        owners = states.nodes["owner"].split(states.node_segments.lengths.tolist())
        return torch.tensor([bot.step(rebuilt(spiel, owner.tolist())) for owner in owners])


def rebuilt(spiel: Any, owner: list[int]) -> Any:
    """The position with stones as `owner` says (-1: nobody), put down in turn; what is beyond the cells is left out."""
    state = spiel.new_initial_state()
    cells = spiel.num_distinct_actions()
    stones = [[place for place, side in enumerate(owner[:cells]) if side == player] for player in (0, 1)]
    for turn in range(len(stones[0]) + len(stones[1])):
        state.apply_action(stones[turn % 2][turn // 2])
    return state
