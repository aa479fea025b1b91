"""The swimmer of k links as a MuJoCo model: Gymnasium's `swimmer.xml` with links added or left out behind."""

from __future__ import annotations

from types import ModuleType

# Gymnasium 1.x, envs/mujoco/assets/swimmer.xml, without what is only drawn. A model of three links compiles to the same
# bodies, joints and actuators as that file. One option differs: the solver of the joint limits never starts from the
# last solution, which is no part of positions and velocities, so that a step depends on these and the torques alone.
_MODEL = """<mujoco model="swimmer">
  <compiler angle="degree" inertiafromgeom="true"/>
  <option density="4000" integrator="RK4" timestep="0.01" viscosity="0.1"><flag warmstart="disable"/></option>
  <default>
    <geom type="capsule" size="0.1" density="1000" condim="1" contype="0" conaffinity="0"/>
    <joint armature="0.1"/>
  </default>
  <worldbody>
    <light dir="0 0 -1" directional="true" pos="0 0 1.3"/>
    <camera name="above" pos="0 0 8" mode="trackcom"/>
    <body name="link0">
      <geom fromto="1.5 0 0 0.5 0 0"/>
      <joint name="x" axis="1 0 0" type="slide"/>
      <joint name="y" axis="0 1 0" type="slide"/>
      <joint name="heading" axis="0 0 1" type="hinge"/>{links}
    </body>
  </worldbody>
  <actuator>{motors}
  </actuator>
</mujoco>
"""
_LINK = """
      <body name="link{link}" pos="{offset} 0 0">
      <geom fromto="0 0 0 -1 0 0"/>
      <joint name="joint{link}" axis="0 0 1" type="hinge" limited="true" range="-100 100"/>"""
_MOTOR = """
    <motor joint="joint{link}" ctrllimited="true" ctrlrange="-1 1" gear="150"/>"""


def swimmer_xml(num_links: int) -> str:
    """The MJCF text of a swimmer: link 0 is the head, and joint j turns link j against link j - 1."""
    behind = range(1, num_links)
    links = "".join(_LINK.format(link=link, offset=0.5 if link == 1 else -1) for link in behind)
    motors = "".join(_MOTOR.format(link=link) for link in behind)
    return _MODEL.format(links=links + "</body>" * len(behind), motors=motors)


def import_mujoco() -> ModuleType:
    """The package `mujoco`. Raises ImportError, with the remedy, where it is not installed."""
    try:
        import mujoco
    except ModuleNotFoundError as error:
        raise ImportError("locomotion needs MuJoCo: pip install 'graphwright[mujoco]'") from error
    return mujoco
