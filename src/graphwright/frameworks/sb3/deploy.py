"""Models on graphs of other sizes than those that they were trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

Model = TypeVar("Model", bound=BaseAlgorithm)


def load(algorithm: type[Model], path: Path | str, env: Any) -> Model:
    """A saved model for `env`, whose graphs may be of any size: `load(MaskablePPO, "model.zip", larger_env)`.

    Stable-Baselines3 unpickles what it loads: open only files that you trust.
    """
    vec_env: VecEnv = algorithm._wrap_env(env)
    spaces = {"observation_space": vec_env.observation_space, "action_space": vec_env.action_space}
    forgotten = {"n_envs": vec_env.num_envs, "_last_obs": None, "_last_episode_starts": None}
    return algorithm.load(path, env=vec_env, custom_objects={**spaces, **forgotten})


def change_size(model: Model, env: Any) -> Model:
    """The model, now for `env`, whose graphs may be of any size; what its buffer held is forgotten.

    Raises ValueError for an environment whose columns or actions are not those that the policy reads.
    """
    vec_env: VecEnv = model._wrap_env(env)
    old, new = getattr(model.observation_space, "schema", None), getattr(vec_env.observation_space, "schema", None)
    if old != new:
        raise ValueError(f"the environment shows {new}, the policy reads {old}; use the problem that it was trained on")
    model.observation_space, model.action_space = vec_env.observation_space, vec_env.action_space
    model.policy.observation_space, model.policy.action_space = vec_env.observation_space, vec_env.action_space
    model.n_envs = vec_env.num_envs
    model.set_env(vec_env)
    if isinstance(model, OnPolicyAlgorithm):
        assert model.rollout_buffer_class is not None
        model.rollout_buffer = model.rollout_buffer_class(
            model.n_steps,
            model.observation_space,
            model.action_space,
            device=model.device,
            gamma=model.gamma,
            gae_lambda=model.gae_lambda,
            n_envs=model.n_envs,
            **model.rollout_buffer_kwargs,
        )
    elif isinstance(model, OffPolicyAlgorithm) and model.replay_buffer_class is not None:
        model.replay_buffer = model.replay_buffer_class(
            model.buffer_size,
            model.observation_space,
            model.action_space,
            device=model.device,
            n_envs=model.n_envs,
            **model.replay_buffer_kwargs,
        )
    return model
