"""A Gymnasium environment of several players, as a parallel environment of PettingZoo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv
from typing_extensions import override

from graphwright.core import GraphError
from graphwright.frameworks.foreign.answers import read_reset, read_step
from graphwright.frameworks.foreign.observation_reader import MASK, mask_of


class Players(ParallelEnv):
    """The players of an environment whose observations and actions are a `Tuple` with one for each, in turn.

    They are `player_0`, `player_1`, ... and begin and end together. Its rewards are one for each of them; whether it is
    over is one flag, or one for each, which have to be the same. Raises ValueError for other spaces.
    """

    metadata = {"name": "players"}  # noqa: RUF012

    def __init__(self, env: gymnasium.Env) -> None:
        seen, told = env.observation_space, env.action_space
        if not isinstance(seen, spaces.Tuple) or not isinstance(told, spaces.Tuple) or len(seen) != len(told):
            raise ValueError(
                f"{type(env.unwrapped).__name__} has no Tuple of observations and of actions, one for each player: it "
                "is played by one; take from_gymnasium"
            )
        self.env = env
        self.possible_agents = [f"player_{number}" for number in range(len(told))]
        self.agents: list[str] = []
        self.observation_spaces = dict(zip(self.possible_agents, seen, strict=True))
        self.action_spaces = dict(zip(self.possible_agents, told, strict=True))

    @property
    @override
    def unwrapped(self) -> Any:
        """The environment that is played, and no wrapper of it."""
        return self.env.unwrapped

    @override
    def observation_space(self, agent: str) -> gymnasium.Space:
        return self.observation_spaces[agent]

    @override
    def action_space(self, agent: str) -> gymnasium.Space:
        return self.action_spaces[agent]

    @override
    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        seen, info = read_reset(self.env.reset(seed=seed, options=options))
        self.agents = list(self.possible_agents)
        return self._each("observations", seen), self._masks(info)

    @override
    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        told = tuple(actions[agent] for agent in self.possible_agents)
        seen, reward, terminated, truncated, info = read_step(self.env.step(told))
        over, cut = (self._all("terminated", terminated), self._all("truncated", truncated))
        if over or cut:
            self.agents = []
        return (
            self._each("observations", seen),
            self._each("rewards", reward),
            dict.fromkeys(self.possible_agents, over),
            dict.fromkeys(self.possible_agents, cut),
            self._masks(info),
        )

    @override
    def close(self) -> None:
        self.env.close()

    def _masks(self, info: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What each player is told of its own, where the environment tells it all masks."""
        masks = mask_of(info)
        if masks is None:
            return {}
        return {player: {MASK: mask} for player, mask in self._each("action masks", masks).items()}

    def _each(self, what: str, values: Any) -> dict[str, Any]:
        """One of `values` for each player. Raises GraphError where there are others."""
        count = len(self.possible_agents)
        if not isinstance(values, list | tuple | np.ndarray) or len(values) != count:
            raise GraphError(f"there are {count} players, and the {what} are {values!r}; return one for each")
        return dict(zip(self.possible_agents, values, strict=True))

    def _all(self, name: str, flag: Any) -> Any:
        """One flag for all. Raises GraphError where it is not the same for all players."""
        if not isinstance(flag, list | tuple | np.ndarray) or np.ndim(flag) == 0:
            return flag
        if len(set(map(bool, flag))) > 1:
            raise GraphError(f"{name} is {flag!r}: players end together here; wrap it as a ParallelEnv of PettingZoo")
        return flag[0]
