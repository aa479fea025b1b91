"""What a leaf of a search tree is worth, and how likely its moves are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_log_softmax
from graphwright.envs.game import Game


class Evaluation(NamedTuple):
    """Of B states. log_probs: [K] float32, of each candidate, -inf where it is illegal; candidates: K → B.
    value: [B] float32, from -1 (lost) to 1 (won), for the side that moves."""

    log_probs: Tensor
    candidates: Segments
    value: Tensor


Evaluate = Callable[[GraphBatch], Evaluation]
"""From states of which none is over."""


def by_network(game: Game, policy: Any) -> Evaluate:
    """Prior and value of a policy with a critic (`ValuedPolicy`) that scores every candidate.

    The function raises ValueError where the policy does not score them.
    """

    @torch.no_grad()
    def evaluate(states: GraphBatch) -> Evaluation:
        distribution, value = policy(game.observe(states))
        if not hasattr(distribution, "log_probs"):
            raise ValueError("a search needs the probability of every candidate; take a head that scores them all")
        return Evaluation(distribution.log_probs, distribution.segments, value.clamp(-1, 1))

    return evaluate


def by_playouts(game: Game, generator: torch.Generator) -> Evaluate:
    """All moves alike likely, and the result of one random game as the value."""

    @torch.no_grad()
    def evaluate(states: GraphBatch) -> Evaluation:
        mask, candidates = game.legal_moves(states)
        logits = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -torch.inf)
        value = game.playout(states, generator) * (1 - 2 * game.player(states))
        return Evaluation(segment_log_softmax(logits, candidates), candidates, value)

    return evaluate
