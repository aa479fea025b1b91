"""`GraphEnv`: any problem as a TorchRL environment of padded graphs."""

from __future__ import annotations

from typing import Any

import torch
from tensordict import NestedKey, TensorDict, TensorDictBase
from torch import Tensor
from torchrl.data import Binary, Bounded, Categorical, Composite, OneHot, TensorSpec, Unbounded
from torchrl.envs import EnvBase

from graphwright.core import Observation
from graphwright.envs.game import Game
from graphwright.envs.problem import Problem
from graphwright.envs.team import has_own_reward
from graphwright.frameworks.decisions import legal_choices
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.episode_batch import EpisodeBatch, StepResult
from graphwright.frameworks.schema import Schema, pad
from graphwright.frameworks.torchrl.conversion import fill, take


class GraphEnv(EnvBase):
    """`num_envs` graphs side by side, batch size [num_envs], all stepped at once.

    Observations are the padded keys of `Schema`, `reward` is [num_envs, 1]. An action is the place of a candidate, an
    integer or one-hot, and its spec always carries the mask of the present state, so that random actions are legal. An
    illegal action changes nothing and costs `penalty`.

    Where a graph has several choices to make, they are the agents of a nested tensordict: ("agents", "action")
    [num_envs, d] integers with ("agents", "action_mask") [num_envs, d, c]; or [num_envs, d, columns] numbers between -1
    and 1, of which padding is ignored, with ("agents", "action_mask") [num_envs, d]; and, where they have rewards of
    their own, ("agents", "reward") [num_envs, d, 1] beside their sum in `reward`. An agent that may do nothing, or does
    not exist, has choice 0, which means nothing. Agents stand in the order of the decisions: ("agents", "successor")
    [num_envs, d] says where each stands after the step, -1 for one that is gone.

    Of a game of two sides `player` [num_envs, 1] int64 says which one moves, 0 or 1. Whoever acts moves for it, sees
    what it sees, and receives its reward: what the other side earns with the next move it loses.

    problem: a name, a `Problem`, or an `EnvConfig` (then without options). device: where graphs are kept and stepped.
    options: those of `make_env_config`.

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
        device: torch.device | str = "cpu",
        **options: Any,
    ) -> None:
        super().__init__(batch_size=torch.Size([num_envs]), device=torch.device(device))
        self.env_config = problem if isinstance(problem, EnvConfig) else make_env_config(problem, **options)
        self.one_hot = one_hot
        self.penalty = penalty
        spec = self.env_config.environment.actions
        self.has_agents = not spec.one_per_graph
        if one_hot and self.has_agents:
            raise ValueError("one_hot=True: of several decisions actions are integers; leave it out")
        self.episodes = self._begin(int(torch.randint(2**31, ())) if seed is None else seed)
        shape = (num_envs, 1)
        arrays = self._arrays(self.episodes.observation)
        specs = {key: _spec_of(array) for key, array in arrays.items()}
        self.observation_spec = Composite(specs, shape=(num_envs,), device=self.device)
        if isinstance(self.env_config.environment, Game):
            self.observation_spec["player"] = Categorical(2, shape=shape, dtype=torch.int64).to(self.device)
        if self.has_agents:
            self._add_agents(num_envs)
        self.full_reward_spec = self._make_reward_spec(shape)
        flags = {key: Binary(shape=shape, dtype=torch.bool) for key in ("done", "terminated", "truncated")}
        self.full_done_spec = Composite(flags, shape=(num_envs,)).to(self.device)
        self.full_action_spec = Composite({self.action_name: self._make_action_spec()}, shape=(num_envs,)).to(
            self.device
        )

    @property
    def schema(self) -> Schema:
        """Observations as arrays."""
        return self.env_config.schema

    def _make_action_spec(self) -> TensorSpec:
        limits, actions, num_envs = self.env_config.limits, self.env_config.environment.actions, self.batch_size[0]
        if actions.continuous:
            return Bounded(-1.0, 1.0, shape=(num_envs, limits.decisions, actions.blocks[0].columns))
        if self.has_agents:
            return Categorical(limits.choices, shape=(num_envs, limits.decisions))
        if self.one_hot:
            return OneHot(limits.actions, shape=(num_envs, limits.actions))
        return Categorical(limits.actions, shape=(num_envs,))

    def _begin(self, seed: int) -> EpisodeBatch:
        self._is_fresh = True
        return self.env_config.episodes(self.batch_size[0], seed, self.penalty, self.device)

    def _set_seed(self, seed: int | None) -> None:
        """Episodes of another stream of instances."""
        if seed is not None:
            self.episodes = self._begin(seed)

    def _reset(self, tensordict: TensorDictBase | None, **_: Any) -> TensorDictBase:
        mask = None if tensordict is None else tensordict.get("_reset", None)
        if mask is not None:
            self.episodes.reset(mask.reshape(-1).nonzero().squeeze(1))
        elif not self._is_fresh:
            self.episodes.reset(torch.arange(self.batch_size[0], device=self.device))
        self._is_fresh = False
        observed = TensorDict(self._observe(), batch_size=self.batch_size, device=self.device)
        if self.has_agents:
            observed.set(("agents", "successor"), self._unmoved())
        return observed

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        self._acted = self.env_config.environment.actions.deciders(self.episodes.observation.graph)
        played = self.episodes.step(self._played_action(tensordict.get(self.action_name)))
        self._is_fresh = False
        flags = {"done": played.done, "terminated": played.terminated, "truncated": played.truncated}
        outcome = {key: value.unsqueeze(1) for key, value in {"reward": played.reward, **flags}.items()}
        stepped = TensorDict({**self._observe(), **outcome}, batch_size=self.batch_size, device=self.device)
        if self.has_agents:
            stepped.update(self._outcome_of_agents(played))
        return stepped

    def _played_action(self, action: Tensor) -> Tensor:
        actions = self.env_config.environment.actions
        if not actions.one_per_graph:
            return take(action, self._acted)
        return action.long().argmax(-1) if self.one_hot else action

    @property
    def action_name(self) -> NestedKey:
        """The key of the actions."""
        return ("agents", "action") if self.has_agents else "action"

    def _add_agents(self, num_envs: int) -> None:
        """What agents see and receive."""
        limits = self.env_config.limits
        choices = [] if self.env_config.environment.actions.continuous else [limits.choices]
        mask = Binary(shape=(num_envs, limits.decisions, *choices), dtype=torch.bool)
        successor = Unbounded((num_envs, limits.decisions), dtype=torch.int64)
        agents = Composite({"action_mask": mask, "successor": successor}, shape=(num_envs,)).to(self.device)
        self.observation_spec["agents"] = agents

    def _make_reward_spec(self, shape: tuple[int, int]) -> Composite:
        spec = Composite({"reward": Unbounded(shape=shape)}, shape=shape[:1])
        if self.has_agents and has_own_reward(self.env_config.environment):
            spec["agents", "reward"] = Unbounded(shape=(shape[0], self.env_config.limits.decisions, 1))
        return spec.to(self.device)

    def _unmoved(self) -> Tensor:
        """[B, d] int64: every agent at its own place."""
        places = torch.arange(self.env_config.limits.decisions, device=self.device)
        return places.expand(self.batch_size[0], -1).clone()

    def _outcome_of_agents(self, played: StepResult) -> TensorDict:
        """What became of the agents that acted, and what they received."""
        width = self.env_config.limits.decisions
        successor = self._unmoved() if played.successor is None else fill(played.successor, self._acted, width, -1)
        agents = {"successor": successor}
        if has_own_reward(self.env_config.environment):
            agents["reward"] = fill(played.own_reward, self._acted, width).unsqueeze(2)
        return TensorDict({"agents": TensorDict(agents, self.batch_size)}, self.batch_size)

    def _observe(self) -> dict[str, Any]:
        arrays: dict[str, Any] = dict(self._arrays(self.episodes.observation))
        if isinstance(game := self.env_config.environment, Game):
            arrays["player"] = game.player(self.episodes.state).unsqueeze(1)
        mask = arrays["action_mask"]
        if not self.has_agents:
            # Of a graph that is done any action may be drawn: a spec cannot draw from nothing.
            self.full_action_spec[self.action_name].update_mask(mask | ~mask.any(1, keepdim=True))
            return arrays
        actions, limits = self.env_config.environment.actions, self.env_config.limits
        if not actions.continuous:  # the mask of continuous decisions says which of them do anything
            mask = legal_choices(actions, self.episodes.observation, limits)
            self.full_action_spec[self.action_name].update_mask(mask)
        return {**arrays, "agents": TensorDict({"action_mask": mask}, self.batch_size)}

    def _arrays(self, observation: Observation) -> dict[str, Tensor]:
        return pad(self.schema.pack(observation), self.env_config.limits)


def _spec_of(array: Tensor) -> TensorSpec:
    return (
        Binary(shape=array.shape, dtype=torch.bool)
        if array.dtype == torch.bool
        else Unbounded(array.shape, dtype=array.dtype)
    )
