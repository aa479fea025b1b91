"""Where the links of a swimmer are and how they move, from joint angles and their velocities."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.locomotion.physics import Pose


class Motion(NamedTuple):
    """All float64, in m, rad, m/s and rad/s.

    heading, spin: [N], the direction of each link in the world and how fast it turns.
    axis: [N, 2], the unit vector of that direction. centre, velocity: [N, 2], of each link's middle.
    course, drift: [B, 2], means of `axis` and `velocity` over the links of each swimmer.
    """

    heading: Tensor
    spin: Tensor
    axis: Tensor
    centre: Tensor
    velocity: Tensor
    course: Tensor
    drift: Tensor


def motion(graph: GraphBatch, pose: Pose) -> Motion:
    """The motion of the chains `graph`, which have the node column `link`.

    Sums run along the chain from the head, so that neither the order of the nodes nor the other graphs of a batch
    change a bit of them.
    """
    chain = (graph.node_graph, graph.nodes["link"])
    shape = (graph.num_graphs, int(graph.node_segments.lengths.max()) if graph.num_graphs else 0)
    angle, rate = (column.new_zeros(shape).index_put(chain, column) for column in (pose.angle, pose.rate))
    heading, spin = angle.cumsum(1), rate.cumsum(1)  # [B, longest], zero or meaningless beyond a tail
    axis = torch.stack([heading.cos(), heading.sin()], dim=2)
    turning = spin.unsqueeze(2) * torch.stack([-axis[..., 1], axis[..., 0]], dim=2)
    # A link is 1 m long; the reported point lies 1.5 m behind the head's front end.
    centre = pose.position.unsqueeze(1) + 1.5 * axis[:, :1] - axis.cumsum(1) + 0.5 * axis
    velocity = pose.velocity.unsqueeze(1) + 1.5 * turning[:, :1] - turning.cumsum(1) + 0.5 * turning
    tail = (torch.arange(graph.num_graphs, device=graph.device), graph.node_segments.lengths - 1)
    size = graph.node_segments.lengths.unsqueeze(1)
    return Motion(
        heading=heading[chain],
        spin=spin[chain],
        axis=axis[chain],
        centre=centre[chain],
        velocity=velocity[chain],
        course=axis.cumsum(1)[tail] / size,
        drift=velocity.cumsum(1)[tail] / size,
    )
