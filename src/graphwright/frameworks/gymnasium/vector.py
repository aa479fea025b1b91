"""`GraphVectorEnv`: many episodes in one tensor program, as a `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array
from typing_extensions import override

from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.episode_batch import EpisodeBatch
from graphwright.frameworks.gymnasium.env import read_actions
from graphwright.frameworks.gymnasium.spaces import (
    Mode,
    action_masks,
    action_space,
    observation_space,
    observations,
    padded,
)
from graphwright.frameworks.pickling import CloudPickled


class GraphVectorEnv(CloudPickled, VectorEnv[Any, Any, Any]):
    """`num_envs` episodes of a problem that step all at once, without worker processes.

    Observations and actions are those of `GraphEnv`, batched as Gymnasium batches them. An episode that ends begins
    anew in the same step; what it ended in is `infos["final_obs"]`, with its info in `infos["final_info"]`, at the
    places where `infos["_final_obs"]` is true.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self, env_config: EnvConfig | str, num_envs: int, *, observation: Mode = "padded", penalty: float = 1.0
    ) -> None:
        self.env_config = make_env_config(env_config) if isinstance(env_config, str) else env_config
        self.num_envs = num_envs
        self.mode: Mode = observation
        self.penalty = penalty
        self.single_observation_space = observation_space(
            self.env_config.schema, self.env_config.limits, observation, self.env_config.networks
        )
        self.single_action_space = action_space(self.env_config.environment.actions, self.env_config.limits)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.episodes: EpisodeBatch | None = None

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """New episodes; an integer `seed` begins a new stream of instances, of a list the first one does."""
        first = seed[0] if isinstance(seed, list) else seed
        super().reset(seed=first)
        if self.episodes is None or first is not None:
            self.episodes = self.env_config.episodes(self.num_envs, int(self.np_random.integers(2**31)), self.penalty)
        else:
            self.episodes.reset(torch.arange(self.num_envs))
        return self._observe(), {}

    @override
    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        assert self.episodes is not None, "no episode has begun; call reset() first"
        episodes, spec = self.episodes, self.env_config.environment.actions
        played = episodes.step(read_actions(spec, episodes, np.asarray(actions)))
        infos: dict[str, Any] = {}
        if bool(played.done.any()):
            final = {name: values.numpy() for name, values in self.env_config.told(episodes.state).items()}
            done = played.done.numpy()
            infos = {"final_obs": self._observe(), "_final_obs": done, "final_info": final, "_final_info": done}
            episodes.reset(played.done.nonzero().squeeze(1))
        return (
            self._observe(),
            played.reward.numpy().astype(np.float64),
            played.terminated.numpy(),
            played.truncated.numpy(),
            infos,
        )

    def action_masks(self) -> np.ndarray:
        """[B, k] or [B, d · c] bool: which actions are legal."""
        assert self.episodes is not None, "no episode has begun; call reset() first"
        return action_masks(self.env_config.environment.actions, self.episodes.observation, self.env_config.limits)

    def _observe(self) -> Any:
        assert self.episodes is not None
        arrays, limits = self.env_config.schema.pack(self.episodes.observation), self.env_config.limits
        if self.mode == "padded":
            return padded(arrays, limits)
        each = observations(arrays, self.env_config.schema, limits, self.mode)
        empty: Any = create_empty_array(self.single_observation_space, self.num_envs)
        return concatenate(self.single_observation_space, each, empty)
