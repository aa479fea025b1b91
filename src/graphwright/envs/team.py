"""The capability to be several agents."""

from __future__ import annotations

from graphwright.envs.environment import Environment


class Team(Environment):
    """Several agents on each graph: its deciders, those nodes or edges that `actions.decider` names and that act."""

    @property
    def own_reward(self) -> bool:
        """Whether rewards are [D], one for each agent, rather than [B], shared by all of a graph."""
        return False
