"""PettingZoo's own test over the registry; what an agent is told equals what the native episode says."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest
import torch
from pettingzoo.test import parallel_api_test

from graphwright.envs.locomotion.swimmer import Swimmer
from graphwright.envs.registry import SOLVED
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.gymnasium import GraphEnv
from graphwright.frameworks.pettingzoo import ParallelGraphEnv
from graphwright.frameworks.schema import strip

SMALL = {"tour": {"sizes": (6,)}, "locomotion": {"sizes": (3, 4), "environment": Swimmer(horizon=16)}}


@cache
def env_config(problem: str) -> EnvConfig:
    return make_env_config(problem, **SMALL.get(problem, {}))


@pytest.mark.parametrize("problem", SOLVED)
def test_every_problem_passes_the_test_of_pettingzoo(problem: str) -> None:
    env = ParallelGraphEnv(env_config(problem))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A smaller graph has fewer agents than there is room for.
        warnings.filterwarnings("ignore", "No agents present but not all possible_agents")
        parallel_api_test(env, num_cycles=40)


@pytest.mark.parametrize("problem", ["vertex-cover", "grid-navigation", "graph-robustness"])
def test_a_lone_agent_lives_the_episode_of_gymnasium(problem: str) -> None:
    shared = env_config(problem)
    env, gym = ParallelGraphEnv(shared), GraphEnv(shared)
    (seen, told), (expected, info) = env.reset(seed=3), gym.reset(seed=3)
    env.action_space("agent").seed(0)
    done = False
    while not done:
        assert env.agents == ["agent"]
        assert env.observation_space("agent").contains(seen["agent"])
        assert seen["agent"].keys() == expected.keys()
        assert all(np.array_equal(seen["agent"][key], expected[key]) for key in expected)
        assert np.array_equal(told["agent"]["action_mask"], expected["action_mask"])
        assert told["agent"]["objective"] == info["objective"]
        action = env.action_space("agent").sample(seen["agent"]["action_mask"])
        seen, rewards, terminations, truncations, told = env.step({"agent": action})
        expected, reward, terminated, truncated, info = gym.step(action)
        assert (rewards["agent"], terminations["agent"], truncations["agent"]) == (reward, terminated, truncated)
        done = terminated or truncated
    assert not env.agents
    assert env.step({}) == ({}, {}, {}, {}, {})


def test_a_team_moves_as_the_native_environment_does_with_all_its_actions() -> None:
    shared = env_config("locomotion")
    env, episodes = ParallelGraphEnv(shared), None
    rng = np.random.default_rng(0)
    sizes = set()
    for _ in range(6):
        seen, _ = env.reset() if episodes else env.reset(seed=1)
        episodes = episodes or shared.episodes(1, int(np.random.Generator(np.random.PCG64(1)).integers(2**31)))
        nodes = episodes.observation.graph.nodes["acts"].nonzero().squeeze(1).tolist()
        sizes.add(len(nodes))
        assert env.agents == [f"agent_{place}" for place in range(len(nodes))]
        while env.agents:
            for place, agent in enumerate(env.agents):
                assert env.observation_space(agent).contains(seen[agent])
                assert seen[agent]["own_decision"].tolist() == [place]
            padded = {key: torch.as_tensor(value)[None] for key, value in seen[env.agents[0]].items()}
            assert padded["nodes"][0, :, -1].nonzero().squeeze(1).tolist() == nodes
            arrays, expected = strip(padded), shared.schema.pack(episodes.observation)
            expected.pop("action_mask")
            for key, value in expected.items():
                torch.testing.assert_close(arrays[key].to(value.dtype), value, rtol=0, atol=0)
            actions = {agent: rng.uniform(-1, 1, 1).astype(np.float32) for agent in env.agents[1:]}
            joint = torch.zeros(len(nodes), 1)
            joint[1:] = torch.tensor(np.array(list(actions.values()))).reshape(-1, 1)
            played = episodes.step(joint)
            agents = env.agents
            seen, rewards, terminations, truncations, _ = env.step(actions)
            assert rewards == dict.fromkeys(agents, float(played.reward))
            assert terminations == dict.fromkeys(agents, bool(played.terminated))
            assert truncations == dict.fromkeys(agents, bool(played.truncated))
        episodes.reset(torch.zeros(1, dtype=torch.int64))
    assert len(sizes) > 1


def test_the_same_seed_gives_the_same_episodes() -> None:
    one, other = (ParallelGraphEnv("vertex-cover") for _ in range(2))
    for seed in (5, None):
        left, right = (env.reset(seed=seed)[0]["agent"] for env in (one, other))
        assert all(np.array_equal(left[key], right[key]) for key in left)


def test_actions_of_the_wrong_agents_are_refused() -> None:
    env = ParallelGraphEnv("vertex-cover")
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions of \['node_7'\]; give those of agent"):
        env.step({"node_7": 0})
    with pytest.raises(ValueError, match="actions of nobody; give those of agent"):
        env.step({})
