"""Steps of many swimmers at once, all those of one length in one call of `mujoco.rollout`."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.locomotion.chain import chain_order
from graphwright.envs.locomotion.model import import_mujoco, swimmer_xml

SUBSTEPS = 4  # of 0.01 s, as in Gymnasium
SECONDS = 0.01 * SUBSTEPS  # of one of Gymnasium's steps


class Pose(NamedTuple):
    """Generalised coordinates and their velocities, all float64, in m, rad, m/s and rad/s.

    angle, rate: [N], of the joint that moves each link; of the head, its heading in the world.
    position, velocity: [B, 2], of the point of the head's frame that Gymnasium reports, 1 m behind the head's centre.
    """

    angle: Tensor
    rate: Tensor
    position: Tensor
    velocity: Tensor


class Simulator:
    """Swimmers of one length."""

    def __init__(self, num_links: int) -> None:
        mujoco = import_mujoco()
        from mujoco.rollout import rollout

        self.rollout = rollout
        self.model = mujoco.MjModel.from_xml_string(swimmer_xml(num_links))
        self.data = mujoco.MjData(self.model)  # work space, overwritten by every call
        self.lock = Lock()

    def advance(self, coordinates: np.ndarray, torque: np.ndarray, steps: int) -> np.ndarray:
        """`steps` steps of C swimmers of k links: qpos ‖ qvel [C, 2 (k + 2)], torque [C, k - 1] → [C, 2 (k + 2)]."""
        start = np.pad(coordinates, ((0, 0), (1, 0)))  # MuJoCo's state begins with the time, which nothing depends on
        with self.lock:
            states, _ = self.rollout(self.model, self.data, start, torque[:, None], nstep=steps * SUBSTEPS)
        return states[:, -1, 1:]


simulator = cache(Simulator)


def advance(graph: GraphBatch, pose: Pose, torque: Tensor, steps: int) -> Pose:
    """The poses `steps` of Gymnasium's steps later.

    graph: chains with the node column `link`. torque: [N] float32 between -1 and 1, in units of the motors' 150 N m; of
    heads, without meaning.

    Raises ImportError where MuJoCo is not installed.
    """
    order = chain_order(graph).cpu()
    lengths, begin = graph.node_segments.lengths.cpu(), graph.node_ptr.cpu()
    torque = torque.double().cpu()
    angle, rate, position, velocity = (column.cpu().clone() for column in pose)
    for num_links in lengths.unique().tolist():
        graphs = (lengths == num_links).nonzero().squeeze(1)
        links = order[begin[graphs, None] + torch.arange(num_links)]  # [C, k] rows of nodes, head first
        columns = (position[graphs], angle[links], velocity[graphs], rate[links])
        moved = simulator(num_links).advance(torch.cat(columns, dim=1).numpy(), torque[links[:, 1:]].numpy(), steps)
        parts = torch.from_numpy(moved).split([2, num_links, 2, num_links], dim=1)
        position[graphs], angle[links], velocity[graphs], rate[links] = parts
    return Pose(*(column.to(graph.device) for column in (angle, rate, position, velocity)))
