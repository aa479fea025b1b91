"""`GraphPolicy`: the actor-critic for PPO, A2C and MaskablePPO."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor

from graphwright.core import Observation
from graphwright.frameworks.sb3.network import NetArch, to_observation
from graphwright.frameworks.sb3.size_free import SizeFreePolicy, default_optimizer_kwargs
from graphwright.frameworks.schema import Arrays, Schema, spread
from graphwright.nn import EncoderConfig, HeadsConfig


class GraphPolicy(SizeFreePolicy, MaskableActorCriticPolicy):
    """An actor and a critic over one graph encoder, for observations of any size, padded or packed.

    schema: what the arrays mean, where the observation space does not say it. encoder, heads: as everywhere in
    Graphwright, by default those of the problem. net_arch: hidden sizes of an MLP before the actor and before the
    critic, [64] or {"pi": [64], "vf": [32]}. masked: whether the observation's `action_mask` rules actions out; where
    it does not, all of a graph's own candidates may be chosen. MaskablePPO's `action_masks` rule out more.

    `network` is Graphwright's policy; without `net_arch` its weights are those of `graphwright.nn.GraphPolicy`.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: NetArch = None,
        *,
        schema: Schema | None = None,
        encoder: EncoderConfig | None = None,
        heads: HeadsConfig | None = None,
        masked: bool = True,
        use_sde: bool = False,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
    ) -> None:
        if use_sde:
            raise ValueError("use_sde=True: exploration that depends on the state is not for graphs; leave it out")
        optimizer_kwargs = default_optimizer_kwargs(optimizer_class) if optimizer_kwargs is None else optimizer_kwargs
        BasePolicy.__init__(  # the parent's own would build networks of a fixed size
            self,
            observation_space,
            action_space,
            optimizer_class=optimizer_class,
            optimizer_kwargs=optimizer_kwargs,
        )
        self.describe(schema, encoder, heads, net_arch, masked)
        self.network = self.make_network()
        self.optimizer = optimizer_class(self.parameters(), lr=lr_schedule(1), **optimizer_kwargs)  # type: ignore[call-arg]

    def forward(
        self, obs: Any, deterministic: bool = False, action_masks: np.ndarray | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Actions, values [B] and log-probabilities [B]."""
        observation = self._observe(obs, action_masks)
        distribution, value = self.network(observation)
        action = distribution.mode if deterministic else distribution.sample()
        log_prob = self.schema.actions.joint(observation.graph, distribution.log_prob(action))
        return self._outward(action, observation), value, log_prob

    def evaluate_actions(
        self, obs: Any, actions: Tensor, action_masks: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Values, log-probabilities and entropies, [B] each."""
        observation = self._observe(obs, action_masks)
        distribution, value = self.network(observation)
        log_prob, entropy = distribution.log_prob(self._inward(actions, observation)), distribution.entropy
        spec, graph = self.schema.actions, observation.graph
        return value, spec.joint(graph, log_prob), spec.joint(graph, entropy)

    def predict_values(self, obs: Any) -> Tensor:
        """[B, 1]."""
        return self.network.value(self._observe(obs, None))[:, None]

    def get_distribution(self, obs: Any, action_masks: np.ndarray | None = None) -> Any:
        """Graphwright's distribution over what each graph offers."""
        return self.network.distribution(self._observe(obs, action_masks))

    def _predict(self, observation: Any, deterministic: bool = False, action_masks: np.ndarray | None = None) -> Tensor:
        seen = self._observe(observation, action_masks)
        distribution = self.network.distribution(seen)
        return self._outward(distribution.mode if deterministic else distribution.sample(), seen)

    def _observe(self, obs: Arrays, action_masks: np.ndarray | Tensor | None) -> Observation:
        observation = to_observation(obs, self.schema, self.masked)
        if action_masks is None:
            return observation
        allowed = torch.as_tensor(action_masks, device=observation.graph.device).bool()
        if (
            self.masked
            and allowed.shape == obs["action_mask"].shape
            and torch.equal(allowed, obs["action_mask"].bool())
        ):
            return observation  # an environment's own masks are in its observations
        candidates = self.schema.actions.segments(observation.graph)
        more = allowed.reshape(candidates.num_groups, -1)[candidates.index, candidates.position]
        mask = self.schema.actions.arrange(observation.graph, observation.masks) & more
        return Observation(observation.graph, self.schema.actions.divide(observation.graph, mask))

    def _outward(self, action: Tensor, observation: Observation) -> Tensor:
        """Actions as the action space has them: continuous ones [B, n, columns]."""
        if not self.schema.actions.continuous:
            return action
        deciders = self.schema.actions.deciders(observation.graph)
        return spread(action, deciders, max(int(deciders.lengths.max()), self._width), 0)

    def _inward(self, actions: Tensor, observation: Observation) -> Tensor:
        if not self.schema.actions.continuous:
            return actions.long().reshape(-1)
        deciders, columns = self.schema.actions.deciders(observation.graph), self.schema.actions.blocks[0].columns
        return actions.reshape(deciders.num_groups, -1, columns)[deciders.index, deciders.position]

    @property
    def _width(self) -> int:
        """Rows of the action space, one a decision."""
        return self.action_space.shape[0] if isinstance(self.action_space, spaces.Box) else 0
