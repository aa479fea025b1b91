"""Who goes first: lots that are drawn anew every few steps."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.randomness import node_streams, uniform

STEPS = 4
"""Lots are kept so long."""
_DRAW = 6


def lots(state: GraphBatch) -> Tensor:
    """[D] float64 in (-1, 1), different ones: who has more goes first. Those at their targets have less than 0.

    Lots pass twice as many robots as who has waited longest for a target does where these are many (measured with
    `pibt`): whoever is stuck in a crowd would hold its priority, and the crowd, for long.
    """
    nodes, time = state.nodes, state.graphs["time"][state.node_graph]
    drawn = uniform(node_streams(state), time // STEPS, _DRAW)
    return torch.where((nodes["cell"] == nodes["target"]).all(1), drawn - 1, drawn)
