"""`GraphEnv`: one episode of a problem at a time, as a `gymnasium.Env`."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, GraphBatch
from graphwright.drawing.frames import FrameRenderer
from graphwright.frameworks.decisions import strip_decisions
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.episode_batch import EpisodeBatch, StepResult
from graphwright.frameworks.gymnasium.spaces import (
    Mode,
    Observation,
    action_masks,
    action_space,
    observation_space,
    observations,
)
from graphwright.frameworks.pickling import CloudPickled


class GraphEnv(CloudPickled, gymnasium.Env[Observation, Any]):
    """A problem of Graphwright as Gymnasium has it.

    env_config: an `EnvConfig`, or the name of a problem for its defaults.
    observation: "padded", a Dict of arrays padded to the largest graph (the keys of `frameworks.schema`); "graph",
        a Dict of a `spaces.Graph`, the graph columns, if there are any, under "graphs", and "action_mask".
    Action: the number of a candidate. Where a graph has several decisions, a MultiDiscrete of one number for each, a
        Box [d, columns] where they are continuous, of which a graph uses its own first rows; the reward is that of the
        graph, or the sum over its decisions. An illegal action changes nothing and costs `penalty`; after as many as
        there are nodes the episode is truncated. `action_masks()` says which are legal.
    Info: "objective" and "is_complete" of the solution so far; the averages of what never ends, such as "backlog"; what
        a team measures, such as "success".
    `reset(options={"instance": graph})` begins with a graph of one's own (a `GraphBatch` of one).

    Raises GraphError for an instance that exceeds the limits, ValueError for a mode or a problem that does not exist.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
        env_config: EnvConfig | str,
        *,
        observation: Mode = "padded",
        penalty: float = 1.0,
        render_mode: str | None = None,
    ) -> None:
        self.env_config = make_env_config(env_config) if isinstance(env_config, str) else env_config
        if observation not in ("padded", "graph"):
            raise ValueError(f"observation={observation!r}: choose 'padded' or 'graph'")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode={render_mode!r}: choose 'rgb_array' or None")
        if render_mode is not None:
            _ = self.env_config.optimization
        self.mode: Mode = observation
        self.penalty = penalty
        self.render_mode = render_mode
        self.observation_space = observation_space(
            self.env_config.schema, self.env_config.limits, observation, self.env_config.networks
        )
        self.action_space = action_space(self.env_config.environment.actions, self.env_config.limits)
        self._episodes: EpisodeBatch | None = None
        self.played: StepResult | None = None
        self._picture: FrameRenderer | None = None

    @property
    def episodes(self) -> EpisodeBatch:
        """The episode. Raises ValueError before the first `reset`."""
        if self._episodes is None:
            raise ValueError("no episode has begun; call reset() first")
        return self._episodes

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new episode; `seed` begins a new stream of instances."""
        super().reset(seed=seed)
        if self._episodes is None or seed is not None:
            self._episodes = self.env_config.episodes(1, int(self.np_random.integers(2**31)), self.penalty)
        else:
            self._episodes.reset(torch.zeros(1, dtype=torch.int64))
        if options and "instance" in options:
            graph: GraphBatch = options["instance"]
            self._episodes.reset(torch.zeros(1, dtype=torch.int64), self.env_config.optimization.instance(graph))
        self._picture = None
        return self._observe(), self._info()

    @override
    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        taken = read_actions(self.env_config.environment.actions, self.episodes, np.asarray(action)[None])
        played = self.played = self.episodes.step(taken)
        reward, terminated, truncated = float(played.reward), bool(played.terminated), bool(played.truncated)
        return self._observe(), reward, terminated, truncated, self._info()

    def action_masks(self) -> np.ndarray:
        """[k] or [d · c] bool: which actions are legal, as sb3-contrib asks for it (`spaces.action_masks`)."""
        actions, limits = self.env_config.environment.actions, self.env_config.limits
        return action_masks(actions, self.episodes.observation, limits)[0]

    def render(self) -> Any:
        """[height, width, 3] uint8: the graph and the solution so far."""
        if self.render_mode is None:
            return None
        self._picture = self._picture or FrameRenderer(self.episodes.state)
        return self._picture.draw(self.env_config.optimization, self.episodes.state, self.env_config.problem.name)

    def _observe(self) -> Observation:
        arrays = self.env_config.schema.pack(self.episodes.observation)
        return observations(arrays, self.env_config.schema, self.env_config.limits, self.mode)[0]

    def _info(self) -> dict[str, Any]:
        return {name: value.item() for name, value in self.env_config.told(self.episodes.state).items()}


def read_actions(actions: ActionSpec, episodes: EpisodeBatch, given: np.ndarray) -> Tensor:
    """Actions as an environment takes them, from those of the action space, [B], [B, d] or [B, d, columns]."""
    numbers = torch.as_tensor(given, dtype=torch.float32 if actions.continuous else torch.int64)
    if actions.one_per_graph:
        return numbers.reshape(-1)
    return strip_decisions(numbers, actions.deciders(episodes.observation.graph))
