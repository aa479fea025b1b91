"""The problems in Gymnasium's registry."""

from __future__ import annotations

from typing import Any

import gymnasium

from graphwright.envs.registry import CONTROLLED, SOLVED, TEAMS
from graphwright.frameworks.env_config import make_env_config
from graphwright.frameworks.gymnasium.env import GraphEnv
from graphwright.frameworks.gymnasium.spaces import Mode
from graphwright.frameworks.gymnasium.vector import GraphVectorEnv


def environment_id(problem: str) -> str:
    """vertex-cover → graphwright/VertexCover-v0."""
    return f"graphwright/{problem.title().replace('-', '')}-v0"


ENVIRONMENT_IDS = {environment_id(name): name for name in [*SOLVED, *CONTROLLED, *TEAMS]}
"""Games have two agents: `frameworks.pettingzoo_games`."""


def make_env(
    problem: str,
    *,
    observation: Mode = "padded",
    penalty: float = 1.0,
    render_mode: str | None = None,
    **instances: Any,
) -> GraphEnv:
    """What `gymnasium.make` calls; `instances` are the options of `make_env_config`."""
    env_config = make_env_config(problem, **instances)
    return GraphEnv(env_config, observation=observation, penalty=penalty, render_mode=render_mode)


def make_vector_env(
    problem: str, num_envs: int, *, observation: Mode = "padded", penalty: float = 1.0, **instances: Any
) -> GraphVectorEnv:
    """What `gymnasium.make_vec` calls."""
    return GraphVectorEnv(make_env_config(problem, **instances), num_envs, observation=observation, penalty=penalty)


def register_all() -> None:
    """Register every problem, unless that was done before."""
    for name, problem in ENVIRONMENT_IDS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                name,
                f"{__name__}:make_env",
                vector_entry_point=f"{__name__}:make_vector_env",
                kwargs={"problem": problem},
            )
