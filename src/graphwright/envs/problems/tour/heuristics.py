"""Heuristics for tours that a policy is measured against."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import Observation
from graphwright.core.segment import segment_argmax


def farthest(observation: Observation) -> Tensor:
    """[B] int64: the node that is farthest from the tour."""
    return _largest(observation, observation.graph.nodes["gap"])


def nearest(observation: Observation) -> Tensor:
    """[B] int64: the node that is nearest to the tour."""
    return _largest(observation, -observation.graph.nodes["gap"])


def next_nearest(observation: Observation) -> Tensor:
    """[B] int64: the node that is nearest to the end of the tour."""
    return _largest(observation, -observation.graph.nodes["from_end"])


def _largest(observation: Observation, values: Tensor) -> Tensor:
    return segment_argmax(values.masked_fill(~observation.masks[0], -torch.inf), observation.graph.node_segments)
