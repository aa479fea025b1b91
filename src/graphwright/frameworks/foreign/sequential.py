"""`SequentialActions`: a joint action, one choice a node, played as one choice after the other."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from graphwright.frameworks.foreign.observation_reader import mask_of


class SequentialActions(gymnasium.Wrapper):
    """Takes the choices of nodes one at a time, in any order, and plays them together when all nodes have chosen.

    The wrapped environment observes a `spaces.Graph` with numbers for nodes; its action space is a `MultiDiscrete` of
    at least as many choices as there are nodes. An action of the wrapper is one number, node · columns + choice:
    `per_node("choose", columns)`. Until the last node has chosen the environment stands still, the reward is 0, and
    further node columns, one a choice, show what was chosen. So the joint policy is a product of conditionals. Episodes
    of graphs with n nodes are n times as long, which matters for a discount below 1.

    Masks of the wrapped environment, [n · columns] from `action_masks()` or `info["action_mask"]`, stay in force.
    Raises ValueError for environments of another form.
    """

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        graph, choices = env.observation_space, env.action_space
        if not isinstance(graph, spaces.Graph) or not isinstance(graph.node_space, spaces.Box):
            raise ValueError(
                f"observation space {graph}: SequentialActions needs a spaces.Graph whose node_space is a Box"
            )
        if not isinstance(choices, spaces.MultiDiscrete) or len(choices.shape) != 1:
            raise ValueError(
                f"action space {choices}: SequentialActions needs a MultiDiscrete of one choice for each node"
            )
        self.columns = int(choices.nvec.max())
        self.start = choices.start
        self.offered = np.arange(self.columns) < choices.nvec[:, None]
        width = spaces.flatdim(graph.node_space) + self.columns
        node_space = spaces.Box(-np.inf, np.inf, (width,))
        self.observation_space = spaces.Graph(node_space=node_space, edge_space=graph.edge_space)
        self.action_space = spaces.Discrete(len(choices.nvec) * self.columns)
        self.chosen = np.zeros(0, np.int64)
        self.given_mask: np.ndarray | None = None

    def reset(self, **options: Any) -> tuple[spaces.GraphInstance, dict[str, Any]]:
        """No node has chosen."""
        observation, info = self.env.reset(**options)
        return self._begin(observation, info), info

    def step(self, action: int) -> tuple[spaces.GraphInstance, float, bool, bool, dict[str, Any]]:
        """One node chooses; after the last one the environment steps."""
        node, choice = divmod(int(action), self.columns)
        self.chosen[node] = choice
        if (self.chosen < 0).any():
            return self._show(), 0.0, False, False, {}
        observation, reward, terminated, truncated, info = self.env.step(self.start[: len(self.chosen)] + self.chosen)
        return self._begin(observation, info), float(reward), terminated, truncated, info

    def action_masks(self) -> np.ndarray:
        """[n · columns] bool: every legal choice of a node that has not chosen."""
        legal = (self.offered[: len(self.chosen)] & (self.chosen < 0)[:, None]).reshape(-1)
        if self.env.has_wrapper_attr("action_masks"):
            legal &= self.env.get_wrapper_attr("action_masks")()
        elif self.given_mask is not None:
            legal &= self.given_mask
        return legal

    def _begin(self, observation: spaces.GraphInstance, info: dict[str, Any]) -> spaces.GraphInstance:
        self.observation = observation
        given = mask_of(info)
        self.given_mask = None if given is None else np.array(given, bool).reshape(-1)
        self.chosen = np.full(len(observation.nodes), -1)
        return self._show()

    def _show(self) -> spaces.GraphInstance:
        nodes = np.asarray(self.observation.nodes, np.float32).reshape(len(self.chosen), -1)
        shown = (self.chosen[:, None] == np.arange(self.columns)).astype(np.float32)
        return self.observation._replace(nodes=np.concatenate([nodes, shown], axis=1))
