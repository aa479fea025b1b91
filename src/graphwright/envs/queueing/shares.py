"""How much of all slots nodes need, and what capacities that change come to."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.queueing.count_laws import draw_counts
from graphwright.envs.queueing.network import SERVICES
from graphwright.envs.randomness import node_streams, uniform

_SLOTS = 500
_NONE = 1e-300  # in place of a service that is none


def shares(instances: GraphBatch) -> Tensor:
    """[N] float64: λ / μ of each node, the part of all slots that it needs alone; infinite where it serves nothing."""
    arrival, service = instances.nodes["arrival"], instances.nodes["service"]
    never = torch.where(arrival > 0, torch.inf, 0.0).double()
    return torch.where(service > 0, arrival / service.clamp(min=_NONE), never)


def service_ratios(instances: GraphBatch) -> Iterator[tuple[Tensor, float]]:
    """Y / μ of each node [N] float64 in slots that are drawn, and the part of their mean that each slot is."""
    streams, mean = node_streams(instances), instances.nodes["service"].clamp(min=_NONE)
    for slot in range(_SLOTS):
        drawn = draw_counts(instances, "service", uniform(streams, torch.full_like(streams, slot), SERVICES))
        yield drawn / mean, 1 / _SLOTS
