"""Several objectives at once: the reward is their weighted sum, with weights that a condition may set."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.timestep import PREFERENCE
from graphwright.envs.generation import Reward
from graphwright.envs.reversible import Reversible

FOCUS = "focus"


@dataclass(frozen=True)
class ManyObjectives(Reward):
    """log R = log max(w · f, floor) of objectives f [K] in [0, 1] (Jain et al. 2023, "Multi-objective GFlowNets").

    w: the graph column `preference` [B, K] of the objects, or 1 / K each. Where they have the column `focus` [B, K], a
    direction, objects whose f points elsewhere (cosine below `cosine`) are wanted `outside` times as much (Roy et al.
    2023, "Goal-conditioned GFlowNets for controllable multi-objective molecular design", eq. 4, with a floor).
    """

    floor: float = 1e-4
    """The least reward."""
    cosine: float = 0.98
    """How narrow a focus is."""
    outside: float = 1e-3
    """What an object out of focus is worth, over the same one in focus."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """What is measured, in the order of the numbers."""

    @abstractmethod
    def measure(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B, K] float64 in [0, 1]: the objectives."""

    @property
    def num_measures(self) -> int:
        """K."""
        return len(self.names)

    @override
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        return self.combine(self.measure(environment, objects), objects)

    @override
    def combine(self, measures: Tensor, objects: GraphBatch) -> Tensor:
        equal = measures.new_full(measures.shape, 1 / self.num_measures)
        preference = objects.graphs.get(PREFERENCE, equal).to(measures)
        log_reward = (preference * measures).sum(1).clamp(min=self.floor).log()
        if FOCUS not in objects.graphs:
            return log_reward
        cosine = torch.cosine_similarity(measures, objects.graphs[FOCUS].to(measures), dim=1, eps=1e-12)
        return log_reward + torch.where(cosine >= self.cosine, 0.0, measures.new_tensor(self.outside).log())
