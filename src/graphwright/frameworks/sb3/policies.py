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
from graphwright.core.kernels.runs import strip_runs
from graphwright.frameworks.decisions import strip_candidates, strip_decisions
from graphwright.frameworks.sb3.dense_observations import DenseSchema
from graphwright.frameworks.sb3.network import NetArch
from graphwright.frameworks.sb3.size_free import SizeFreePolicy, default_optimizer_kwargs
from graphwright.frameworks.schema import Arrays, Schema, spread
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.policies import Values


class GraphPolicy(SizeFreePolicy, MaskableActorCriticPolicy):
    """An actor and a critic over one graph encoder, for observations of any size, padded or packed.

    schema: what the arrays mean, where the observation space does not say it: a `Schema` of arrays that have its keys,
    or a `DenseSchema` of an environment's own padded arrays. encoder, heads: as everywhere in
    Graphwright, by default those of the problem. net_arch: hidden sizes of an MLP before the actor and before the
    critic, [64] or {"pi": [64], "vf": [32]}. masked: whether the observation's `action_mask` rules actions out; where
    it does not, all of a graph's own candidates may be chosen. MaskablePPO's `action_masks` rule out more. values: what
    has a value where a graph has several decisions: the graph, or each decision, whose sum is then that of the graph.

    `network` is Graphwright's policy; without `net_arch` its weights are those of `graphwright.nn.GraphPolicy`.
    """

    works_with = "PPO, A2C and MaskablePPO"

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule | None = None,
        net_arch: NetArch = None,
        *,
        schema: Schema | DenseSchema | None = None,
        encoder: EncoderConfig | None = None,
        heads: HeadsConfig | None = None,
        masked: bool = True,
        values: Values = "graphs",
        use_sde: bool = False,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
        **unknown: Any,
    ) -> None:
        self.check_arguments(lr_schedule, unknown)
        assert lr_schedule is not None
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
        self.values = values
        self.network = self.make_network(values)
        self.optimizer = optimizer_class(self.parameters(), lr=lr_schedule(1), **optimizer_kwargs)  # type: ignore[call-arg]

    def forward(
        self, obs: Any, deterministic: bool = False, action_masks: np.ndarray | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Actions, values [B] and log-probabilities [B]."""
        observation = self._observe(obs, action_masks)
        distribution, value = self.network(observation)
        action = distribution.mode if deterministic else distribution.sample()
        log_prob = self.schema.actions.joint(observation.graph, distribution.log_prob(action))
        return self._to_env(action, observation), self._of_graphs(value, observation), log_prob

    def evaluate_actions(
        self, obs: Any, actions: Tensor, action_masks: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Values, log-probabilities and entropies, [B] each."""
        observation = self._observe(obs, action_masks)
        distribution, value = self.network(observation)
        log_prob, entropy = distribution.log_prob(self._from_env(actions, observation)), distribution.entropy
        spec, graph = self.schema.actions, observation.graph
        return self._of_graphs(value, observation), spec.joint(graph, log_prob), spec.joint(graph, entropy)

    def predict_values(self, obs: Any) -> Tensor:
        """[B, 1]."""
        observation = self._observe(obs, None)
        return self._of_graphs(self.network.value(observation), observation)[:, None]

    def get_distribution(self, obs: Any, action_masks: np.ndarray | None = None) -> Any:
        """Raise ValueError: distributions of a fixed size, which TRPO compares, are none of graphs.

        `network.distribution(observe(obs))` is Graphwright's over what each graph offers.
        """
        raise ValueError(self.refusal("there is no distribution of a fixed size, as TRPO asks for,"))

    def _of_graphs(self, value: Tensor, observation: Observation) -> Tensor:
        """[B]: values, those of the decisions of a graph added up."""
        return value if self.values == "graphs" else self.schema.actions.joint(observation.graph, value)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "values": self.values}

    def _predict(self, observation: Any, deterministic: bool = False, action_masks: np.ndarray | None = None) -> Tensor:
        seen = self._observe(observation, action_masks)
        distribution = self.network.distribution(seen)
        return self._to_env(distribution.mode if deterministic else distribution.sample(), seen)

    def _observe(self, obs: Arrays, action_masks: np.ndarray | Tensor | None) -> Observation:
        observation = self.observe(obs, action_masks)
        if action_masks is None or self.dense is not None:
            return observation
        allowed = torch.as_tensor(action_masks, device=observation.graph.device).bool()
        spec, graph = self.schema.actions, observation.graph
        if spec.one_per_graph or spec.continuous:
            told = obs["action_mask"]
            if self.masked and allowed.shape == told.shape and torch.equal(allowed, told.bool()):
                return observation  # an environment's own masks are in its observations
            candidates = spec.graph_segments(graph)
            more = strip_runs(allowed.reshape(graph.num_graphs, -1), candidates.ptr, candidates.num_rows)
        else:
            more = strip_candidates(spec, graph, allowed.reshape(graph.num_graphs, *self._shape))
        own = spec.arrange(graph, observation.masks)
        if not bool((own & ~more).any()):
            return observation
        return Observation(graph, spec.divide(graph, own & more))

    def _to_env(self, action: Tensor, observation: Observation) -> Tensor:
        """Actions as the action space has them: [B], [B, d], or continuous ones [B, d, columns]."""
        spec = self.schema.actions
        if self.dense is not None:
            return self.dense.to_env(action, observation)
        if spec.one_per_graph:
            return action
        deciders = spec.deciders(observation.graph)
        given = action if spec.continuous else action.clamp(min=0)  # where nothing may be done, anything may be said
        return spread(given, deciders, max(int(deciders.lengths.max()), self._shape[0]), 0)

    def _from_env(self, actions: Tensor, observation: Observation) -> Tensor:
        """The inverse of `_to_env`."""
        spec, graph = self.schema.actions, observation.graph
        if self.dense is not None:
            return self.dense.from_env(actions.long().reshape(-1), observation)
        if spec.one_per_graph:
            return actions.long().reshape(-1)
        columns = [spec.blocks[0].columns] if spec.continuous else []
        own = strip_decisions(actions.reshape(graph.num_graphs, -1, *columns), spec.deciders(graph))
        return own if spec.continuous else torch.where(spec.able(graph, observation.masks), own.long(), -1)

    @property
    def _shape(self) -> tuple[int, int]:
        """Decisions and choices of the action space; of a Box, decisions and numbers."""
        if isinstance(self.action_space, spaces.MultiDiscrete):
            return len(self.action_space.nvec), int(self.action_space.nvec[0])
        assert self.action_space.shape is not None
        rows, columns = (*self.action_space.shape, 0, 0)[:2]
        return rows, columns
