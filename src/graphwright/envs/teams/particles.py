"""The multi-agent particle world: agents of mass 1 in a plane that are pushed along one axis at a time.

Lowe et al. 2017, "Multi-agent actor-critic for mixed cooperative-competitive environments". A step lasts 0.1, a quarter
of the velocity is lost in it, and a push is a force of 5.
"""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch

STEP, DAMPING, PUSH = 0.1, 0.25, 5.0
_STIFFNESS, _SOFTNESS = 100.0, 1e-3
STAY, LEFT, RIGHT, DOWN, UP = range(5)
"""Actions: nothing, -x, +x, -y, +y."""
DIRECTIONS = torch.tensor([[0.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]], dtype=torch.float64)
"""[5, 2]: where each action pushes."""


def pushes(action: Tensor, like: Tensor) -> Tensor:
    """[D, 2]: the force of each `action` [D] int64, in the dtype of `like`."""
    return PUSH * DIRECTIONS.to(like)[action]


def at_rest(instances: GraphBatch) -> GraphBatch:
    """`instances` as they begin: `position` [N, 2] is the column `start`; `velocity` [N, 2] and `time` [B] are 0."""
    start = instances.nodes["start"]
    time = torch.zeros(instances.num_graphs, dtype=torch.int64, device=instances.device)
    return instances.with_nodes(position=start, velocity=torch.zeros_like(start)).with_graphs(time=time)


def accelerated(velocity: Tensor, force: Tensor) -> Tensor:
    """The velocity [D, 2] after a step under `force` [D, 2]."""
    return velocity * (1 - DAMPING) + force * STEP


def contact_force(offset: Tensor, reach: float) -> Tensor:
    """[P, 2]: what pushes one body away from another, which is `offset` [P, 2] behind it.

    reach: the sizes of both together. 100 · k log(1 + exp(−(d − reach) / k)), k = 0.001, along the line between them.
    """
    distance = offset.norm(dim=1, keepdim=True)
    depth = torch.logaddexp(torch.zeros_like(distance), (reach - distance) / _SOFTNESS) * _SOFTNESS
    return _STIFFNESS * offset / distance.clamp(min=torch.finfo(offset.dtype).tiny) * depth
