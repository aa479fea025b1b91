"""Swimming without looking: a wave of torques that runs from head to tail, and no torque at all."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment
from graphwright.envs.locomotion.physics import SECONDS


class Wave(NamedTuple):
    """A travelling wave for each of B swimmers; [B] float32 each.

    amplitude: of the torques, 0 to 1. frequency: in Hz. length: waves along the body. phase: in periods.
    """

    amplitude: Tensor
    frequency: Tensor
    length: Tensor
    phase: Tensor

    def torque(self, instances: GraphBatch, seconds: float | Tensor) -> Tensor:
        """[N, 1] float32: A sin 2π (f t − w j / k + p) at joint j = 1 .. k − 1 of k links, t = `seconds`."""
        amplitude, frequency, length, phase = (column[instances.node_graph] for column in self)
        along = instances.nodes["link"] / instances.node_segments.lengths[instances.node_graph]
        turns = frequency * seconds - length * along + phase
        return (amplitude * (2 * math.pi * turns).sin()).unsqueeze(1)


# Number of links → amplitude, frequency, length and phase of the best wave that the search of
# benchmarks/learning/locomotion.py finds among 565.
BEST = {
    3: (0.97, 0.42, 0.18, 0.80),
    4: (1.00, 0.36, 0.54, 0.34),
    5: (1.00, 0.36, 0.79, 0.87),
    6: (1.00, 0.52, 1.54, 0.72),
    7: (0.83, 0.38, 1.66, 0.67),
    8: (1.00, 0.32, 1.23, 0.90),
    9: (0.76, 0.25, 1.52, 0.85),
}


def gait(environment: Environment, state: GraphBatch) -> Tensor:
    """[D, 1]: the best travelling wave for the number of links, or for the nearest number that was searched for."""
    known = torch.tensor(list(BEST), device=state.device)
    nearest = (state.node_segments.lengths[:, None] - known).abs().argmin(1)
    table = torch.tensor(list(BEST.values()), device=state.device)
    wave = Wave(*table[nearest].unbind(1))
    seconds = (SECONDS * state.graphs["steps_taken"])[state.node_graph]
    return wave.torque(state, seconds)[~state.nodes["root"]]


def still(environment: Environment, state: GraphBatch) -> Tensor:
    """[D, 1]: no torque."""
    return torch.zeros(state.num_nodes, 1, device=state.device)[~state.nodes["root"]]
