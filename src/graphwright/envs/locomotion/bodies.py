"""Bodies of Gymnasium that walk in a plane: which part hangs on which, and how their steps are computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np

from graphwright.envs.locomotion.model import import_mujoco

BodyName = Literal["half-cheetah", "walker2d"]


@dataclass(frozen=True)
class BodyRules:
    """Gymnasium's settings of a body.

    file: its model. frame_skip: MuJoCo's steps in one of Gymnasium's. control_cost: weight of the squared torques.
    healthy_reward: of each step that ends healthy, which is with the height and the lean of the torso inside these
    ranges (m, rad); None: always. noise: of the start.
    """

    file: str
    frame_skip: int
    control_cost: float
    healthy_reward: float
    height: tuple[float, float] | None
    lean: tuple[float, float] | None
    noise: float


RULES: dict[str, BodyRules] = {
    "half-cheetah": BodyRules("half_cheetah.xml", 5, 0.1, 0.0, None, None, 0.1),
    "walker2d": BodyRules("walker2d_v5.xml", 4, 1e-3, 1.0, (0.8, 2.0), (-1.0, 1.0), 5e-3),
}


class PlanarBody:
    """Gymnasium's model of a body that slides along x and z and turns about y, every other part with one joint.

    parents: [k] of each part the part that it hangs on, −1 of the torso, which is part 0. start: qpos of rest. seconds:
    of one of Gymnasium's steps. One option of the model differs: the solver of contacts never starts from its last
    solution, so that a step depends on positions, velocities and torques alone.
    """

    def __init__(self, name: str) -> None:
        mujoco = import_mujoco()
        from mujoco.rollout import rollout

        self.rules = RULES[name]
        self.rollout = rollout
        self.model = mujoco.MjModel.from_xml_path(str(_models() / self.rules.file))
        self.model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_WARMSTART
        self.data = mujoco.MjData(self.model)  # work space, overwritten by every call
        self.lock = Lock()
        self.parents = tuple(int(parent) - 1 for parent in self.model.body_parentid[1:])
        self.start = np.array(self.model.qpos0)
        self.seconds = float(self.model.opt.timestep) * self.rules.frame_skip

    def advance(self, coordinates: np.ndarray, torque: np.ndarray) -> np.ndarray:
        """One of Gymnasium's steps of C bodies of k parts: qpos ‖ qvel [C, 2 (k + 2)], torque [C, k - 1]."""
        start = np.pad(coordinates, ((0, 0), (1, 0)))  # MuJoCo's state begins with the time, which nothing depends on
        with self.lock:
            states, _ = self.rollout(self.model, self.data, start, torque[:, None], nstep=self.rules.frame_skip)
        return states[:, -1, 1:]


planar_body = cache(PlanarBody)


def _models() -> Path:
    """Where Gymnasium keeps its models. Raises ImportError, with the remedy, where it is not installed."""
    found = find_spec("gymnasium")
    if found is None or found.origin is None:
        raise ImportError("these bodies are Gymnasium's: pip install 'graphwright[mujoco,gymnasium]'")
    return Path(found.origin).parent / "envs" / "mujoco" / "assets"
