"""Players: an `Opponent` is a function from states to moves, whoever makes it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.problem import Opponent, Problem
from graphwright.envs.rollouts import uniform_choice
from graphwright.training.collectors.play import ConfigError


@dataclass(frozen=True, eq=False)
class PolicyPlayer:
    """A policy without search. draws: whether it draws its moves, rather than to make the most probable."""

    policy: Any
    draws: bool = False

    def __call__(self, game: Game, states: GraphBatch, generator: torch.Generator) -> Tensor:
        """[B] int64."""
        seen = game.observe(states)
        return self.policy.act(seen, generator).action if self.draws else self.policy.best(seen)


def play_at_random(game: Game, states: GraphBatch, generator: torch.Generator) -> Tensor:
    """[B] int64: every legal move with the same probability."""
    return uniform_choice(game.actions, generator)(game.observe(states))


def find_opponent(problem: Problem, name: str) -> Opponent:
    """The opponent of that name. Raises ConfigError, listing the names, where there is none."""
    if name not in problem.opponents:
        raise ConfigError(
            f"--opponent {name}: {problem.name} has none of this name, and it is no run directory; choose one of "
            f"{', '.join(problem.opponents)}"
        )
    return problem.opponents[name]
