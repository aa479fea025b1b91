"""`GraphVecEnv`: many episodes in one tensor program, as Stable-Baselines3's `VecEnv`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor

from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.episode_batch import EpisodeBatch
from graphwright.frameworks.gymnasium.env import read_actions
from graphwright.frameworks.gymnasium.spaces import action_masks, action_space, observation_space, padded
from graphwright.frameworks.pickling import CloudPickled
from graphwright.frameworks.schema import select, single


class RaggedGraph(spaces.Graph):
    """A graph that comes in packed arrays, which only the buffers of this package keep."""

    def __init__(self, like: spaces.Graph) -> None:
        super().__init__(like.node_space, like.edge_space)

    def __str__(self) -> str:
        """How what Stable-Baselines3's own buffers raise begins; nothing of ours runs before they do."""
        return (
            "pass rollout_buffer_class=GraphRolloutBuffer, or replay_buffer_class=GraphReplayBuffer to GraphDQN: "
            "in other buffers a ragged"
        )


class GraphVecEnv(CloudPickled, VecEnv):
    """`num_envs` episodes of a problem that step all at once, without worker processes.

    env_config: an `EnvConfig`, or a problem's name. ragged: observations are packed arrays (`frameworks.schema`), and
    the observation space holds a `spaces.Graph`; such models need `GraphRolloutBuffer`, or `GraphDQN` with
    `GraphReplayBuffer`. Otherwise they are padded, and any buffer will do. Actions and penalty: as of `GraphEnv`.
    Episode returns and lengths are in the infos, as `Monitor` writes them, with the "objective" of the solution.
    """

    def __init__(
        self, env_config: EnvConfig | str, num_envs: int, *, ragged: bool = False, penalty: float = 1.0, seed: int = 0
    ) -> None:
        self.env_config = make_env_config(env_config) if isinstance(env_config, str) else env_config
        self.ragged = ragged
        self.penalty = penalty
        self.render_mode = None
        self.episodes: EpisodeBatch = self.env_config.episodes(num_envs, seed, penalty)
        schema, limits = self.env_config.schema, self.env_config.limits
        space = observation_space(schema, limits, "graph" if ragged else "padded", self.env_config.networks)
        if ragged:
            space.spaces["graph"] = RaggedGraph(cast(spaces.Graph, space["graph"]))
        super().__init__(num_envs, space, action_space(schema.actions, limits))
        self._start = time.time()
        self._returns, self._lengths = np.zeros(num_envs), np.zeros(num_envs, dtype=int)
        self._actions: Tensor = torch.zeros(0)
        self._seen: dict[str, np.ndarray] = self._observe()

    def reset(self) -> dict[str, np.ndarray]:
        """New episodes; after `seed(...)`, of a new stream of instances."""
        if self._seeds[0] is not None:
            self.episodes = self.env_config.episodes(self.num_envs, self._seeds[0], self.penalty)
        else:
            self.episodes.reset(torch.arange(self.num_envs))
        self._returns[:], self._lengths[:] = 0, 0
        self._reset_seeds()
        return self._observe()

    def step_async(self, actions: np.ndarray) -> None:
        """Take note of the actions."""
        self._actions = read_actions(self.env_config.environment.actions, self.episodes, actions)

    def step_wait(self) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Play them; an episode that ends begins anew, and its last observation is in its info."""
        played = self.episodes.step(self._actions)
        reward, done = played.reward.numpy(), played.done.numpy()
        self._returns += reward
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = played.done.nonzero().squeeze(1)
        if ended.numel():
            self._note_ends(ended, played.truncated & ~played.terminated, infos)
            self.episodes.reset(ended)
        return self._observe(), reward, done, infos

    def action_masks(self) -> np.ndarray:
        """[B, k] or [B, d · c] bool: which actions are legal (`gymnasium.spaces.action_masks`)."""
        return action_masks(self.env_config.environment.actions, self.episodes.observation, self.env_config.limits)

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The attribute, the same for every environment. Raises AttributeError where there is none."""
        return [getattr(self, attr_name)] * len(self._rows(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set the attribute of all environments, which are one object."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """`action_masks`, a row for each environment."""
        result = getattr(self, method_name)(*args, **kwargs)
        return [result[row] for row in self._rows(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Nothing is wrapped."""
        return [False] * len(self._rows(indices))

    def _observe(self) -> dict[str, np.ndarray]:
        arrays = self.env_config.schema.pack(self.episodes.observation)
        if self.ragged:
            self._seen = {key: values.numpy() for key, values in arrays.items()}
        else:
            self._seen = padded(arrays, self.env_config.limits)
        return self._seen

    def _note_ends(self, ended: Tensor, cut: Tensor, infos: list[dict[str, Any]]) -> None:
        arrays = select(self.env_config.schema.pack(self.episodes.observation), ended)
        if self.ragged:
            last = [{key: values.numpy() for key, values in one.items()} for one in single(arrays)]
        else:
            rows = padded(arrays, self.env_config.limits)
            last = [{key: values[place] for key, values in rows.items()} for place in range(ended.numel())]
        told = {name: values[ended].tolist() for name, values in self.env_config.told(self.episodes.state).items()}
        for place, row in enumerate(ended.tolist()):
            infos[row] = {
                "terminal_observation": last[place],
                "TimeLimit.truncated": bool(cut[row]),
                **{name: values[place] for name, values in told.items()},
                "episode": {
                    "r": float(self._returns[row]),
                    "l": int(self._lengths[row]),
                    "t": time.time() - self._start,
                },
            }
            self._returns[row], self._lengths[row] = 0, 0

    def _rows(self, indices: int | Sequence[int] | None) -> Sequence[int]:
        if indices is None:
            return range(self.num_envs)
        return [indices] if isinstance(indices, int) else indices
