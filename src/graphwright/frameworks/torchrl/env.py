"""`GraphEnv`: any problem as a TorchRL environment of padded graphs."""

from __future__ import annotations

from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.data import Binary, Bounded, Categorical, Composite, OneHot, TensorSpec, Unbounded
from torchrl.envs import EnvBase

from graphwright.core import Observation
from graphwright.envs.problem import Problem
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.episode_batch import EpisodeBatch
from graphwright.frameworks.schema import Schema, pad
from graphwright.frameworks.torchrl.conversion import take


class GraphEnv(EnvBase):
    """`num_envs` graphs side by side, batch size [num_envs], all stepped at once.

    Observations are the padded keys of `Schema`, `reward` is [num_envs, 1]. A discrete action is the place of a
    candidate, an integer or one-hot, and its spec always carries the mask of the present state, so that random actions
    are legal; a continuous one is [num_envs, n, columns] between -1 and 1, of which padding is ignored. An illegal
    action changes nothing and costs `penalty`.

    problem: a name, a `Problem`, or an `EnvConfig` (then without options). options: those of `make_env_config`.

    Raises ValueError for a problem or an option that does not exist; GraphError where an episode exceeds the limits.
    """

    def __init__(
        self,
        problem: Problem | EnvConfig | str,
        num_envs: int = 1,
        *,
        seed: int | None = None,
        one_hot: bool = False,
        penalty: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(batch_size=torch.Size([num_envs]))
        self.env_config = problem if isinstance(problem, EnvConfig) else make_env_config(problem, **options)
        self.one_hot = one_hot
        self.penalty = penalty
        self.episodes = self._begin(int(torch.randint(2**31, ())) if seed is None else seed)
        shape = (num_envs, 1)
        self.observation_spec = Composite(
            {key: _spec_of(array) for key, array in self._arrays(self.episodes.observation).items()}, shape=(num_envs,)
        )
        self.reward_spec = Unbounded(shape=shape)
        flags = {key: Binary(shape=shape, dtype=torch.bool) for key in ("done", "terminated", "truncated")}
        self.full_done_spec = Composite(flags, shape=(num_envs,))
        self.action_spec = self._make_action_spec()

    @property
    def schema(self) -> Schema:
        """Observations as arrays."""
        return self.env_config.schema

    def _make_action_spec(self) -> TensorSpec:
        limits, actions, num_envs = self.env_config.limits, self.env_config.environment.actions, self.batch_size[0]
        if actions.continuous:
            return Bounded(-1.0, 1.0, shape=(num_envs, limits.actions, actions.blocks[0].columns))
        if self.one_hot:
            return OneHot(limits.actions, shape=(num_envs, limits.actions))
        return Categorical(limits.actions, shape=(num_envs,))

    def _begin(self, seed: int) -> EpisodeBatch:
        self._is_fresh = True
        return self.env_config.episodes(self.batch_size[0], seed, self.penalty)

    def _set_seed(self, seed: int | None) -> None:
        """Episodes of another stream of instances."""
        if seed is not None:
            self.episodes = self._begin(seed)

    def _reset(self, tensordict: TensorDictBase | None, **_: Any) -> TensorDictBase:
        mask = None if tensordict is None else tensordict.get("_reset", None)
        if mask is not None:
            self.episodes.reset(mask.reshape(-1).nonzero().squeeze(1))
        elif not self._is_fresh:
            self.episodes.reset(torch.arange(self.batch_size[0]))
        self._is_fresh = False
        return TensorDict(self._observe(), batch_size=self.batch_size)

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        played = self.episodes.step(self._played_action(tensordict.get("action")))
        self._is_fresh = False
        flags = {"done": played.done, "terminated": played.terminated, "truncated": played.truncated}
        outcome = {key: value.unsqueeze(1) for key, value in {"reward": played.reward, **flags}.items()}
        return TensorDict({**self._observe(), **outcome}, batch_size=self.batch_size)

    def _played_action(self, action: Tensor) -> Tensor:
        actions = self.env_config.environment.actions
        if actions.continuous:
            return take(action, actions.deciders(self.episodes.observation.graph))
        return action.long().argmax(-1) if self.one_hot else action

    def _observe(self) -> dict[str, Tensor]:
        arrays = self._arrays(self.episodes.observation)
        if not self.env_config.environment.actions.continuous:
            mask = arrays["action_mask"]
            # Of a graph that is done any action may be drawn: a spec cannot draw from nothing.
            self.action_spec.update_mask(mask | ~mask.any(1, keepdim=True))
        return arrays

    def _arrays(self, observation: Observation) -> dict[str, Tensor]:
        return pad(self.schema.pack(observation), self.env_config.limits)


def _spec_of(array: Tensor) -> TensorSpec:
    return (
        Binary(shape=array.shape, dtype=torch.bool)
        if array.dtype == torch.bool
        else Unbounded(array.shape, dtype=array.dtype)
    )
