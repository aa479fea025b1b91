"""Settings of validation: on what, and how often, a run is watched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from graphwright.core.numbers import require
from graphwright.envs.problem import Problem


@dataclass(frozen=True)
class ValidationConfig:
    """The fixed instances on which a run is watched, and which choose the policy that it leaves."""

    sizes: tuple[int, ...] | None = None
    """Numbers of nodes; by default twice and five times the largest training size. Of agents, those to train on where
    --agents names some."""
    graphs: int = 64
    """Instances of each size."""
    every: int = 10
    """Updates between validations."""
    slots: int = 500
    """Of what never ends: for how long each instance is watched, from its beginning on."""
    decode: Literal["greedy", "sample"] = "greedy"
    """greedy takes the likeliest action, sample draws, as agents that are alike and would wait for each other for ever
    have to; teams and networks are evaluated likewise, if nothing else is said."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be watched."""
        require("validation.slots", self.slots)
        require("validation.graphs", self.graphs)
        require("validation.every", self.every)


def of_teams(validation: Any, problem: Problem, trained: tuple[int, ...] | None) -> Any:
    """`validation` with the numbers of agents on which a team is watched that trains with `trained`.

    They are the problem's own where that trains as it does by default; what is no team's stays as it is.
    """
    if not problem.is_team or validation.sizes is not None or not trained:
        return validation
    own = problem.training.get("validation", {}).get("sizes") if trained == problem.sizes else None
    return replace(validation, sizes=own or tuple(sorted(set(trained))))


@dataclass(frozen=True)
class DistributionValidationConfig:
    """How a sampler is watched."""

    every: int = 100
    """Updates between validations."""
    objects: int = 256
    """Objects that are sampled each time."""
    max_states: int = 5000
    """Environments with at most so many states are enumerated, and the policy is compared with the target exactly."""
    data: str | None = None
    """File of objects whose likelihood under the policy is watched; formats as of --sources.data."""
    trajectories: int = 8
    """Trajectories by which the likelihood of each is estimated."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be watched."""
        require("validation.every", self.every)
        require("validation.objects", self.objects)
        require("validation.max-states", self.max_states, 0)
        require("validation.trajectories", self.trajectories)


@dataclass(frozen=True)
class GameValidationConfig:
    """How a policy that plays games is watched: matches against the best so far, earlier ones and fixed opponents."""

    sizes: tuple[int, ...] | None = None
    """Sizes of the boards; by default the largest that is trained on."""
    opponents: tuple[str, ...] | None = None
    """Fixed opponents to meet; by default the game's first two. All of them and `uct-N` are in `graphwright match`."""
    games: int = 128
    """Games of the match against the best policy, and of each of the others; sides are swapped after every game."""
    opening: int = 2
    """One to so many moves at the beginning of these games are drawn at random, so that they differ; then the players
    make their most probable moves."""
    every: int = 20
    """Updates between validations."""
    gate: float = 0.55
    """A policy replaces the best where it has surely won more than this share of the pairs of games of their match that
    somebody won (the same beginning, sides swapped): where the lower end of Wilson's 95 % interval is above it."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be watched."""
        require("validation.games", self.games, 2)
        require("validation.opening", self.opening, 0)
        require("validation.every", self.every)
        require("validation.gate", self.gate, 0, 1)
