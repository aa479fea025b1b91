"""Spread: step by step what `mpe2.simple_spread_v3` does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from graphwright.core import GraphBatch
from graphwright.envs.conformance import check_environment
from graphwright.envs.registry import find_problem
from graphwright.envs.teams.spread.environment import Spread
from graphwright.envs.vector import VectorEnvironment
from strategies import seeded

PROBLEM = find_problem("spread")


def test_it_conforms() -> None:
    check_environment(replace(Spread(), steps=6), PROBLEM.generator(sizes=(1, 3))(4, seeded()))


@pytest.mark.parametrize(("agents", "ratio"), [(3, 0.5), (5, 0.2)])
def test_steps_are_those_of_mpe2(agents: int, ratio: float) -> None:
    theirs = pytest.importorskip("mpe2.simple_spread_v3").parallel_env(N=agents, local_ratio=ratio, max_cycles=25)
    rules, generator = Spread(local_ratio=ratio), np.random.default_rng(0)
    for episode in range(3):
        theirs.reset(seed=episode)
        world = theirs.unwrapped.world
        if episode:  # so near that they touch all the time
            for body in world.agents:
                body.state.p_pos *= 0.2
        places = np.array([body.state.p_pos for body in world.entities])
        (instance,) = [PROBLEM.generator(sizes=(agents,))(1, seeded()).with_nodes(start=torch.from_numpy(places))]
        state = rules.reset(instance)
        for time in range(25):
            action = generator.integers(5, size=agents)
            seen, rewards, _, cut, _ = theirs.step(dict(zip(theirs.agents, action.tolist(), strict=True)))
            step = rules.step(state, torch.from_numpy(action))
            state = step.state
            np.testing.assert_allclose(step.reward, np.array(list(rewards.values()), np.float32), rtol=1e-6)
            here = np.array([body.state.p_pos for body in world.agents])
            np.testing.assert_allclose(state.nodes["position"][:agents], here, atol=1e-12)
            first = np.array(list(seen.values()))[:, :4]
            mine = torch.cat([state.nodes["velocity"], state.nodes["position"]], 1)[:agents]
            np.testing.assert_allclose(mine, first, rtol=1e-5, atol=1e-6)
            assert bool(step.truncated) == all(cut.values()) == (time == 24)


def test_episodes_are_exchanged_side_by_side() -> None:
    class Source:
        def draw(self, count: int) -> GraphBatch:
            return PROBLEM.generator(sizes=(2, 4))(count, seeded())

    vector = VectorEnvironment(Spread(steps=2), Source(), 3)
    for time in range(4):
        deciders = vector.environment.actions.deciders(vector.observe().graph)
        step = vector.step(torch.zeros(deciders.num_rows, dtype=torch.int64))
        assert step.reward.shape == (deciders.num_rows,)
        assert bool(step.truncated.all()) == (time % 2 == 1)
