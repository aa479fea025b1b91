"""What fixed opponents share: candidates that are scored, and one of the best drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.draws import drawn_true
from graphwright.core.segment import Segments, segment_argmax, segment_max
from graphwright.envs.game import Game
from graphwright.envs.games.stones import StoneGame
from graphwright.envs.rollouts import uniform_choice


def random_moves(game: Game, state: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: a legal move of each state, all alike likely."""
    if isinstance(game, StoneGame) and game.takes_only and state.node_ptr.is_cpu:  # which need not be looked at
        return drawn_true(game.legal(state), state.node_ptr, torch.rand(state.num_graphs, generator=generator))
    return uniform_choice(game.actions, generator)(game.observe(state))


def draw_best(scores: Tensor, segments: Segments, generator: torch.Generator) -> Tensor:
    """[B] int64: of each group of `scores` [K] float the place of one of its largest, all of these alike likely.

    What is -inf is never drawn; -1 for a group that holds nothing else.
    """
    largest = segment_max(scores, segments, empty=-torch.inf)[segments.index]
    noise = torch.rand(scores.shape, generator=generator, device=scores.device)
    return segment_argmax(noise.masked_fill((scores < largest) | (scores == -torch.inf), -torch.inf), segments)
