"""Exploration: actions that the policy would not draw so often itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.distributions import RaggedCategorical


@dataclass(frozen=True)
class ExplorationConfig:
    """How sampling for training differs from the policy. Log-probabilities are always those of the policy itself."""

    temperature: float = 1.0
    """Actions are drawn with probabilities to the power of 1 / temperature."""
    epsilon: float = 0.01
    """Share of the actions that are drawn uniformly from all that are legal."""
    block_epsilon: tuple[float, ...] = ()
    """Share of the actions that are drawn uniformly from each block of the environment's actions, in their order."""

    def __post_init__(self) -> None:
        """Raise ValueError for shares that are none."""
        shares = (self.epsilon, *self.block_epsilon)
        if min(shares) < 0 or sum(shares) > 1 or self.temperature <= 0:
            raise ValueError("exploration: give a positive temperature and shares that are 0 to 1 together")


def explore(
    distribution: RaggedCategorical,
    actions: ActionSpec,
    graph: GraphBatch,
    config: ExplorationConfig,
    generator: torch.Generator,
) -> Tensor:
    """[B] int64: one draw a graph, -1 where nothing is legal. For a block without legal candidates the policy draws."""
    logits, segments = distribution.tempered(config.temperature).logits, distribution.segments
    legal = distribution.logits > -torch.inf
    drawn = torch.rand(segments.num_groups, generator=generator, device=logits.device)
    if config.epsilon:
        logits = logits.masked_fill((drawn < config.epsilon).index_select(0, segments.index) & legal, 0)
    low = config.epsilon
    if config.block_epsilon:
        block_of = _block_of_candidates(actions, graph)
    for place, share in enumerate(config.block_epsilon):
        inside = legal & (block_of == place)
        chosen = (low <= drawn) & (drawn < low + share) & (segment_sum(inside, segments) > 0)
        uniform = torch.where(inside, 0.0, -torch.inf)
        logits = torch.where(chosen.index_select(0, segments.index), uniform, logits)
        low += share
    return RaggedCategorical(logits, segments).sample(generator)


def _block_of_candidates(actions: ActionSpec, graph: GraphBatch) -> Tensor:
    """[K] int64: the block of each candidate."""
    places = []
    for place, (block, rows) in enumerate(zip(actions.blocks, actions.rows(graph), strict=True)):
        places.append(torch.full((rows.num_rows, block.columns), place, device=graph.device))
    return actions.arrange(graph, places)
