"""`ParallelGraphEnv`: a problem as a PettingZoo parallel environment, one agent a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

try:
    from gymnasium import spaces
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise ImportError(f"this needs PettingZoo ({error}): pip install 'graphwright[pettingzoo]'") from None

from graphwright.core import GraphError
from graphwright.frameworks.decisions import pad_candidates
from graphwright.frameworks.env_config import EnvConfig
from graphwright.frameworks.gymnasium.env import GraphEnv
from graphwright.frameworks.gymnasium.spaces import Observation, observation_space
from graphwright.frameworks.pickling import CloudPickled

LONE_AGENT = "agent"
MASK, OWN = "action_mask", "own_decision"


class ParallelGraphEnv(CloudPickled, ParallelEnv[str, Observation, Any]):
    """A problem of Graphwright as PettingZoo has it, on `GraphEnv` with padded observations.

    A problem with one decision a graph has one agent, "agent". Otherwise the agents are "agent_0", "agent_1", ..., the
    nodes or edges that decide: an agent keeps its name for as long as it lives, is terminated in the step after which
    it is gone, and one that joins gets the next name. Each observes the whole padded graph and under "own_decision"
    [1] int64 its place among the graph's decisions (-1 once it is gone); under "action_mask" [c] what it may choose.
    Its action is a Discrete(c), or a Box [columns] where actions are continuous. Its reward is its own where the
    problem says so, else that of the graph. An agent that may do nothing, or whose actions are continuous, may leave
    its action out.

    env_config: an `EnvConfig`, or the name of a problem for its defaults. penalty: as for `GraphEnv`. agents: the most
    names that an episode needs, by default one for each node (or edge) of a padded graph, whether
    it decides or not.
    Info: "objective" and "is_complete" of the solution so far, where the problem has one; the agent's "action_mask".

    `step` raises GraphError where more agents join than there are names.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "graphwright_v0", "render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(
        self,
        env_config: EnvConfig | str,
        *,
        penalty: float = 1.0,
        agents: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        self._env = GraphEnv(env_config, penalty=penalty, render_mode=render_mode)
        self.env_config = self._env.env_config
        self.render_mode = render_mode
        self.agents: list[str] = []
        self._num_named = 0
        self._masks: dict[str, np.ndarray] = {}
        limits, self._spec = self.env_config.limits, self.env_config.environment.actions
        if self._spec.one_per_graph:
            self.possible_agents = [LONE_AGENT]
            observed: spaces.Space[Any] = self._env.observation_space
            action: spaces.Space[Any] = self._env.action_space
        else:
            self.possible_agents = [f"agent_{number}" for number in range(agents or limits.decisions)]
            padded = observation_space(self.env_config.schema, limits, "padded")
            entries = {key: space for key, space in padded.items() if key != MASK}
            entries[OWN] = spaces.Box(-1, limits.decisions - 1, (1,), np.int64)
            if self._spec.continuous:
                action = spaces.Box(-1, 1, (self._spec.blocks[0].columns,), np.float32)
            else:
                entries[MASK] = spaces.MultiBinary(limits.choices)
                action = spaces.Discrete(limits.choices)
            observed = spaces.Dict(entries)
        self.observation_spaces = dict.fromkeys(self.possible_agents, observed)
        self.action_spaces = dict.fromkeys(self.possible_agents, action)

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
        self._num_named = 0
        self.agents = self._new_names(self._num_decisions)
        return self._tell({agent: place for place, agent in enumerate(self.agents)}, observation, info)

    def step(self, actions: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """Observations, rewards, terminations, truncations and infos of the agents that acted and of those that joined.

        Raises ValueError for an action of an agent that is not alive, and for none of an agent that has to choose.
        """
        acted = self.agents
        if not acted:
            return {}, {}, {}, {}, {}
        strangers = [agent for agent in actions if agent not in acted]
        if strangers:
            raise ValueError(f"actions of {strangers}; give those of {', '.join(acted)}")
        observation, _, terminated, truncated, info = self._env.step(self._joint(actions))
        played = self._env.played
        assert played is not None
        place = dict(
            zip(acted, range(len(acted)) if played.successor is None else played.successor.tolist(), strict=True)
        )
        gone = {agent for agent in acted if place[agent] < 0}
        is_over = terminated or truncated
        if not is_over:
            free = sorted(set(range(self._num_decisions)) - set(place.values()))
            place |= dict(zip(self._new_names(len(free)), free, strict=True))
        self.agents = [] if is_over else sorted(place.keys() - gone, key=place.__getitem__)
        observations, infos = self._tell(place, observation, info)
        return (
            observations,
            dict.fromkeys(place, 0.0) | dict(zip(acted, played.own_reward.tolist(), strict=True)),
            {agent: terminated or agent in gone for agent in place},
            {agent: truncated and agent not in gone for agent in place},
            infos,
        )

    def render(self) -> np.ndarray | None:
        """[height, width, 3] uint8: the graph and the solution so far."""
        return self._env.render()

    @property
    def _num_decisions(self) -> int:
        return self._spec.deciders(self._env.episodes.observation.graph).num_rows

    def _new_names(self, count: int) -> list[str]:
        start, self._num_named = self._num_named, self._num_named + count
        if self._num_named > len(self.possible_agents):
            raise GraphError(f"{self._num_named} agents have lived in this episode; give agents={2 * self._num_named}")
        return self.possible_agents[start : self._num_named]

    def _joint(self, actions: Mapping[str, Any]) -> Any:
        """The action of the whole graph, of agents in the order of their decisions."""
        if self._spec.one_per_graph:
            if not actions:
                raise ValueError(f"actions of nobody; give those of {LONE_AGENT}")
            return actions[LONE_AGENT]
        space: Any = self._env.action_space
        joint = np.zeros(space.shape, space.dtype)
        silent = [agent for agent in self.agents if agent not in actions and self._must_choose(agent)]
        if silent:
            raise ValueError(f"no action of {', '.join(silent)}, who can do something; give one")
        for place, agent in enumerate(self.agents):
            joint[place] = actions.get(agent, 0)
        return joint

    def _must_choose(self, agent: str) -> bool:
        return not self._spec.continuous and bool(self._masks[agent].any())

    def _tell(
        self, place: Mapping[str, int], observation: Observation, info: dict[str, Any]
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """What the agents see at their places among the decisions, -1 for those that are gone."""
        if self._spec.one_per_graph:
            return {LONE_AGENT: observation}, {LONE_AGENT: {**info, MASK: observation[MASK]}}
        shared = {key: values for key, values in observation.items() if key != MASK}
        seen = {agent: {**shared, OWN: np.array([own])} for agent, own in place.items()}
        infos = {agent: dict(info) for agent in place}
        if not self._spec.continuous:
            graph, masks = self._env.episodes.observation.graph, self._env.episodes.observation.masks
            legal = pad_candidates(
                self._spec, graph, self._spec.arrange(graph, masks), self.env_config.limits, False, False
            )
            rows = np.concatenate(
                [legal[0].numpy().view(np.int8), np.zeros((1, legal.shape[2]), np.int8)]
            )  # -1: nothing
            self._masks = {agent: rows[own] for agent, own in place.items()}
            for agent, mask in self._masks.items():
                seen[agent][MASK] = infos[agent][MASK] = mask
        return seen, infos
