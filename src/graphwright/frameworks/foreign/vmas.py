"""VMAS: many teams of one size in one environment, which steps them all at once as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, GraphError, from_edges, per_decider
from graphwright.envs.vector import VectorEnv, VectorStep
from graphwright.frameworks.foreign.states import column_of
from graphwright.frameworks.foreign.team import ForeignTeam
from graphwright.frameworks.foreign.vector import bare_graphs


class VmasVectorEnv(VectorEnv):
    """The teams of a VMAS environment, each a graph whose nodes are the agents, all linked to each other.

    env: `vmas.make_env(scenario, num_envs, terminated_truncated=True, ...)`, with discrete or continuous actions.
    Nothing leaves torch, and whichever team is done is reset in its place. A node has the agent's observation, `x` [F],
    and a reward of its own; numbers between −1 and 1 are scaled to the bounds of its actions.

    Raises ValueError where the environment says not what truncates an episode; GraphError where agents observe or do
    different things.
    """

    environment: ForeignTeam

    def __init__(self, env: Any) -> None:
        if not env.terminated_truncated:
            raise ValueError("vmas: whether an episode ends or is cut is not said; give terminated_truncated=True")
        self.env, self.num_envs = env, env.num_envs
        observations = env.reset()
        if not all(isinstance(seen, Tensor) for seen in observations):
            raise GraphError("vmas: observations are no tensor for each agent; give dict_spaces=False, or wrap them")
        self.agents = len(observations)
        width = _one_width("observations", [seen.shape[1] for seen in observations])
        self.actions, self._low, self._high = _actions(env)
        features = Features(nodes={"x": width})
        self.environment = ForeignTeam(features, self.actions, device=observations[0].device)
        self._teams = self._linked(observations[0].device)
        self.state = self._seen(observations)

    @property
    @override
    def instances(self) -> GraphBatch:
        return bare_graphs(self.num_envs)

    @override
    def step(self, action: Tensor) -> VectorStep:
        """Play `action`, [D] int64 or [D, columns] float32."""
        observations, reward, terminated, truncated, _ = self.env.step(self._told(action))
        cut = truncated & ~terminated
        reached = self._seen(observations)
        over = (terminated | truncated).nonzero().squeeze(1)
        self.state = reached
        if over.numel():
            for team in over.tolist():
                self.env.reset_at(team, return_observations=False)
            self.state = self._seen(self._observed())
        own = torch.stack(reward, dim=1).reshape(-1).float()
        if not bool(own.isfinite().all()):
            raise GraphError(f"the reward is {own[~own.isfinite()][0]}; make all rewards finite")
        return VectorStep(own, terminated, cut, reached.select(cut), bare_graphs(over.numel()))

    def _observed(self) -> list[Tensor]:
        """[B, F] of each agent."""
        found = self.env.get_from_scenario(
            get_observations=True, get_rewards=False, get_infos=False, get_dones=False, dict_agent_names=False
        )
        observations: list[Tensor] = found[0]
        return observations

    def _seen(self, observations: Sequence[Tensor]) -> GraphBatch:
        seen = torch.stack(list(observations), dim=1).reshape(self.num_envs * self.agents, -1).float()
        if not bool(seen.isfinite().all()):
            raise GraphError("the observation holds NaN or infinite numbers; clip it")
        return self._teams.with_nodes(x=seen)

    def _linked(self, device: torch.device) -> GraphBatch:
        """The teams without what they see, everything legal."""
        apart = ~torch.eye(self.agents, dtype=torch.bool)
        offset = self.agents * torch.arange(self.num_envs)
        edge_index = (apart.nonzero().T[:, None] + offset[:, None]).reshape(2, -1)
        graph = from_edges(edge_index, torch.full((self.num_envs,), self.agents), undirected=False).to(device)
        block = self.actions.blocks[0]
        choices = () if block.continuous or block.columns == 1 else (block.columns,)
        legal = torch.ones(graph.num_nodes, *choices, dtype=torch.bool, device=device)
        return graph.with_nodes(**{column_of(block): legal})

    def _told(self, action: Tensor) -> list[Tensor]:
        """[B, columns] of each agent."""
        of_teams = action.view(self.num_envs, self.agents, -1)
        if not self.actions.continuous:
            return list(of_teams.unbind(1))
        half, centre = (self._high - self._low) / 2, (self._high + self._low) / 2
        return list((centre + half * of_teams.clamp(-1, 1)).unbind(1))


def _actions(env: Any) -> tuple[ActionSpec, Tensor, Tensor]:
    """What an agent does, and the bounds [A, columns] of its numbers."""
    found = list(env.action_space)
    if hasattr(found[0], "n"):
        count = _one_width("actions", [int(space.n) for space in found])
        return ActionSpec(per_decider("act", count), decider="nodes"), torch.empty(0), torch.empty(0)
    if not all(hasattr(space, "low") and len(space.shape) == 1 for space in found):
        raise GraphError(f"action space {found[0]}: give multidiscrete_actions=False, or continuous_actions=True")
    columns = _one_width("actions", [space.shape[0] for space in found])
    low, high = (torch.from_numpy(np.stack([getattr(space, end) for space in found])) for end in ("low", "high"))
    return ActionSpec(per_decider("act", continuous=columns), decider="nodes"), low.to(env.device), high.to(env.device)


def _one_width(what: str, widths: Sequence[int]) -> int:
    """The width that all agents share. Raises GraphError where they do not."""
    for agent, width in enumerate(widths):
        if width != widths[0]:
            raise GraphError(f"agent {agent} has {width} {what}, and agent 0 has {widths[0]}; wrap them alike")
    return widths[0]
