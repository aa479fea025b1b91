"""Who goes first: whoever has waited longest for a target."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch


def urgency(state: GraphBatch) -> Tensor:
    """[D] int64: 0 of a robot at its target, otherwise 1 more than the steps since its last one."""
    nodes = state.nodes
    return torch.where((nodes["cell"] == nodes["target"]).all(1), 0, nodes["waited"] + 1)


def yields(state: GraphBatch, source: Tensor, end: Tensor) -> Tensor:
    """[E, 2] float32: whether robots `end` [E] go after `source` [E], by urgency (equals by number) and by number."""
    urgent, number = urgency(state), state.nodes["number"]
    lower = number[source] < number[end]
    earlier = (urgent[source] > urgent[end]) | ((urgent[source] == urgent[end]) & lower)
    return torch.stack([earlier, lower], 1).float()
