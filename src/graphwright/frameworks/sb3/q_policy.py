"""`GraphQPolicy`: Q-values of every candidate, for DQN."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.dqn.policies import DQNPolicy
from torch import Tensor, nn
from typing_extensions import override

from graphwright.distributions import RaggedCategorical
from graphwright.frameworks.q_values import IMPOSSIBLE, dueling
from graphwright.frameworks.sb3.dense_observations import DenseObservations, DenseSchema
from graphwright.frameworks.sb3.network import GraphNetwork, NetArch, find_networks, to_observation
from graphwright.frameworks.sb3.size_free import SizeFreePolicy, default_optimizer_kwargs
from graphwright.frameworks.schema import Arrays, Schema, spread
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.actors import require_actor_scores


class GraphQNetwork(nn.Module):
    """The Q-values of `q_values.dueling`.

    Returns [B, most]: `IMPOSSIBLE` where a candidate is illegal or a graph has none.
    """

    def __init__(
        self, schema: Schema, network: GraphNetwork, width: int, masked: bool, dense: DenseObservations | None = None
    ) -> None:
        super().__init__()
        self.schema = schema
        self.dense = dense
        self.network = network
        self.width = width
        self.masked = masked

    @override
    def forward(self, obs: Arrays) -> Tensor:
        if self.dense is None:
            observation = to_observation(obs, self.schema, self.masked)
        else:
            observation = self.dense.read(obs, None, self.masked)
        distribution, value = self.network(observation)
        assert isinstance(distribution, RaggedCategorical)  # the policy has asked for it
        candidates, scores = distribution.segments, dueling(distribution, value)
        if self.dense is not None:
            rows = scores.new_full((candidates.num_groups, self.width), IMPOSSIBLE)
            return rows.index_put((candidates.index, self.dense.numbers(observation)), scores)
        return spread(scores, candidates, max(int(candidates.lengths.max()), self.width), IMPOSSIBLE)


class GraphQPolicy(SizeFreePolicy, DQNPolicy):
    """The Q-network and its target, for graphs of any size, padded or packed. Arguments as of `GraphPolicy`;
    by default values pool the mean of the nodes.

    Greedy actions are legal ones. Stock DQN explores over the whole action space, where an environment of
    `graphwright.frameworks` answers an illegal action with a penalty; `GraphDQN` explores legal actions only.
    """

    works_with = "DQN on padded observations and GraphDQN"

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Discrete,
        lr_schedule: Schedule | None = None,
        net_arch: NetArch = None,
        *,
        schema: Schema | DenseSchema | None = None,
        encoder: EncoderConfig | None = None,
        heads: HeadsConfig | None = None,
        masked: bool = True,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
        **unknown: Any,
    ) -> None:
        self.check_arguments(lr_schedule, unknown)
        assert lr_schedule is not None
        optimizer_kwargs = default_optimizer_kwargs(optimizer_class) if optimizer_kwargs is None else optimizer_kwargs
        BasePolicy.__init__(  # the parent's own would build networks of a fixed size
            self,
            observation_space,
            action_space,
            optimizer_class=optimizer_class,
            optimizer_kwargs=optimizer_kwargs,
        )
        heads = heads or replace(find_networks(observation_space).heads, value_pool="mean")
        self.describe(schema, encoder, heads, net_arch, masked)
        if not self.schema.actions.one_per_graph:
            raise ValueError(
                "DQN takes one choice a graph; for several decisions use MaskablePPO or PPO with GraphPolicy"
            )
        self.q_net: Any = self._make()
        require_actor_scores(self.q_net.network.actor, self.heads, "Q-values")
        self.q_net_target: Any = self._make()
        self.q_net_target.load_state_dict(self.q_net.state_dict())
        self.q_net_target.requires_grad_(False)
        self.optimizer = optimizer_class(self.q_net.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)  # type: ignore[call-arg]

    def set_training_mode(self, mode: bool) -> None:
        """Training or evaluation mode of the Q-network."""
        self.q_net.train(mode)
        self.training = mode

    def _predict(self, obs: Any, deterministic: bool = True) -> Tensor:
        return self.q_net(obs).argmax(dim=1)

    def _make(self) -> GraphQNetwork:
        width = int(self.action_space.n) if isinstance(self.action_space, spaces.Discrete) else 0
        return GraphQNetwork(self.schema, self.make_network(), width, self.masked, self.dense)
