"""Teams and queueing networks by their names in other frameworks: their checks pass, and infos say what counts."""

from __future__ import annotations

import warnings
from functools import cache

import pytest
import torch
from gymnasium.utils.env_checker import check_env

from graphwright.envs.registry import PROBLEMS
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.gymnasium import GraphEnv, GraphVectorEnv

TOLD = {
    "foraging": {"success"},
    "path-finding": {"throughput"},
    "single-hop": {"backlog"},
    "conflict-graph": {"backlog"},
    "multi-hop-links": {"backlog"},
}
"""Problem → what infos tell, among others."""
SIZES = {"path-finding": (4,), "multi-hop-links": (6,)}


@cache
def config_of(name: str) -> EnvConfig:
    return make_env_config(
        name, instances=PROBLEMS[name].generator(sizes=SIZES.get(name))(3, torch.Generator().manual_seed(0))
    )


@pytest.mark.parametrize("name", TOLD)
def test_gymnasium_checks_them(name: str) -> None:
    env = GraphEnv(config_of(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of spaces that are infinite
        check_env(env, skip_render_check=True)
    _, info = env.reset(seed=0)
    assert info.keys() >= TOLD[name]
    state = env.episodes.state
    assert all(info[name] == value.item() for name, value in env.env_config.told(state).items())


@pytest.mark.parametrize("name", TOLD)
def test_pettingzoo_and_torchrl_check_them(name: str) -> None:
    pettingzoo = pytest.importorskip("graphwright.frameworks.pettingzoo")
    torchrl = pytest.importorskip("graphwright.frameworks.torchrl")
    from pettingzoo.test import parallel_api_test
    from torchrl.envs.utils import check_env_specs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parallel_api_test(pettingzoo.ParallelGraphEnv(config_of(name)), num_cycles=5)
    check_env_specs(torchrl.GraphEnv(config_of(name), 2), seed=0)


def test_what_is_no_solution_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="coverage has no solutions to read or to draw; leave that out"):
        GraphEnv(config_of("coverage"), render_mode="rgb_array")
    with pytest.raises(ValueError, match="hyper-grid is sampled, not played"):
        make_env_config("hyper-grid")


def test_the_end_of_an_episode_tells_too() -> None:
    env = GraphVectorEnv(config_of("coverage"), 2)
    env.reset(seed=0)
    over, limits = False, env.env_config.limits
    while not over:
        *_, infos = env.step(env.action_masks().reshape(2, limits.decisions, limits.choices).argmax(2))
        over = bool(infos)
    assert infos["final_info"]["success"].shape == (2,)
