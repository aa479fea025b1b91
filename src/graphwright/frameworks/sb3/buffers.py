"""Buffers that keep packed graphs: nothing is padded between the environment and the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib.common.maskable.buffers import MaskableDictRolloutBuffer
from stable_baselines3.common.buffers import DictReplayBuffer
from stable_baselines3.common.type_aliases import DictReplayBufferSamples
from stable_baselines3.common.vec_env import VecNormalize
from torch import Tensor
from typing_extensions import override

from graphwright.data.replay import Replay
from graphwright.data.ring import RaggedRing
from graphwright.frameworks.packed import PackedGraphs, arrays_to_rows, rows_to_arrays
from graphwright.frameworks.schema import Arrays, select


class GraphRolloutBuffer(MaskableDictRolloutBuffer):
    """A rollout of packed observations, for PPO, A2C and MaskablePPO: `rollout_buffer_class=GraphRolloutBuffer`.

    The masks that an environment gives are in its observations; MaskablePPO's own are not kept a second time.
    """

    def __init__(self, buffer_size: int, observation_space: Any, action_space: Any, *args: Any, **kwargs: Any) -> None:
        self.graphs = RaggedRing()
        # The parent keeps everything that is not an observation; a space without entries is one without arrays.
        super().__init__(buffer_size, spaces.Dict(), action_space, *args, **kwargs)
        self.observation_space = observation_space

    def reset(self) -> None:
        """Begin a rollout."""
        self.graphs.drop(self.graphs.end)
        self.mask_dims = 1
        self.action_masks = np.ones((self.buffer_size, self.n_envs, 1), dtype=np.float32)
        super(MaskableDictRolloutBuffer, self).reset()

    def add(self, obs: Any, *args: Any, action_masks: np.ndarray | None = None, **kwargs: Any) -> None:  # type: ignore[override]
        """One step of all environments."""
        self.graphs.add(arrays_to_rows(_tensors(obs)))
        super().add({}, *args, **kwargs)

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> Any:
        samples = super()._get_samples(batch_inds, env)
        # The parent goes through the rollout environment by environment, the packed graphs lie step by step.
        rows = torch.from_numpy(batch_inds % self.buffer_size * self.n_envs + batch_inds // self.buffer_size)
        graphs = rows_to_arrays(self.graphs.select(self.graphs.first + rows))
        return samples._replace(observations=_to_device(graphs, self.device), action_masks=None)  # type: ignore[arg-type]


class GraphReplayBuffer(DictReplayBuffer):
    """A replay of packed observations, for `GraphDQN`: `replay_buffer_class=GraphReplayBuffer`.

    An observation that one step leads to and the next one leaves is stored once. max_bytes: the most memory that
    observations may take, beside what Stable-Baselines3 keeps of each step; the oldest transitions give way.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: Any,
        action_space: Any,
        *args: Any,
        max_bytes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(buffer_size, spaces.Dict(), action_space, *args, **kwargs)
        self.observation_space = observation_space
        self.graphs = Replay(self.buffer_size * self.n_envs, PackedGraphs, max_bytes)
        self.reached: tuple[Tensor, Tensor] | None = None  # the states that the last step led to, which of them go on

    @override
    def add(self, obs: Any, next_obs: Any, action: Any, reward: Any, done: np.ndarray, infos: Any) -> None:
        """One step of all environments; `next_obs` before any new episode."""
        state = self._ids_of(_tensors(obs))
        next_state = self.graphs.add_states(_tensors(next_obs))
        self.graphs.add(state, next_state)
        self.reached = next_state, torch.as_tensor(done == 0)
        super().add({}, {}, action, reward, done, infos)

    @override
    def sample(self, batch_size: int, env: VecNormalize | None = None) -> Any:
        first, end = self.graphs.transitions.first, self.graphs.transitions.end
        return self._get_samples(np.random.randint(first, end, size=batch_size), env)  # noqa: NPY002 - SB3 seeds this one

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> Any:
        """`batch_inds`: ids of transitions, which rise by one from environment to environment, step by step."""
        rows, columns = batch_inds // self.n_envs % self.buffer_size, batch_inds % self.n_envs
        graphs = self.graphs.select(torch.from_numpy(batch_inds))
        reward = self.rewards[rows, columns].reshape(-1, 1)
        ended = self.dones[rows, columns] * (1 - self.timeouts[rows, columns])
        return DictReplayBufferSamples(
            observations=_to_device(graphs.state, self.device),
            actions=self.to_torch(self.actions[rows, columns]),
            next_observations=_to_device(graphs.next_state, self.device),
            dones=self.to_torch(ended).reshape(-1, 1),
            rewards=self.to_torch(self._normalize_reward(reward, env)),
        )

    def _ids_of(self, observations: Arrays) -> Tensor:
        """Where `observations` are stored: where the last step led, but for episodes that begin."""
        if self.reached is None:
            return self.graphs.add_states(observations)
        ids, goes_on = self.reached
        rows = goes_on.nonzero().squeeze(1)
        here = rows_to_arrays(arrays_to_rows(select(observations, rows)))
        there = self.graphs.states.select(ids[rows])
        if not all(torch.equal(values, there[key]) for key, values in here.items()):  # all environments were reset
            return self.graphs.add_states(observations)
        fresh = (~goes_on).nonzero().squeeze(1)
        return ids.index_copy(0, fresh, self.graphs.add_states(select(observations, fresh)))


def _tensors(arrays: Mapping[str, Any]) -> Arrays:
    return {key: torch.as_tensor(values) for key, values in arrays.items()}


def _to_device(arrays: Arrays, device: torch.device) -> Arrays:
    return {key: values.to(device) for key, values in arrays.items()}
