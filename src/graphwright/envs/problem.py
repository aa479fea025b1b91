"""`Problem`: an environment with what surrounds it, so that policies can be trained, compared and used on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation
from graphwright.core.segment import segment_sample
from graphwright.envs.environment import Environment
from graphwright.envs.episodes import Choose
from graphwright.envs.generators import InstanceGenerator


class Optimum(Protocol):
    """What an exact solver found. cost, lower_bound: [B] float64; proven: [B] bool, the cost is optimal."""

    @property
    def cost(self) -> Tensor: ...  # noqa: D102
    @property
    def lower_bound(self) -> Tensor: ...  # noqa: D102
    @property
    def proven(self) -> Tensor: ...  # noqa: D102


Heuristic = Callable[[Environment, GraphBatch], Tensor]
Solver = Callable[[GraphBatch, float], Optimum]


@dataclass(frozen=True)
class Problem:
    """A named environment with instances to train on and solutions to compare with.

    summary: one line. environment: with its default options. instances: the default training distribution.
    heuristics: name → function of the environment and instances, the cost [B] that it reaches.
    solve_exactly: function of instances and seconds for each of them, for the optimum.
    """

    name: str
    summary: str
    environment: Environment
    instances: InstanceGenerator
    heuristics: Mapping[str, Heuristic]
    solve_exactly: Solver


def random_choice(environment: Environment, generator: torch.Generator) -> Choose:
    """The policy that draws every legal action with the same probability: a baseline for any environment."""

    def choose(observation: Observation) -> Tensor:
        mask = environment.actions.arrange(observation.graph, observation.masks)
        logits = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -torch.inf)
        return segment_sample(logits, environment.actions.segments(observation.graph), generator)

    return choose
