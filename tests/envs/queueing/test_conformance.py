"""The queueing networks of the registry conform, whatever is hidden and allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from graphwright.envs.conformance import check_environment
from graphwright.envs.queueing.multi_hop.shortest_path import ShortestPathRouting
from graphwright.envs.registry import CONTROLLED

OPTIONS = {
    "single-hop": {"hide_capacity": True, "reward": "inverse", "backlog_limit": 20.0, "penalty": 5.0},
    "multiclass": {"idling": True, "log_observation": False},
}


@pytest.mark.parametrize("name", CONTROLLED)
def test_they_conform(name: str) -> None:
    problem = CONTROLLED[name]
    environment = replace(problem.environment, horizon=8, **OPTIONS.get(name, {}))
    check_environment(environment, problem.generator(sizes=problem.sizes[:2])(2, torch.Generator().manual_seed(0)))


def test_shortest_path_routing_conforms() -> None:
    instances = CONTROLLED["multi-hop"].generator(sizes=(5, 6))(2, torch.Generator().manual_seed(0))
    check_environment(ShortestPathRouting(horizon=8), instances)


@pytest.mark.parametrize("name", CONTROLLED)
def test_the_baselines_do_what_is_legal(name: str) -> None:
    problem = CONTROLLED[name]
    instances = problem.generator(sizes=problem.sizes[:2])(4, torch.Generator().manual_seed(0))
    for baseline in problem.baselines.values():
        environment = baseline.environment(problem.environment)
        state = environment.reset(instances)
        for _ in range(8):
            action, seen = baseline.rule(environment, state), environment.observe(state)
            if not environment.actions.continuous:
                layout = environment.actions.layout(seen.graph)
                legal = layout.arrange(seen.masks)
                assert bool(legal[layout.segments.ptr[:-1] + action].all())
            state = environment.step(state, action).state


def test_a_limit_truncates_once_and_the_inverse_reward_is_positive() -> None:
    problem = CONTROLLED["single-hop"]
    environment = replace(problem.environment, reward="inverse", backlog_limit=3.0, penalty=2.0, idling=True)
    instances = problem.generator(sizes=(3,))(4, torch.Generator().manual_seed(0))
    state = environment.reset(instances)
    idle = torch.full((4,), 3)
    for _ in range(20):
        step = environment.step(state, idle)
        over = step.state.graphs["backlog"] > 3
        assert torch.equal(step.truncated, over)
        expected = 1 / (1 + step.state.graphs["backlog"]) - 2 * over
        assert torch.allclose(step.reward.double(), expected)
        state = step.state
    assert bool(over.all())
