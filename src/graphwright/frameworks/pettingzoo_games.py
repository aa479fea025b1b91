"""`GameEnv`: a game of two sides as PettingZoo has those in which agents take turns."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch

try:
    from gymnasium import spaces
    from pettingzoo import AECEnv
except ImportError as error:
    raise ImportError(f"this needs PettingZoo ({error}): pip install 'graphwright[pettingzoo]'") from None

from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.vector import InstanceSource, draw_playable
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.gymnasium.spaces import Observation, action_space, observation_space, observations
from graphwright.frameworks.pickling import CloudPickled

AGENTS = ("player_0", "player_1")
MASK = "action_mask"


class GameEnv(CloudPickled, AECEnv[str, Observation, int]):
    """A game of Graphwright whose two agents, "player_0" and "player_1", take turns.

    Observations are padded, with the keys of `frameworks.schema`; both agents are shown what the side to move sees, and
    "action_mask" [k] is 0 throughout for the other one. Rewards are 0 until the game is over, and then 1, -1 or 0.

    env_config: an `EnvConfig` of a game, or the name of one for its defaults. Raises ValueError where it is none, as
    does `step` for an action that is not legal (PettingZoo's `TerminateIllegalWrapper` lets it lose instead).
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "graphwright_game_v0",
        "render_modes": [],
        "is_parallelizable": False,
    }

    def __init__(self, env_config: EnvConfig | str) -> None:
        super().__init__()
        self.env_config = make_env_config(env_config) if isinstance(env_config, str) else env_config
        if not isinstance(self.env_config.environment, Game):
            raise ValueError(f"{self.env_config.problem.name} is no game of two sides; see ParallelGraphEnv")
        self.game = self.env_config.environment
        schema, limits = self.env_config.schema, self.env_config.limits
        self.render_mode = None
        self.possible_agents = list(AGENTS)
        self.agents: list[str] = []
        padded = observation_space(schema, limits, "padded")
        # Edges of a directed graph have no opposites, which the space of observations reckons with.
        first = schema.pack(self.game.observe(draw_playable(self.game, self.env_config.source(0), 1)[1]))
        shown = spaces.Dict({key: space for key, space in padded.items() if key in first})
        self.observation_spaces: dict[str, spaces.Space[Any]] = dict.fromkeys(AGENTS, shown)
        actions = action_space(self.game.actions, limits)
        self.action_spaces: dict[str, spaces.Space[Any]] = dict.fromkeys(AGENTS, actions)
        self._source: InstanceSource | None = None
        self._state: GraphBatch | None = None
        self._seen: Observation = {}
        self._to_move: str = AGENTS[0]
        self.agent_selection: str = AGENTS[0]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Of one agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Of one agent."""
        return self.action_spaces[agent]

    @property
    def position(self) -> GraphBatch:
        """The state of the game. Raises ValueError before the first `reset`."""
        if self._state is None:
            raise ValueError("no game has begun; call reset() first")
        return self._state

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """A new game; `seed` begins a new stream of instances."""
        if self._source is None or seed is not None:
            self._source = self.env_config.source(0 if seed is None else seed)
        self._state = draw_playable(self.game, self._source, 1)[1]
        self.agents = list(AGENTS)
        self.rewards = dict.fromkeys(AGENTS, 0.0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0.0)
        self.terminations, self.truncations = dict.fromkeys(AGENTS, False), dict.fromkeys(AGENTS, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in AGENTS}
        self._look()

    def observe(self, agent: str) -> Observation:
        """What an agent is shown."""
        seen = dict(self._seen)
        if agent != self._to_move or self.terminations[agent]:
            seen[MASK] = np.zeros_like(seen[MASK])
        return seen

    def step(self, action: int | None) -> None:
        """The move of the agent whose turn it is; None of one that is told that the game is over."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        legal = np.flatnonzero(self._seen[MASK])
        if action is None or not 0 <= int(action) < self._seen[MASK].size or not self._seen[MASK][int(action)]:
            raise ValueError(f"{agent}: {action} is not legal now; choose one of {', '.join(map(str, legal[:20]))}")
        self._cumulative_rewards[agent] = 0.0
        step = self.game.step(self.position, torch.tensor([int(action)]))
        self._state = step.state
        won = float(step.reward)
        other = AGENTS[1 - AGENTS.index(agent)]
        self.rewards = {agent: won, other: -won}
        over, cut = bool(step.terminated), bool(step.truncated)
        self.terminations, self.truncations = dict.fromkeys(AGENTS, over), dict.fromkeys(AGENTS, cut)
        if not (over or cut):
            self._look()
        else:
            self.agent_selection = other
        self._accumulate_rewards()

    def _look(self) -> None:
        """Whose turn it is, and what there is to see."""
        self._to_move = self.agent_selection = AGENTS[int(self.game.player(self.position))]
        arrays = self.env_config.schema.pack(self.game.observe(self.position))
        self._seen = observations(arrays, self.env_config.schema, self.env_config.limits, "padded")[0]
