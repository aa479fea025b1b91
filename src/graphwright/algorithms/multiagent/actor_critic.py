"""IAC, Central-V, IPPO and MAPPO: A2C and PPO of teams, whose critics see one agent or all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from typing_extensions import override

from graphwright.algorithms.a2c import A2C, A2CConfig
from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.multiagent.team import TeamSettings
from graphwright.algorithms.off_policy import own_critic, require_several
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.nn.critics import ConcatenatedValue
from graphwright.nn.policies import MakeCritic, Values


@dataclass(frozen=True)
class IACConfig(A2CConfig):
    """Settings of IAC."""

    options: ClassVar[str] = "iac"

    discount: float = 0.95
    """γ."""
    gae_lambda: float = 0.9
    """λ of generalised advantage estimation."""
    value_coefficient: float = 0.5
    """Weight of the value loss."""
    entropy_coefficient: float = 0.01
    """Weight of the entropy bonus."""


@dataclass(frozen=True)
class CentralVConfig(IACConfig, TeamSettings):
    """Settings of Central-V."""

    options: ClassVar[str] = "central-v"


@dataclass(frozen=True)
class TeamPPOConfig(PPOConfig):
    """Settings of PPO for teams."""

    learning_rate: float = 1e-3
    """At the beginning; it falls linearly to zero."""
    discount: float = 0.95
    """γ."""
    gae_lambda: float = 0.9
    """λ of generalised advantage estimation."""
    ratio: Literal["joint", "decision"] = "decision"
    """What is clipped: the ratio of all agents of a team together, or that of each."""
    value_coefficient: float = 0.5
    """Weight of the value loss."""


@dataclass(frozen=True)
class IPPOConfig(TeamPPOConfig):
    """Settings of IPPO."""

    options: ClassVar[str] = "ippo"

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        super().__post_init__()
        if self.ratio == "joint":
            raise ValueError("--ippo.ratio joint: each agent has an advantage of its own; take decision, or mappo")


@dataclass(frozen=True)
class MAPPOConfig(TeamPPOConfig, TeamSettings):
    """Settings of MAPPO."""

    options: ClassVar[str] = "mappo"


def central_critic(config: TeamSettings, setup: Setup, own: bool) -> MakeCritic | None:
    """A critic that reads the whole team, of each agent or of the team; None: the one that pools over the graph."""
    require_several(setup)
    inputs = config.team_inputs(setup)
    if inputs.inputs == "pooled":
        return None
    decider = setup.actions.decider
    return lambda encoder: ConcatenatedValue(decider, encoder.width, encoder.edge_width, inputs, own)


class Independent:
    """Each agent's own value, by a critic that sees what the agent sees."""

    @classmethod
    def values_in(cls, config: Any, setup: Setup) -> Values:
        """A value for each decision."""
        return "decisions"

    @classmethod
    def critic_in(cls, config: Any, setup: Setup) -> MakeCritic:
        """A critic of what each agent sees. Raises ValueError where it is alone."""
        return own_critic(setup)


class IAC(Independent, A2C):
    """Independent actor-critic: A2C of each agent, whose critic sees what the agent sees (Foerster et al. 2018)."""

    Config = IACConfig
    options = "iac"


class CentralV(A2C):
    """Central-V: A2C of a team with one critic, of the pooled graph (Foerster et al. 2018)."""

    Config = CentralVConfig
    options = "central-v"

    @classmethod
    @override
    def critic_in(cls, config: CentralVConfig, setup: Setup) -> MakeCritic | None:
        return central_critic(config, setup, own=False)


class IPPO(Independent, PPO):
    """Independent PPO: each agent's critic sees what the agent sees (de Witt et al. 2020)."""

    Config = IPPOConfig
    options = "ippo"


class MAPPO(PPO):
    """Multi-agent PPO: one critic, of the pooled graph; of each agent where rewards are its own (Yu et al. 2022)."""

    Config = MAPPOConfig
    options = "mappo"

    @classmethod
    @override
    def critic_in(cls, config: MAPPOConfig, setup: Setup) -> MakeCritic | None:
        return central_critic(config, setup, cls.values_in(config, setup) == "decisions")
