"""What algorithms for teams ask of what they are built for, and the settings that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.optimizer import require
from graphwright.nn.reducers import Inputs, TeamInputs


@dataclass(frozen=True)
class TeamSettings:
    """What is read of a team by what learns of all of it."""

    options: ClassVar[str]

    inputs: Inputs = "pooled"
    """What critic or mixer read of the agents: pooled over the graph, for any number of them; or concatenated, agent by
    agent in a fixed order, as published."""
    max_agents: int = 8
    """Agents that concatenated inputs have places for; pooled ones hold any number."""

    @property
    def places(self) -> int | None:
        """Agents of the largest team that there is room for; None for any number."""
        return self.max_agents if self.inputs == "concatenated" else None

    def team_inputs(self, setup: Setup) -> TeamInputs:
        """As networks take them. Raises ValueError where a value makes no network."""
        require(f"{self.options}.max-agents", self.max_agents)
        return TeamInputs(self.options, self.inputs, self.max_agents, setup.heads.value_pool)
