"""Who acts, as a function of states: a policy, a baseline, or chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from graphwright.core import Chosen, GraphBatch
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.rollouts import Choose
from graphwright.training.collectors.play import ConfigError

Act = Callable[[GraphBatch], Tensor]
"""From states to an action for each decision."""
Remembered = Callable[[GraphBatch], Tensor | Chosen]
"""The same, perhaps with what is remembered."""
RANDOM = "random"


def drawing(decode: Literal["greedy", "sample"], policy: Any, seed: int) -> torch.Generator | None:
    """What draws the actions of `policy`, on its device; None where the likeliest are taken."""
    return None if decode == "greedy" else torch.Generator(next(policy.parameters()).device).manual_seed(seed)


def chosen_by(policy: Any, generator: torch.Generator | None = None) -> Choose:
    """The likeliest action of a policy, or a draw by `generator`."""
    return policy.best if generator is None else lambda seen: policy.act(seen, generator).action


def act_of_policy(policy: Any, environment: Environment, generator: torch.Generator | None = None) -> Act:
    """The same of states."""
    choose = chosen_by(policy, generator)
    return lambda state: choose(environment.observe(state))


def act_of_agents(policy: Any, environment: Environment, generator: torch.Generator | None = None) -> Remembered:
    """The same, with what agents remember from then on."""
    draws = generator is not None
    return lambda state: policy.act(environment.observe(state), generator, draws)


def act_of_rule(problem: Problem, environment: Environment, name: str, seed: int) -> Act:
    """What the baseline of that name does, or "random". Raises ConfigError as `require_baseline` does."""
    require_baseline(problem, name)
    if name == RANDOM:
        choose = random_choice(environment, torch.Generator().manual_seed(seed))
        return lambda state: choose(environment.observe(state))
    rule = problem.baselines[name].rule
    return lambda state: rule(environment, state)


def require_baseline(problem: Problem, name: str) -> None:
    """Raise ConfigError, listing those that there are, where `problem` has no baseline of that name."""
    if name not in (known := [*problem.baselines, RANDOM]):
        raise ConfigError(f"--policy {name}: {problem.name} has none of this name; choose one of {', '.join(known)}")
