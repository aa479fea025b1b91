"""Gymnasium environments as a vector environment of graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from typing_extensions import override

from graphwright.core import ActionSpec, GraphError
from graphwright.frameworks.foreign.observation_reader import MASK, ObservationReader
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.frameworks.foreign.vector import ForeignVectorEnv
from graphwright.workers.env_group import Actions, AutoresetEnv, EnvStep, GraphArrays, copy_arrays
from graphwright.workers.env_pool import LocalEnvPool, WorkerEnvPool, WorkerOptions

MakeEnv = Callable[[], gymnasium.Env]


def from_gymnasium(
    make_env: MakeEnv | Sequence[MakeEnv],
    num_envs: int,
    workers: int = 0,
    *,
    actions: ActionSpec,
    undirected: bool = False,
    seed: int = 0,
    device: torch.device | str = "cpu",
    options: WorkerOptions = WorkerOptions(),  # noqa: B008 - frozen
) -> ForeignVectorEnv:
    """`num_envs` environments of one kind as a vector on which Graphwright trains.

    make_env: makes an environment; or one such function for each, for environments that differ in their instances.
    workers: processes that play them; 0 plays them in this one.
    actions: what each candidate is tied to. An environment whose action space is `Discrete` receives its own number of
        the candidate; a `MultiDiscrete` of two or three, (row, column) or (block, row, column); where `actions` is
        continuous, an array [n, columns]. Rows count in the order of the observation.
    undirected: a link stands for both directions.
    seed: of the first episodes; the environment at place k gets its own, whatever the number of workers.

    Masks come from `action_masks()`, `info["action_mask"]` or an entry "action_mask" of the observation, in this order,
    one bool for each candidate. The state is the observation: see `ForeignEnvironment`.
    Raises GraphError for observations that hold no graph or do not fit, and for a chosen candidate that is not in the
    action space; ValueError for action spaces that do not fit.
    """
    makes = list(make_env) if isinstance(make_env, Sequence) else [make_env] * num_envs
    if len(makes) != num_envs or not makes:
        raise ValueError(
            f"{len(makes)} functions for num_envs={num_envs}; give one environment or more, a function each"
        )
    example = makes[0]()
    reader = ObservationReader(example.observation_space, actions, undirected)
    action_adapter(example.action_space, actions)  # raises here rather than in a worker
    example.close()
    environment = ForeignEnvironment(reader.features, actions, undirected, device)
    envs = [partial(AutoresetGymnasiumEnv, make, reader) for make in makes]
    pool = WorkerEnvPool(envs, workers, seed, options) if workers else LocalEnvPool(envs, seed)
    return ForeignVectorEnv(pool, environment)


class AutoresetGymnasiumEnv(AutoresetEnv):
    """One Gymnasium environment that resets itself when its episode ends."""

    def __init__(self, make_env: MakeEnv, reader: ObservationReader) -> None:
        self.env = make_env()
        self.reader = reader
        self.adapt = action_adapter(self.env.action_space, reader.actions)
        self.masks = self.env.get_wrapper_attr("action_masks") if self.env.has_wrapper_attr("action_masks") else None

    @override
    def reset(self, seed: int | None = None) -> list[GraphArrays]:
        return [self._read(*self.env.reset(seed=seed))]

    @override
    def step(self, actions: Actions) -> EnvStep:
        observation, reward, terminated, truncated, info = self.env.step(self.adapt(actions[0]))
        cut = bool(truncated) and not terminated  # an episode that is both counts as terminated
        final = [copy_arrays(self._read(observation, info))] if cut else []
        live = self.reset() if terminated or truncated else [self._read(observation, info)]
        return EnvStep([float(reward)], [bool(terminated)], [cut], final, live)

    @override
    def close(self) -> None:
        self.env.close()

    def _read(self, observation: Any, info: dict[str, Any]) -> GraphArrays:
        return self.reader.read(observation, self.masks() if self.masks else info.get(MASK))


def action_adapter(space: gymnasium.Space, actions: ActionSpec) -> Callable[[np.ndarray], Any]:
    """Turns (number, block, row, column) into an action of `space`. Raises ValueError for other action spaces."""
    if actions.continuous:
        if isinstance(space, spaces.Box):
            return np.asarray
    elif isinstance(space, spaces.Discrete):
        return partial(_to_number, space)
    elif isinstance(space, spaces.MultiDiscrete) and space.shape in ((2,), (3,)):
        return partial(_to_place, space)
    kind = "Box" if actions.continuous else "Discrete, or a MultiDiscrete of (row, column) or (block, row, column)"
    raise ValueError(f"action space {space}: an action is one candidate of the ActionSpec; wrap it to be {kind}")


def _to_number(space: spaces.Discrete, located: np.ndarray) -> int:
    number = int(located[0])
    if number >= int(space.n):
        raise GraphError(
            f"candidate {number} was chosen, but {space} has only {space.n} actions; enlarge it, or mask what it lacks"
        )
    return int(space.start) + number


def _to_place(space: spaces.MultiDiscrete, located: np.ndarray) -> np.ndarray:
    place = located[-space.shape[0] :]
    if (place >= space.nvec).any():
        raise GraphError(
            f"candidate {place.tolist()} was chosen, but {space} counts to {space.nvec.tolist()}; enlarge it, or mask "
            "what it lacks"
        )
    return space.start + place
