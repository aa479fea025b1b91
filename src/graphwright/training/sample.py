"""`sample`: objects that a policy builds."""

from __future__ import annotations

from graphwright.core import GraphBatch
from graphwright.training.agent import Agent
from graphwright.training.gflownet.conditions import ANY_GOAL, Goal


def sample(agent: Agent, count: int, seed: int = 0, goal: Goal = ANY_GOAL) -> GraphBatch:
    """`count` finished objects, built for `goal`. Raises ConfigError where the policy solves instances instead."""
    return agent.sample(count, seed, goal)
