"""The capability to be several agents."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_sum
from graphwright.envs.environment import Environment


class Team(Environment):
    """Several agents on each graph: its deciders, those nodes or edges that `actions.decider` names and that act."""

    @property
    def own_reward(self) -> bool:
        """Whether rewards are [D], one for each agent, rather than [B], shared by all of a graph."""
        return False

    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        """Name → [B] float64: what an episode that has come to `state` is worth beside its return.

        `success`, where there is one, is 1 or 0; other names stand in tables as they are.
        """
        return {}

    @property
    def shares(self) -> frozenset[str]:
        """The names of those measures that are shares of 1, so that no mean of theirs lies beyond 0 and 1."""
        return frozenset()

    def scene(self, instances: GraphBatch) -> Mapping[str, Tensor]:
        """Name → [B, ...]: what stays where it is while an episode lasts, of teams of one size; for recordings."""
        return {}

    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        """Name → [B, A, ...]: where the agents are in `state`, of teams of one size; for recordings."""
        return {}


def has_own_reward(environment: object) -> bool:
    """Whether the rewards of `environment` are [D]; they are [B] where it says nothing."""
    return bool(getattr(environment, "own_reward", False))


def graph_reward(environment: object, reward: Tensor, graphs: Segments) -> Tensor:
    """[B]: the reward of each graph, that of its deciders added up where it is their own; graphs: D → B."""
    return segment_sum(reward, graphs) if has_own_reward(environment) else reward
