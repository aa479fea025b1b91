"""Exploration: actions that the policy would not draw so often itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, Observation
from graphwright.core.numbers import require
from graphwright.core.segment import segment_sample, segment_sum
from graphwright.distributions import RaggedCategorical
from graphwright.nn.policies import Policy


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
        require("sources.exploration.temperature", self.temperature, 1e-6)
        require("sources.exploration.epsilon", self.epsilon, 0, 1)
        for share in self.block_epsilon:
            require("sources.exploration.block-epsilon", share, 0, 1)
        if self.epsilon + sum(self.block_epsilon) > 1:
            shares = " ".join(f"{share:g}" for share in self.block_epsilon)
            raise ValueError(
                f"--sources.exploration.block-epsilon {shares}: with epsilon {self.epsilon:g} more than 1 together"
            )

    def require_blocks(self, actions: ActionSpec) -> None:
        """Raise ValueError, naming the option, where there are more shares than blocks of actions."""
        if len(self.block_epsilon) > len(actions.blocks):
            names = ", ".join(block.name for block in actions.blocks)
            raise ValueError(
                f"--sources.exploration.block-epsilon: {len(self.block_epsilon)} shares for the "
                f"{len(actions.blocks)} blocks {names}"
            )


def explore(
    distribution: RaggedCategorical,
    actions: ActionSpec,
    graph: GraphBatch,
    config: ExplorationConfig,
    generator: torch.Generator,
) -> Tensor:
    """[B] int64: one draw a graph, -1 where nothing is legal. For a block without legal candidates the policy draws."""
    tempered = distribution if config.temperature == 1 else distribution.tempered(config.temperature)
    logits, segments = tempered.logits, distribution.segments
    drawn = torch.rand(segments.num_groups, generator=generator, device=logits.device)
    low = config.epsilon
    if config.block_epsilon:
        legal, block_of = distribution.legal, _block_of_candidates(actions, graph)
    for place, share in enumerate(config.block_epsilon):
        inside = legal & (block_of == place)
        chosen = (low <= drawn) & (drawn < low + share) & (segment_sum(inside, segments) > 0)
        uniform = torch.where(inside, 0.0, -torch.inf)
        logits = torch.where(chosen.index_select(0, segments.index), uniform, logits)
        low += share
    return segment_sample(logits, segments, generator, drawn < config.epsilon if config.epsilon else None)


def _block_of_candidates(actions: ActionSpec, graph: GraphBatch) -> Tensor:
    """[K] int64: the block of each candidate."""
    places = []
    for place, (block, rows) in enumerate(zip(actions.blocks, actions.rows(graph), strict=True)):
        places.append(torch.full((rows.num_rows, block.columns), place, device=graph.device))
    return actions.arrange(graph, places)


Behaved = tuple[Tensor, Tensor | None]


class Behaviour(Protocol):
    """How a policy acts while it learns."""

    def __call__(self, policy: Policy, observation: Observation, generator: torch.Generator) -> Behaved:
        """One action for each decision, as `Chosen.action`, and what is remembered from now on, as `Chosen.memory`."""


def as_the_policy(policy: Policy, observation: Observation, generator: torch.Generator) -> Behaved:
    """Draws of the policy itself."""
    chosen = policy.act(observation, generator)
    return chosen.action, chosen.memory


@dataclass(frozen=True)
class EpsilonConfig:
    """How often something else is tried than what has the highest value."""

    epsilon: float = 0.4
    """Share of random legal actions in the most curious of the episodes side by side. In episode i of N it is ε to the
    power of 1 + 7 i / (N − 1), so that all shares between are tried all the time (Horgan et al. 2018, section 4)."""
    temperature: float = 0.0
    """Other actions are drawn with probabilities that go with exp(value / temperature); 0 takes the best.
    Values are those of the network, in standard deviations where they are normalized."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, for what is no share or temperature."""
        require("exploration.epsilon", self.epsilon, 0, 1)
        require("exploration.temperature", self.temperature, 0)


class EpsilonGreedy:
    """The behaviour of `EpsilonConfig` in `num_envs` episodes side by side; the logits of the policy are values."""

    def __init__(self, config: EpsilonConfig, num_envs: int) -> None:
        places = torch.linspace(0, 1, num_envs)
        self.epsilon = config.epsilon ** (1 + 7 * places)
        self.exploit = partial(_draw, config.temperature) if config.temperature else _best

    @torch.no_grad()
    def __call__(self, policy: Policy, observation: Observation, generator: torch.Generator) -> Behaved:
        """[D] int64, and what is remembered; graph b of the observation is episode b."""
        values, memory = policy.read(observation)
        graphs = policy.actions.deciders(observation.graph)
        assert isinstance(values, RaggedCategorical)
        chance = self.epsilon.to(generator.device)[graphs.index]
        curious = torch.rand(graphs.num_rows, generator=generator, device=chance.device) < chance
        return torch.where(curious, values.uniform().sample(generator), self.exploit(values, generator)), memory


def _best(values: RaggedCategorical, generator: torch.Generator) -> Tensor:
    return values.mode


def _draw(temperature: float, values: RaggedCategorical, generator: torch.Generator) -> Tensor:
    return values.tempered(temperature).sample(generator)
