"""`GraphRLModule`: Graphwright's policies in RLlib's new API stack, on padded observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from graphwright.core import Observation
from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.frameworks.gymnasium.env import GraphEnv
from graphwright.frameworks.schema import Schema, spread, strip
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.nn.actors import CategoricalActor
from graphwright.nn.encoders import Embedding


class ConfiguredGraphEnv(GraphEnv):
    """`GraphEnv` as RLlib builds environments: `env_config` holds the arguments of `make_env_config`, "problem" too."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(make_env_config(**config))


class GraphRLModule(TorchRLModule, ValueFunctionAPI):
    """An `ActorCritic` as an actor-critic module: observations of `GraphEnv`, [B, ...], one logit a numbered action.

    The padding is stripped before the network sees anything. Actions that are illegal, and numbers beyond a graph's
    candidates, have the least finite logit and so probability 0. The module holds no size: its state, or that of its
    `policy`, loads into a module for larger graphs. Build it through `module_spec`.

    Raises ValueError for actions and heads that do not score every candidate.
    """

    def setup(self) -> None:
        """Build the policy that `model_config` describes."""
        config = cast(dict[str, Any], self.model_config)
        self.schema: Schema = config["schema"]
        self.policy = ActorCritic(self.schema.features, self.schema.actions, config["encoder"], config["heads"])
        if not isinstance(self.policy.actor, CategoricalActor):
            raise ValueError(
                "RLlib needs one score for each action: of pairs of nodes take HeadsConfig(pairs='ends'); "
                "continuous actions for nodes have no place here"
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
        """[B]: the value of each graph; `embeddings` as `_forward_train` gave them."""
        if embeddings is None:
            return self.policy.value(self.read(batch))
        observation, embedding = embeddings
        return self.policy.critic(embedding, observation.graph)

    def read(self, batch: dict[str, Any]) -> Observation:
        """The ragged observation of a batch of RLlib's."""
        return self.schema.unpack(strip(batch[Columns.OBS]))

    def _logits(self, batch: dict[str, Any], observation: Observation, embedding: Embedding) -> Tensor:
        """[B, k]."""
        distribution = self.policy.actor(embedding, observation)
        least = torch.finfo(distribution.logits.dtype).min
        width = batch[Columns.OBS]["action_mask"].shape[1]
        return spread(distribution.logits.clamp(min=least), distribution.segments, width, least)


def module_spec(
    env_config: EnvConfig, encoder: EncoderConfig | None = None, heads: HeadsConfig | None = None
) -> RLModuleSpec:
    """What `AlgorithmConfig.rl_module(rl_module_spec=...)` takes, for the environment of that env_config.

    encoder, heads: by default those of the problem.
    """
    networks = env_config.networks
    config = {"schema": env_config.schema, "encoder": encoder or networks.encoder, "heads": heads or networks.heads}
    return RLModuleSpec(module_class=GraphRLModule, model_config=config)
