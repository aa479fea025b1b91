"""A small task with two objectives that are at odds, of which everything can be enumerated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.generative.grid import COORDINATE, HyperGrid
from graphwright.envs.generative.many_objectives import ManyObjectives
from graphwright.envs.registry import find_problem
from graphwright.envs.reversible import Reversible

SIDE = 4
TABLE = torch.rand(SIDE * SIDE, 2, generator=torch.Generator().manual_seed(235), dtype=torch.float64)
"""Both objectives of each cell of the grid."""


@dataclass(frozen=True)
class TableReward(ManyObjectives):
    """What the table says."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("first", "second")

    def measure(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        return TABLE[cell(objects)]


def cell(states: GraphBatch) -> Tensor:
    """[B] int64: the row of the table."""
    return states.nodes[COORDINATE].view(-1, 2) @ torch.tensor([SIDE, 1])


NAME = "flow_many:TWO_OBJECTIVES"
TWO_OBJECTIVES = replace(
    find_problem("hyper-grid"),
    name=NAME,
    environment=HyperGrid(2, SIDE),
    generation=replace(find_problem("hyper-grid").sampled, reward=TableReward(), training={}),
)
