"""Buffers that keep packed graphs: nothing is padded between the environment and the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib.common.maskable.buffers import MaskableDictRolloutBuffer
from stable_baselines3.common.buffers import DictReplayBuffer
from stable_baselines3.common.type_aliases import DictReplayBufferSamples
from stable_baselines3.common.vec_env import VecNormalize

from graphwright.frameworks.ragged_ring import RaggedRing
from graphwright.frameworks.schema import Arrays, concat, select


class GraphRolloutBuffer(MaskableDictRolloutBuffer):
    """A rollout of packed observations, for PPO, A2C and MaskablePPO: `rollout_buffer_class=GraphRolloutBuffer`.

    The masks that an environment gives are in its observations; MaskablePPO's own are not kept a second time.
    """

    def __init__(self, buffer_size: int, observation_space: Any, action_space: Any, *args: Any, **kwargs: Any) -> None:
        self.steps: list[Arrays] = []
        self.graphs: Arrays = {}
        # The parent keeps everything that is not an observation; a space without entries is one without arrays.
        super().__init__(buffer_size, spaces.Dict(), action_space, *args, **kwargs)
        self.observation_space = observation_space

    def reset(self) -> None:
        """Begin a rollout."""
        self.steps, self.graphs = [], {}
        self.mask_dims = 1
        self.action_masks = np.ones((self.buffer_size, self.n_envs, 1), dtype=np.float32)
        super(MaskableDictRolloutBuffer, self).reset()

    def add(self, obs: Any, *args: Any, action_masks: np.ndarray | None = None, **kwargs: Any) -> None:  # type: ignore[override]
        """One step of all environments."""
        self.steps.append({key: torch.from_numpy(values) for key, values in obs.items()})
        super().add({}, *args, **kwargs)

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> Any:
        if not self.graphs:
            self.graphs = concat(self.steps)
        samples = super()._get_samples(batch_inds, env)
        # The parent goes through the rollout environment by environment, the packed graphs lie step by step.
        rows = torch.from_numpy(batch_inds % self.buffer_size * self.n_envs + batch_inds // self.buffer_size)
        graphs = {key: values.to(self.device) for key, values in select(self.graphs, rows).items()}
        return samples._replace(observations=graphs, action_masks=None)  # type: ignore[arg-type]


class GraphReplayBuffer(DictReplayBuffer):
    """A replay memory of packed observations, for `GraphDQN`: `replay_buffer_class=GraphReplayBuffer`."""

    def __init__(self, buffer_size: int, observation_space: Any, action_space: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(buffer_size, spaces.Dict(), action_space, *args, **kwargs)
        self.observation_space = observation_space
        self.before = RaggedRing(self.buffer_size * self.n_envs)
        self.after = RaggedRing(self.buffer_size * self.n_envs)

    def add(self, obs: Any, next_obs: Any, *args: Any, **kwargs: Any) -> None:
        """One step of all environments; `next_obs` before any new episode."""
        self.before.add({key: torch.as_tensor(values) for key, values in obs.items()})
        self.after.add({key: torch.as_tensor(values) for key, values in next_obs.items()})
        super().add({}, {}, *args, **kwargs)

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> Any:
        columns = np.random.randint(0, high=self.n_envs, size=(len(batch_inds),))  # noqa: NPY002 - SB3 seeds this one
        places = torch.from_numpy(batch_inds * self.n_envs + columns)
        reward = self.rewards[batch_inds, columns].reshape(-1, 1)
        ended = self.dones[batch_inds, columns] * (1 - self.timeouts[batch_inds, columns])
        return DictReplayBufferSamples(
            observations=self._to_device(self.before.select(places)),
            actions=self.to_torch(self.actions[batch_inds, columns]),
            next_observations=self._to_device(self.after.select(places)),
            dones=self.to_torch(ended).reshape(-1, 1),
            rewards=self.to_torch(self._normalize_reward(reward, env)),
        )

    def _to_device(self, arrays: Arrays) -> Arrays:
        return {key: values.to(self.device) for key, values in arrays.items()}
