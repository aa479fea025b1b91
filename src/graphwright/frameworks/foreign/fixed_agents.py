"""`FixedAgents`: agents of parallel environments, none of which joins or leaves while others play on."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, GraphError
from graphwright.envs.vector import VectorEnv, VectorStep
from graphwright.frameworks.foreign.vector import ForeignVectorEnv

AGENT, ENV = "agent", "env"


class FixedAgents(VectorEnv):
    """The agents of a vector environment in fixed rows: a row changes its agent only where an episode ends.

    `step` raises GraphError after a step for which that does not hold.
    """

    def __init__(self, vector: ForeignVectorEnv) -> None:
        self.vector, self.environment = vector, vector.environment
        self.state, self.num_envs = vector.state, vector.state.num_graphs

    @property
    @override
    def instances(self) -> GraphBatch:
        return self.vector.instances

    @override
    def step(self, action: Tensor) -> VectorStep:
        before, step = _owners(self.state), self.vector.step(action)
        self.state = self.vector.state
        after = _owners(self.state)
        done = step.terminated | step.truncated
        if after.shape != before.shape or bool(((after != before).any(1) & ~done).any()):
            raise GraphError(
                "agents joined or left while others play on; training and counting episodes need a fixed team, so end "
                "the episode for all agents at once"
            )
        return step


def _owners(state: GraphBatch) -> Tensor:
    """[A, 2] int64: the environment and the agent of each graph."""
    return torch.stack([state.graphs[ENV], state.graphs[AGENT]], dim=1)
