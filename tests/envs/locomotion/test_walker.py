"""Bodies that walk: Gymnasium's own, step by step, and a critic that is apart from the policy."""

from __future__ import annotations

from dataclasses import replace

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

from graphwright.core import GraphBatch
from graphwright.envs.conformance import check_environment
from graphwright.envs.locomotion.walker import HALF_CHEETAH, WALKER2D, Walker
from graphwright.envs.problem import Problem
from graphwright.experiments.nervenet import VectorCriticPPO
from graphwright.nn.critics import VectorValue
from graphwright.nn.encoders import Embedding
from graphwright.training.config import TrainConfig
from graphwright.training.networks import make_algorithm
from strategies import seeded

BODIES = [
    pytest.param(HALF_CHEETAH, "HalfCheetah-v5", id="cheetah"),
    pytest.param(WALKER2D, "Walker2d-v5", id="walker"),
]


def coordinates(state: GraphBatch) -> tuple[np.ndarray, np.ndarray]:
    """qpos and qvel of one body, whose nodes stand in the order of the model."""
    nodes, graphs = state.nodes, state.graphs
    pairs = ((graphs["position"][0], nodes["angle"]), (graphs["velocity"][0], nodes["rate"]))
    return tuple(torch.cat(pair).numpy() for pair in pairs)  # type: ignore[return-value]


@pytest.mark.parametrize(("problem", "name"), BODIES)
def test_an_episode_is_that_of_gymnasium(problem: Problem, name: str) -> None:
    environment, generator = problem.environment, seeded(1)
    assert isinstance(environment, Walker)
    gym = gymnasium.make(name).unwrapped
    gym.reset(seed=0)
    gym.model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_WARMSTART  # see `PlanarBody`
    state = environment.reset(problem.generator()(1, seeded(0)))
    gym.set_state(*coordinates(state))
    total, terminated = 0.0, False
    for _ in range(150):
        torque = torch.rand(6, 1, generator=generator) * 2 - 1
        step = environment.step(state, torque)
        _, reward, terminated, *_ = gym.step(torque[:, 0].double().numpy())
        state, total = step.state, total + reward
        np.testing.assert_allclose(coordinates(state)[0], gym.data.qpos, rtol=0, atol=1e-9)
        assert step.reward.item() == pytest.approx(reward, abs=1e-5)
        assert step.terminated.item() == terminated
        if terminated:
            break
    assert environment.objective(state).item() == pytest.approx(total, abs=1e-6)
    assert terminated == (name == "Walker2d-v5")  # random torques make it fall


@pytest.mark.parametrize(("problem", "name"), BODIES)
def test_it_keeps_the_contract(problem: Problem, name: str) -> None:
    short = replace(problem.environment, horizon=4)  # type: ignore[type-var]
    check_environment(short, problem.generator()(3, seeded(0)))


def test_an_mlp_critic_reads_all_parts_and_nothing_of_the_actor() -> None:
    config = TrainConfig.for_problem(HALF_CHEETAH, "graphwright.experiments.nervenet:VectorCriticPPO")
    algorithm = make_algorithm(config, seeded(0))
    assert isinstance(algorithm, VectorCriticPPO)
    critic = algorithm.policy.critic
    assert isinstance(critic, VectorValue)
    environment = HALF_CHEETAH.environment
    seen = environment.observe(environment.reset(HALF_CHEETAH.generator()(3, seeded(0)))).graph
    nothing = Embedding(torch.empty(0), None)
    value = critic(nothing, seen)
    assert torch.equal(critic(nothing, seen.select(torch.tensor([2, 0]))), value[[2, 0]])
    for part in (1, 6):
        other = seen.nodes["rate"].clone()
        other[part] += 1
        assert not torch.equal(critic(nothing, seen.with_nodes(rate=other))[0], value[0])
