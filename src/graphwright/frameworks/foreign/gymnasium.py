"""Gymnasium environments as a vector environment of graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

try:
    import gymnasium
    from gymnasium import spaces
except ImportError:
    raise ImportError("environments of others need Gymnasium: pip install 'graphwright[gymnasium]'") from None
from typing_extensions import override

from graphwright.core import ActionSpec
from graphwright.frameworks.foreign.action_spaces import action_adapter, check_size
from graphwright.frameworks.foreign.answers import check_env, read_flag, read_reset, read_reward, read_step
from graphwright.frameworks.foreign.dense_layout import Keys
from graphwright.frameworks.foreign.live import claim, release
from graphwright.frameworks.foreign.observation_reader import ObservationReader, mask_of
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.frameworks.foreign.vector import ForeignVectorEnv
from graphwright.workers.env_group import Actions, AutoresetEnv, EnvStep, GraphArrays, copy_arrays
from graphwright.workers.env_pool import LocalEnvPool, WorkerEnvPool, WorkerOptions

MakeEnv = Callable[[], gymnasium.Env]


def from_gymnasium(
    make_env: str | MakeEnv | Sequence[MakeEnv],
    num_envs: int,
    workers: int = 0,
    *,
    actions: ActionSpec,
    undirected: bool = False,
    keys: Keys | None = None,
    padded: bool | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    options: WorkerOptions = WorkerOptions(),  # noqa: B008 - frozen
) -> ForeignVectorEnv:
    """`num_envs` environments of one kind as a vector on which Graphwright trains.

    make_env: a registered name; what makes an environment; or one such function for each, for environments that differ
        in their instances.
    workers: processes that play them; 0 plays them in this one.
    actions: what each candidate is tied to. An environment whose action space is `Discrete` receives its own number of
        the candidate; a `MultiDiscrete` of two or three, (row, column) or (block, row, column); where nodes or edges
        decide, a `MultiDiscrete` of a choice for each, or a `Box` of numbers, scaled to its bounds. Rows count in the
        order of the observation, those of padding included.
    undirected: a link stands for both directions.
    keys: role → entry of a `Dict` of arrays whose names are not known (`foreign.dense_layout.NAMES`).
    padded: whether rows of such arrays may be padding; by default rows at the end that are zero, without links and
        illegal are, and without a mask that is asked.
    seed: of the first episodes; the environment at place k gets its own, whatever the number of workers.

    Masks come from `action_masks()`, `info["action_mask"]` or an entry "action_mask" of the observation, in this order,
    one bool for each action. The state is the observation: see `ForeignEnvironment`.
    Raises GraphError for observations that hold no graph or do not fit, and for a chosen candidate that is not in the
    action space; ValueError for action spaces that do not fit, and for what is no Gymnasium environment.
    """
    if isinstance(make_env, Sequence) and not isinstance(make_env, str):
        makes = [_maker(make) for make in make_env]
    else:
        makes = [_maker(make_env)] * num_envs
    if len(makes) != num_envs or not makes:
        raise ValueError(
            f"{len(makes)} functions for num_envs={num_envs}; give one environment or more, a function each"
        )
    example = makes[0]()
    check_env(example)
    number = int(example.action_space.n) if isinstance(example.action_space, spaces.Discrete) else None
    reader = ObservationReader(
        example.observation_space, actions, undirected, keys=keys, padded=padded, num_actions=number
    )
    action_adapter(example.action_space, actions)  # raises here rather than in a worker
    check_size(example.action_space, None if reader.dense is None else reader.dense.num_actions)
    example.close()
    environment = ForeignEnvironment(reader.features, actions, undirected, device, reader.room)
    envs = [partial(AutoresetGymnasiumEnv, make, reader) for make in makes]
    pool = WorkerEnvPool(envs, workers, seed, options) if workers else LocalEnvPool(envs, seed, options)
    return ForeignVectorEnv(pool, environment)


class AutoresetGymnasiumEnv(AutoresetEnv):
    """One Gymnasium environment that resets itself when its episode ends."""

    def __init__(self, make_env: MakeEnv, reader: ObservationReader) -> None:
        self.env = make_env()
        claim(self.env, self)
        self.reader = reader
        self.adapt = action_adapter(self.env.action_space, reader.actions)
        self.masks = self.env.get_wrapper_attr("action_masks") if self.env.has_wrapper_attr("action_masks") else None

    @override
    def reset(self, seed: int | None = None) -> list[GraphArrays]:
        return [self._read(*read_reset(self.env.reset(seed=seed)))]

    @override
    def step(self, actions: Actions) -> EnvStep:
        observation, reward, terminated, truncated, info = read_step(self.env.step(self.adapt(actions[0])))
        terminated, truncated = read_flag("terminated", terminated), read_flag("truncated", truncated)
        cut = truncated and not terminated  # an episode that is both counts as terminated
        final = [copy_arrays(self._read(observation, info))] if cut else []
        live = self.reset() if terminated or truncated else [self._read(observation, info)]
        return EnvStep([read_reward(reward)], [terminated], [cut], final, live)

    @override
    def close(self) -> None:
        release(self.env)
        self.env.close()

    def _read(self, observation: Any, info: dict[str, Any]) -> GraphArrays:
        return self.reader.read(observation, self.masks() if self.masks else mask_of(info))


def _maker(make_env: str | MakeEnv) -> MakeEnv:
    """What makes the environment. A name is looked up here, so that workers need not have it registered."""
    if isinstance(make_env, str):
        return partial(gymnasium.make, gymnasium.spec(make_env))
    if not callable(make_env):
        raise ValueError(
            f"{type(make_env).__name__} is an environment; give what makes one: its class, a function, or its name"
        )
    return make_env
