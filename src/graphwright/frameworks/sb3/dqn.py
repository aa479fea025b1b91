"""`GraphDQN`: DQN that explores legal actions, and whose observations may be packed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from stable_baselines3 import DQN
from torch import Tensor

from graphwright.core.segment import segment_sample
from graphwright.frameworks.sb3.size_free import SizeFreePolicy
from graphwright.frameworks.schema import Arrays, concat, select


class GraphDQN(DQN):
    """DQN with two differences, both where Stable-Baselines3 assumes one size for all.

    Random actions are drawn among the legal ones of each graph. With a `GraphReplayBuffer` observations are packed.
    """

    def predict(
        self,
        observation: Any,
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """As DQN's, with legal actions only."""
        if deterministic or np.random.rand() >= self.exploration_rate:  # noqa: NPY002 - SB3 seeds this one
            return self.policy.predict(observation, state, episode_start, deterministic)
        arrays, batched = self.policy.obs_to_tensor(observation)
        actions = random_actions(self.policy, arrays).cpu().numpy()  # type: ignore[arg-type]
        return (actions if batched else actions[0]), state

    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        if self.num_timesteps >= learning_starts:
            return super()._sample_action(learning_starts, action_noise, n_envs)
        arrays, _ = self.policy.obs_to_tensor(self._last_obs)  # type: ignore[arg-type]
        actions = random_actions(self.policy, arrays).cpu().numpy()  # type: ignore[arg-type]
        return actions, actions

    def _store_transition(
        self, replay_buffer: Any, buffer_action: Any, new_obs: Any, reward: Any, dones: Any, infos: Any
    ) -> None:
        if self.policy.dense is not None or np.ndim(new_obs["edge_index"]) == 3:
            super()._store_transition(replay_buffer, buffer_action, new_obs, reward, dones, infos)
            return
        following = _with_last(new_obs, [info.get("terminal_observation") for info in infos])
        replay_buffer.add(self._last_obs, following, buffer_action, reward, dones, infos)
        self._last_obs = new_obs


def random_actions(policy: SizeFreePolicy, arrays: Arrays) -> Tensor:
    """[B] int64: a legal action of each graph, all with the same probability."""
    observation, actions = policy.observe(arrays), policy.schema.actions
    mask = actions.arrange(observation.graph, observation.masks)
    logits = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -torch.inf)
    drawn = segment_sample(logits, actions.graph_segments(observation.graph)).clamp(min=0)
    return drawn if policy.dense is None else policy.dense.to_env(drawn, observation)


def _with_last(new: Any, last: list[Any]) -> Arrays:
    """Packed arrays in which the graphs that have ended are as they ended, not as they began anew."""
    arrays = {key: torch.as_tensor(values) for key, values in new.items()}
    ended = [row for row, observation in enumerate(last) if observation is not None]
    if not ended:
        return arrays
    finals = [{key: torch.as_tensor(values) for key, values in last[row].items()} for row in ended]
    order = torch.arange(len(last))
    order[torch.tensor(ended)] = len(last) + torch.arange(len(ended))
    return select(concat([arrays, *finals]), order)
