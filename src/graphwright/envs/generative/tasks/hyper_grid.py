"""`hyper-grid`: cells of a grid with high rewards near its corners only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.envs.generation import Generation, Reward
from graphwright.envs.generative.grid import COORDINATE, HyperGrid, axes, log_grid_reward
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible


@dataclass(frozen=True)
class GridReward(Reward):
    """`log_grid_reward`."""

    low: float = 0.1
    """Everywhere."""
    plateau: float = 0.5
    """Added near the corners."""
    peak: float = 2.0
    """Added in the ring around each mode."""

    @override
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        assert isinstance(environment, HyperGrid)
        coordinate, segments = objects.nodes[COORDINATE], objects.node_segments
        return log_grid_reward(
            coordinate, segments, environment.side, low=self.low, plateau=self.plateau, peak=self.peak
        )


def grid_instances(environment: Reversible, count: int, generator: torch.Generator) -> GraphBatch:
    """The axes of a grid."""
    assert isinstance(environment, HyperGrid)
    return axes(count, environment.dimensions)


def cells(environment: Reversible, objects: GraphBatch) -> dict[str, np.ndarray]:
    """`states` [B, dimensions] int64."""
    assert isinstance(environment, HyperGrid)
    return {"states": objects.nodes[COORDINATE].view(-1, environment.dimensions).numpy()}


HYPER_GRID = Problem(
    name="hyper-grid",
    summary="Walk outward from a corner of a grid whose rewards lie near its corners",
    environment=HyperGrid(),
    generation=Generation(
        reward=GridReward(),
        export=cells,
        instances=grid_instances,
        training={
            "encoder": {"kind": "mlp", "depth": 2, "walks": 0},
        },
    ),
)
