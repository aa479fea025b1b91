"""`Sampler`: trajectories forward and backward, as a policy draws them."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation
from graphwright.data.trajectories import Trajectories
from graphwright.envs.reversible import Reversible
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.exploration import ExplorationConfig, explore
from graphwright.training.gflownet.sampling import sample_backward, sample_forward, sample_neighbours

NO_EXPLORATION = ExplorationConfig(epsilon=0.0)


class Sampler:
    """Samples trajectories forward and backward, as a policy draws them."""

    def __init__(
        self,
        environment: Reversible,
        policy: FlowPolicy,
        exploration: ExplorationConfig,
        generator: torch.Generator,
    ) -> None:
        self.environment = environment
        self.actions = environment.actions
        self.policy = policy
        self.exploration = exploration
        self.generator = generator

    def sample_forward(self, instances: GraphBatch) -> Trajectories:
        """An object of each of `instances`."""
        return sample_forward(self.environment, instances, self.forward)

    def sample_backward(self, objects: GraphBatch) -> Trajectories:
        """A trajectory that ends in each of `objects`."""
        return sample_backward(self.environment, objects, self.backward)

    def search(self, objects: GraphBatch, share: float) -> GraphBatch:
        """Neighbours of `objects`: a `share` of the steps to each is undone, and others are sampled in their place.

        Kim et al. 2024, "Local search GFlowNets".
        """
        return sample_neighbours(self.environment, objects, share, self.backward, self.forward)

    def forward(self, observation: Observation) -> Tensor:
        """[B] int64: what to do next, exploration included."""
        distribution = self.policy.distribution(observation)
        return explore(distribution, self.actions, observation.graph, self.exploration, self.generator)

    def backward(self, observation: Observation) -> Tensor:
        """[B] int64: what to undo next."""
        return self.policy.backward_distribution(observation.graph, observation.masks).sample(self.generator)
