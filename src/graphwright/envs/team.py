"""The capability to be several agents."""

from __future__ import annotations

from torch import Tensor

from graphwright.core.segment import Segments, segment_sum
from graphwright.envs.environment import Environment


class Team(Environment):
    """Several agents on each graph: its deciders, those nodes or edges that `actions.decider` names and that act."""

    @property
    def own_reward(self) -> bool:
        """Whether rewards are [D], one for each agent, rather than [B], shared by all of a graph."""
        return False


def has_own_reward(environment: object) -> bool:
    """Whether the rewards of `environment` are [D]; they are [B] where it says nothing."""
    return bool(getattr(environment, "own_reward", False))


def graph_reward(environment: object, reward: Tensor, graphs: Segments) -> Tensor:
    """[B]: the reward of each graph, that of its deciders added up where it is their own; graphs: D → B."""
    return segment_sum(reward, graphs) if has_own_reward(environment) else reward
