"""The physics: Gymnasium's own swimmer step by step, MuJoCo's own kinematics, and nothing remembered between steps."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
import torch
from gymnasium.envs.mujoco.swimmer_v5 import SwimmerEnv

from graphwright.core import GraphBatch
from graphwright.envs.locomotion.kinematics import motion
from graphwright.envs.locomotion.model import swimmer_xml
from graphwright.envs.locomotion.physics import Pose, simulator
from graphwright.envs.locomotion.swimmer import LOCOMOTION, Swimmer
from strategies import alone, assert_same_batch, relabelled, seeded

ORIGINAL = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / "swimmer.xml"
STEPS = 150  # of full torques, which push joints to their limits


def swimmers(*links: int, count: int = 1, seed: int = 0) -> GraphBatch:
    """`count` swimmers of each number of links."""
    drawn = [LOCOMOTION.generator(sizes=(number,))(count, seeded(seed + number)) for number in links]
    return GraphBatch.concat(drawn)


def torques_of_links(batch: GraphBatch, step: int) -> torch.Tensor:
    """Torques that stay at ±1 for long enough to reach the limits of the joints, [N, 1]."""
    drawn = torch.rand(batch.num_nodes, 1, generator=seeded(step // 30)) * 2 - 1
    return drawn.sign() if step % 60 < 30 else drawn


def torques(batch: GraphBatch, step: int) -> torch.Tensor:
    """Those of the links that decide, [D, 1]."""
    return torques_of_links(batch, step)[~batch.nodes["root"]]


def pose(state: GraphBatch) -> Pose:
    return Pose(
        *(state.nodes[name] for name in ("angle", "rate")), *(state.graphs[n] for n in ("position", "velocity"))
    )


def coordinates(state: GraphBatch) -> tuple[np.ndarray, np.ndarray]:
    """qpos and qvel of one swimmer whose nodes stand from head to tail."""
    angle, rate, position, velocity = pose(state)
    return torch.cat([position[0], angle]).numpy(), torch.cat([velocity[0], rate]).numpy()


@pytest.mark.parametrize(
    ("links", "repeat", "xml", "tolerance"),
    [(3, 1, "ours", 0), (3, 1, "original", 1e-6), (3, 5, "ours", 0), (6, 1, "ours", 0), (6, 5, "ours", 0)],
)
def test_an_episode_is_that_of_gymnasium(links: int, repeat: int, xml: str, tolerance: float, tmp_path: Path) -> None:
    path = tmp_path / "swimmer.xml"
    path.write_text(swimmer_xml(links) if xml == "ours" else ORIGINAL.read_text())
    theirs = gymnasium.make("Swimmer-v5", xml_file=str(path), max_episode_steps=STEPS)
    body = theirs.unwrapped
    assert isinstance(body, SwimmerEnv)
    ours, state = Swimmer(horizon=STEPS, repeat=repeat), Swimmer().reset(swimmers(links))
    theirs.reset(seed=0)
    body.set_state(*coordinates(state))
    total, bent = 0.0, 0.0
    for index in range(0, STEPS, repeat):
        torque = torques(state, index)
        step = ours.step(state, torque)
        state = step.state
        played = [theirs.step(torque[:, 0].numpy()) for _ in range(repeat)]
        for mine, other in zip(coordinates(state), (body.data.qpos, body.data.qvel), strict=True):
            np.testing.assert_allclose(mine, other, rtol=0, atol=tolerance)
        reward = sum(float(each[1]) for each in played)
        assert step.reward.item() == pytest.approx(reward, abs=1e-6)
        assert (step.terminated.item(), step.truncated.item()) == played[-1][2:4]
        total += reward
        bent = max(bent, state.nodes["angle"][1:].abs().max().item())
    assert bent > np.deg2rad(99), "no joint has reached its limit, where the solver has something to do"
    assert ours.objective(state).item() == pytest.approx(total, abs=1e-6)
    assert ours.is_complete(state).item()


def test_three_links_compile_to_the_original_model() -> None:
    ours, original = mujoco.MjModel.from_xml_string(swimmer_xml(3)), mujoco.MjModel.from_xml_path(str(ORIGINAL))
    assert (ours.nq, ours.nv, ours.nu, ours.nbody) == (original.nq, original.nv, original.nu, original.nbody)
    names = [name for name in dir(original) if name.startswith(("body_", "jnt_", "dof_", "actuator_"))]
    skipped = {"body_geomadr", "body_geomnum", "body_bvhadr", "body_bvhnum", "body_plugin", "jnt_user"}
    for name in sorted(set(names) - skipped):
        np.testing.assert_array_equal(getattr(ours, name), getattr(original, name), err_msg=name)
    for name in ("timestep", "integrator", "density", "viscosity", "gravity", "solver", "iterations", "tolerance"):
        np.testing.assert_array_equal(getattr(ours.opt, name), getattr(original.opt, name), err_msg=name)
    assert ours.opt.disableflags == original.opt.disableflags | mujoco.mjtDisableBit.mjDSBL_WARMSTART


@pytest.mark.parametrize("links", [2, 3, 9])
def test_the_links_are_where_mujoco_says(links: int) -> None:
    state = Swimmer().reset(swimmers(links))
    for index in range(5):
        state = Swimmer().step(state, torques(state, index)).state
    model = simulator(links).model
    data = mujoco.MjData(model)
    data.qpos, data.qvel = coordinates(state)
    mujoco.mj_forward(model, data)
    moved = motion(state, pose(state))
    np.testing.assert_allclose(moved.centre, data.xipos[1:, :2], atol=1e-9)
    np.testing.assert_allclose(moved.axis, data.xmat[1:].reshape(-1, 3, 3)[:, :2, 0], atol=1e-9)
    spin, velocity = np.zeros((2, links, 6))
    for link in range(links):
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_BODY, link + 1, velocity[link], 0)
    spin = velocity[:, 2]
    np.testing.assert_allclose(moved.spin, spin, atol=1e-9)
    np.testing.assert_allclose(moved.velocity, velocity[:, 3:5], atol=1e-9)
    np.testing.assert_allclose(moved.drift[0], velocity[:, 3:5].mean(0), atol=1e-9)


def test_a_batch_swims_as_its_swimmers_alone_bit_for_bit() -> None:
    environment, batch = Swimmer(repeat=1), swimmers(5, 3, 4, 3, count=2)
    together = environment.reset(batch)
    apart = [alone(together, graph) for graph in range(batch.num_graphs)]
    for index in range(60):
        action = torques(together, index)
        parts = action.split((batch.node_segments.lengths - 1).tolist())
        together = environment.step(together, action).state
        apart = [environment.step(state, part).state for state, part in zip(apart, parts, strict=True)]
    assert_same_batch(together, GraphBatch.concat(apart))


def test_the_order_of_the_nodes_does_not_matter_bit_for_bit() -> None:
    environment, state = Swimmer(repeat=1), Swimmer().reset(swimmers(3, 5, 9))
    mirror, place = relabelled(state, seeded(4))
    for index in range(30):
        torque = torques_of_links(state, index)
        moved = torch.empty_like(torque).index_copy(0, place, torque)
        step = environment.step(state, torque[~state.nodes["root"]])
        other = environment.step(mirror, moved[~mirror.nodes["root"]])
        assert torch.equal(step.reward, other.reward)
        state, mirror = step.state, other.state
    assert torch.equal(state.nodes["angle"], mirror.nodes["angle"][place])
    assert torch.equal(state.graphs["effort"], mirror.graphs["effort"])
    seen, other_seen = environment.observe(state).graph, environment.observe(mirror).graph
    for name in seen.nodes:
        assert torch.equal(seen.nodes[name], other_seen.nodes[name][place]), name
    for name in seen.graphs:
        assert torch.equal(seen.graphs[name], other_seen.graphs[name]), name


def test_other_steps_in_between_leave_no_trace() -> None:
    environment, state = Swimmer(repeat=1), Swimmer().reset(swimmers(3))
    for index in range(50):
        state = environment.step(state, torques(state, index)).state
    action = torques(state, 50)
    first = environment.step(state, action).state
    other = environment.reset(swimmers(3, count=4, seed=9))
    for index in range(20):
        other = environment.step(other, -torques(other, index)).state
    assert_same_batch(first, environment.step(state, action).state)


def test_a_missing_mujoco_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    simulator.cache_clear()
    monkeypatch.setitem(sys.modules, "mujoco", None)
    state = Swimmer().reset(swimmers(3))
    assert Swimmer().observe(state).masks[0].any()
    with pytest.raises(ImportError, match=r"pip install 'graphwright\[mujoco\]'") as error:
        Swimmer().step(state, torch.zeros(3, 1))
    assert "\n" not in str(error.value)
