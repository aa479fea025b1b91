"""Which instances are played, and how: what the collectors of this room share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core.numbers import require
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.generators import InstanceGenerator
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem
from graphwright.envs.team import Team
from graphwright.envs.wrappers.identified import Identified, with_slots
from graphwright.envs.wrappers.penalized import Penalized
from graphwright.envs.wrappers.remembering import Remembering
from graphwright.training.collectors.collector import Collector
from graphwright.training.validation import ValidationConfig

_MOST_MEMORY = 4096


class ConfigError(ValueError):
    """Settings that make no run; the message names the option."""


@dataclass(frozen=True)
class InvalidConfig:
    """What becomes of illegal actions."""

    handling: Literal["mask", "penalty", "severity"] = "mask"
    """mask rules them out; penalty lets them change nothing and punishes them; severity by how bad they are."""
    penalty: float = 1.0
    """What an illegal action costs."""
    limit: float = 1.0
    """Unless they are masked, an episode ends after so many illegal actions for each node of its graph."""


@dataclass(frozen=True)
class IdentityConfig:
    """Whether the agents of a team know which one they are."""

    kind: Literal["none", "one-hot", "slot"] = "none"
    """none: all are alike, and a policy has any size; one-hot: each has a number; slot: one that is drawn anew for
    every episode, which tells agents apart though none is special."""
    most: int = 8
    """Numbers that there are; larger teams are refused."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, for no number at all."""
        require("identity.most", self.most)

    def identified(self, generator: InstanceGenerator) -> InstanceGenerator:
        """`generator`, whose instances number their agents, if they are to."""
        if self.kind == "none":
            return generator
        return replace(generator, columns=with_slots(generator.columns, self.most, self.kind == "slot"))

    def played(self, environment: Environment) -> Environment:
        """`environment`, whose agents see their numbers, if they are to. Raises ConfigError where it is no team."""
        if self.kind == "none":
            return environment
        if not isinstance(environment, Team):
            raise ConfigError(f"--identity.kind {self.kind}: only agents of a team are told apart; leave it out")
        return Identified.around(environment, self.most)


@dataclass(frozen=True)
class PlayConfig(ABC):
    """Which instances are played, and how. Validation: the class of the settings of how the run is watched."""

    Validation: ClassVar[type] = ValidationConfig

    generator: str | None = None
    """Random graphs to train on, with options as in watts-strogatz:k=4,p=0.3; by default the problem's own."""
    sizes: tuple[int, ...] | None = None
    """Numbers of nodes; each graph's is drawn from this list. By default the problem's own."""
    law: str | None = None
    """The law by which random graphs become instances, one of the problem's; by default its first."""
    invalid: InvalidConfig = field(default_factory=InvalidConfig)
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    memory: int = 0
    """Numbers that each agent of a team remembers from step to step (32, say), by a gated recurrent unit; 0: none."""

    def completed(self, problem: Problem) -> Self:
        """These settings with the problem's own instances where none are named."""
        return replace(
            self,
            generator=self.generator or problem.topology,
            sizes=self.sizes or problem.sizes,
            law=self.law or next(iter(problem.laws)),
        )

    def played(self, environment: Environment) -> Environment:
        """`environment` as it is played: its illegal actions masked or punished, its agents told apart or not.

        Raises ConfigError where it cannot be.
        """
        environment = self._remembering(self.identity.played(environment))
        if self.invalid.handling == "mask":
            return environment
        if self.invalid.handling == "severity" and not isinstance(environment, Optimization):
            raise ConfigError("--invalid.handling severity: nothing says how bad an action is; take mask or penalty")
        if isinstance(environment, Endless):
            raise ConfigError(
                f"--invalid.handling {self.invalid.handling}: an illegal action changes nothing, so time would stand "
                "still in what never ends; take mask"
            )
        by: Literal["count", "severity"] = "severity" if self.invalid.handling == "severity" else "count"
        return Penalized.around(environment, self.invalid.penalty, by, self.invalid.limit)

    def _remembering(self, environment: Environment) -> Environment:
        if not self.memory:
            return environment
        require("memory", self.memory, 0, _MOST_MEMORY)
        if not isinstance(environment, Team):
            raise ConfigError(f"--memory {self.memory}: only agents of a team remember; leave it out")
        return Remembering.around(environment, self.memory)

    def instances(self, problem: Problem) -> InstanceGenerator:
        """Where training instances come from. Raises ConfigError naming the options."""
        return self.identity.identified(make_generator(problem, self.generator, self.sizes, self.law))

    @abstractmethod
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        """What collects so from `environment`, the one of `problem` as it is played. Raises ConfigError."""


def make_generator(
    problem: Problem, topology: str | None, sizes: tuple[int, ...] | None, law: str | None
) -> InstanceGenerator:
    """The generator that three options describe, None for the problem's own. Raises ConfigError naming the options."""
    if problem.is_team and sizes and min(sizes) < 1:
        raise ConfigError(f"--agents {min(sizes)}: a team has at least 1 agent")
    try:
        return problem.generator(topology, sizes, law)
    except ValueError as error:
        counted = "agents" if problem.is_team else "sizes"
        named = {"generator": topology, counted: " ".join(map(str, sizes)) if sizes else None, "law": law}
        options = " ".join(f"--{name} {value}" for name, value in named.items() if value is not None)
        raise ConfigError(f"{options or problem.name}: {error}") from None


class PlayCollector(Collector):
    """A collector that plays fresh instances, and remembers how far it has come in their stream.

    source: where they come from; None: somewhere without a memory.
    """

    def __init__(self, source: GeneratedInstances | None) -> None:
        self.source = source

    @override
    def state_dict(self) -> dict[str, Tensor]:
        return {} if self.source is None else {"position": torch.tensor(self.source.position)}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if self.source is not None:
            self.source.load_state_dict({"position": int(state["position"])})
