"""`Sampler`: building and taking apart as a policy would."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.data.trajectories import Trajectories
from graphwright.envs.generative.environment import FlowEnvironment
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.exploration import ExplorationConfig, explore
from graphwright.training.gflownet.sampling import build, rebuild, take_apart

NO_EXPLORATION = ExplorationConfig(epsilon=0.0)


class Sampler:
    """Builds and takes apart as a policy would."""

    def __init__(
        self,
        environment: FlowEnvironment,
        policy: FlowPolicy,
        exploration: ExplorationConfig,
        generator: torch.Generator,
    ) -> None:
        self.environment = environment
        self.policy = policy
        self.exploration = exploration
        self.generator = generator

    def build(self, instances: GraphBatch) -> Trajectories:
        """An object of each of `instances`."""
        return build(self.environment, instances, self.forward)

    def take_apart(self, objects: GraphBatch) -> Trajectories:
        """A trajectory that ends in each of `objects`."""
        return take_apart(self.environment, objects, self.backward)

    def search(self, objects: GraphBatch, share: float) -> GraphBatch:
        """Neighbours of `objects`: each with about a `share` of it taken apart and built anew.

        Kim et al. 2024, "Local search GFlowNets".
        """
        return rebuild(self.environment, objects, share, self.backward, self.forward)

    def forward(self, state: GraphBatch) -> Tensor:
        """[B] int64: what to do next, exploration included."""
        environment = self.environment
        distribution = self.policy.distribution(environment.observe(state), environment.masks(state))
        return explore(distribution, environment.actions, state, self.exploration, self.generator)

    def backward(self, state: GraphBatch) -> Tensor:
        """[B] int64: what to take back next."""
        environment = self.environment
        masks = environment.backward_masks(state)
        return self.policy.backward_distribution(environment.observe(state), masks).sample(self.generator)
