"""`ParallelGraphEnv`: a problem as a PettingZoo parallel environment, one agent for each node that acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from graphwright.frameworks.env_config import EnvConfig
from graphwright.frameworks.gymnasium.env import GraphEnv
from graphwright.frameworks.gymnasium.spaces import Observation, observation_space

_ONLY_AGENT = "agent"
_MASK, _ACTS, _OWN = "action_mask", "acts", "own_node"


class ParallelGraphEnv(ParallelEnv[str, Observation, Any]):
    """A problem of Graphwright as PettingZoo has it, on `GraphEnv` with padded observations.

    A problem with one decision a graph has one agent, "agent". Where actions are continuous, "node_0", "node_1", ...
    are the agents: those nodes of the first observation that act, until the episode ends for all of them at once. Each
    observes the whole padded graph, under "own_node" [n] int8 which node it is, and under "acts" [n] int8 which nodes
    act ("action_mask" elsewhere, which PettingZoo keeps for what an agent's own space forbids); its action is a Box
    [columns]; all receive the same reward. An agent without an action does nothing.

    env_config: an `EnvConfig`, or the name of a problem for its defaults. penalty: as for `GraphEnv`.
    Info: "objective" and "is_complete" of the solution so far; of a lone agent "action_mask" too.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "graphwright_v0", "render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, env_config: EnvConfig | str, *, penalty: float = 1.0, render_mode: str | None = None) -> None:
        self._env = GraphEnv(env_config, penalty=penalty, render_mode=render_mode)
        self.env_config = self._env.env_config
        self.render_mode = render_mode
        limits, actions = self.env_config.limits, self.env_config.environment.actions
        self._node: dict[str, int] = {}
        if actions.continuous:
            self._node = {f"node_{node}": node for node in range(limits.nodes)}
            columns = actions.blocks[0].columns
        self.possible_agents = list(self._node) or [_ONLY_AGENT]
        self.agents: list[str] = []
        self.observation_spaces: dict[str, spaces.Space[Any]] = {_ONLY_AGENT: self._env.observation_space}
        self.action_spaces: dict[str, spaces.Space[Any]] = {_ONLY_AGENT: self._env.action_space}
        if self._node:
            padded = observation_space(self.env_config.schema, limits, "padded")
            entries = {key: space for key, space in padded.items() if key != _MASK}
            entries |= {_ACTS: spaces.MultiBinary(limits.nodes), _OWN: spaces.MultiBinary(limits.nodes)}
            self.observation_spaces = {agent: spaces.Dict(entries) for agent in self.possible_agents}
            self.action_spaces = {agent: spaces.Box(-1, 1, (columns,), np.float32) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Of one agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Of one agent."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """A new episode; `seed` and `options` as for `GraphEnv`."""
        observation, info = self._env.reset(seed=seed, options=options)
        acting = self._acting() if self._node else []
        self.agents = [f"node_{node}" for node in acting] or [_ONLY_AGENT]
        return self._tell(observation, info)

    def step(self, actions: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """Observations, rewards, terminations, truncations and infos of every agent that was alive before the step.

        Raises ValueError for an action of an agent that is not alive, and for none of a lone agent.
        """
        if not self.agents:
            return {}, {}, {}, {}, {}
        strangers = [agent for agent in actions if agent not in self.agents]
        if strangers or not (actions or self._node):
            raise ValueError(f"actions of {strangers or 'nobody'}; give those of {', '.join(self.agents)}")
        observation, reward, terminated, truncated, info = self._env.step(self._joint(actions))
        agents = self.agents
        observations, infos = self._tell(observation, info)
        if terminated or truncated:
            self.agents = []
        shared = (dict.fromkeys(agents, value) for value in (reward, terminated, truncated))
        return observations, *shared, infos

    def render(self) -> np.ndarray | None:
        """[height, width, 3] uint8: the graph and the solution so far."""
        return self._env.render()

    def _joint(self, actions: Mapping[str, Any]) -> Any:
        """The action of the whole graph."""
        if not self._node:
            return actions[_ONLY_AGENT]
        joint = np.zeros(self._env.action_space.shape or (), np.float32)
        place = {node: place for place, node in enumerate(self._acting())}
        for agent, action in actions.items():
            joint[place[self._node[agent]]] = action
        return joint

    def _acting(self) -> list[int]:
        """The nodes that act now, in the order of their decisions."""
        return self._env.episodes.observation.graph.acting_nodes[0].tolist()

    def _tell(
        self, observation: Observation, info: dict[str, Any]
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """What each agent sees and is told."""
        if not self._node:
            return {_ONLY_AGENT: observation}, {_ONLY_AGENT: {**info, _MASK: observation[_MASK]}}
        acts = np.zeros(self.env_config.limits.nodes, np.int8)
        acts[self._acting()] = 1
        shared = {key: values for key, values in observation.items() if key != _MASK} | {_ACTS: acts}
        own = np.eye(self.env_config.limits.nodes, dtype=np.int8)
        seen = {agent: {**shared, _OWN: own[self._node[agent]]} for agent in self.agents}
        return seen, {agent: dict(info) for agent in self.agents}
