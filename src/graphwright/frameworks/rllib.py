"""`GraphRLModule`: Graphwright's policies in RLlib's new API stack, on padded observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch

try:
    from ray.rllib.core.columns import Columns
    from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
    from ray.rllib.core.rl_module.rl_module import RLModuleSpec
    from ray.rllib.core.rl_module.torch import TorchRLModule
    from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
except ImportError as error:
    raise ImportError(f"this needs RLlib ({error}): pip install 'graphwright[rllib]'") from None
from torch import Tensor

from graphwright.core import Observation
from graphwright.envs.team import has_own_reward
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.gymnasium.env import GraphEnv
from graphwright.frameworks.pettingzoo import MASK, OWN, ParallelGraphEnv
from graphwright.frameworks.schema import Schema, spread, strip
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.nn.actors import CategoricalActor
from graphwright.nn.encoders import Embedding


class ConfiguredGraphEnv(GraphEnv):
    """`GraphEnv` as RLlib builds environments: `env_config` holds the arguments of `make_env_config`, "problem" too."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(make_env_config(**config))


class ConfiguredParallelGraphEnv(ParallelPettingZooEnv):
    """`ParallelGraphEnv` as RLlib builds environments: one agent a decision.

    `env_config` holds the arguments of `make_env_config`, "problem" too, and "agents" if need be.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        arguments = dict(config)
        agents = arguments.pop("agents", None)
        super().__init__(ParallelGraphEnv(make_env_config(**arguments), agents=agents))


class GraphRLModule(TorchRLModule, ValueFunctionAPI):
    """An `ActorCritic` as an RLlib module: observations of `GraphEnv`, [B, ...], one logit a numbered action.

    Of an agent of `ParallelGraphEnv` it gives the logits of the agent's own decision; all agents share one module.

    The padding is stripped before the network sees anything. Actions that are illegal, and numbers beyond a graph's
    candidates, have the least finite logit and so probability 0. The module holds no size: its state, or that of its
    `policy`, loads into a module for larger graphs. Build it through `module_spec`.

    Raises ValueError for actions and heads that do not score every candidate.
    """

    def setup(self) -> None:
        """Build the policy that `model_config` describes."""
        config = cast(dict[str, Any], self.model_config)
        self.schema: Schema = config["schema"]
        self.values = config.get("values", "graphs")
        parts = self.schema.features, self.schema.actions, config["encoder"], config["heads"]
        self.policy = ActorCritic(*parts, self.values)
        if not isinstance(self.policy.actor, CategoricalActor):
            raise ValueError(
                "RLlib needs one score for each action: of pairs of nodes take HeadsConfig(pairs='ends'); for "
                "continuous actions take Stable-Baselines3 or TorchRL"
            )

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        observation = self.read(batch)
        return {Columns.ACTION_DIST_INPUTS: self._logits(batch, observation, self.policy.encoder(observation.graph))}

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """One pass of the encoder for the logits and, through `compute_values`, the values."""
        observation = self.read(batch)
        embedding = self.policy.encoder(observation.graph)
        logits = self._logits(batch, observation, embedding)
        return {Columns.ACTION_DIST_INPUTS: logits, Columns.EMBEDDINGS: (observation, embedding)}

    def compute_values(self, batch: dict[str, Any], embeddings: tuple[Observation, Embedding] | None = None) -> Tensor:
        """[B]: the value of each graph, or of each agent's decision; `embeddings` as `_forward_train` gave them."""
        if embeddings is None:
            observation = self.read(batch)
            embeddings = observation, self.policy.encoder(observation.graph)
        observation, embedding = embeddings
        values = self.policy.critic(embedding, observation.graph)
        return values if self.values == "graphs" else self._own(batch, observation, values)

    def read(self, batch: dict[str, Any]) -> Observation:
        """The ragged observation of a batch of RLlib's."""
        padded = batch[Columns.OBS]
        if OWN not in padded:
            return self.schema.unpad(padded)
        arrays = strip({key: padded[key] for key in self.schema.keys if key in padded and key != MASK})
        every = torch.ones(int(arrays["num_actions"].sum()), dtype=torch.bool, device=arrays["num_actions"].device)
        return self.schema.unpack({**arrays, MASK: every})  # an agent is told its own mask, and `_logits` reads it

    def _logits(self, batch: dict[str, Any], observation: Observation, embedding: Embedding) -> Tensor:
        """[B, k]; [B, c] of agents, of which one that is gone has equal logits."""
        distribution = self.policy.actor(embedding, observation)
        least = torch.finfo(distribution.logits.dtype).min
        width = batch[Columns.OBS][MASK].shape[1]
        rows = spread(distribution.logits.clamp(min=least), distribution.segments, width, least)
        if OWN not in batch[Columns.OBS]:
            return rows
        return self._own(batch, observation, rows).masked_fill(~batch[Columns.OBS][MASK].bool(), least)

    def _own(self, batch: dict[str, Any], observation: Observation, values: Tensor) -> Tensor:
        """[B, ...]: of `values` [D, ...] those of each agent's own decision, 0 of one that is gone."""
        place = batch[Columns.OBS][OWN].reshape(-1).long()
        start = self.schema.actions.deciders(observation.graph).ptr[:-1]
        padded = torch.cat([values, values.new_zeros(1, *values.shape[1:])])
        return padded[torch.where(place >= 0, start + place, len(values))]


def module_spec(
    env_config: EnvConfig, encoder: EncoderConfig | None = None, heads: HeadsConfig | None = None
) -> RLModuleSpec:
    """What `AlgorithmConfig.rl_module(rl_module_spec=...)` takes, for the environment of that env_config.

    encoder, heads: by default those of the problem.
    """
    networks = env_config.networks
    config = {
        "schema": env_config.schema,
        "encoder": encoder or networks.encoder,
        "heads": heads or networks.heads,
        "values": "decisions" if has_own_reward(env_config.environment) else "graphs",
    }
    return RLModuleSpec(module_class=GraphRLModule, model_config=config)
