"""The network behind Stable-Baselines3's policies: Graphwright's own, with `net_arch`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import create_mlp
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import Observation
from graphwright.core.sequence import Sequence as Steps
from graphwright.distributions import Distribution
from graphwright.frameworks.gymnasium.spaces import pack_instance
from graphwright.frameworks.networks import Networks
from graphwright.frameworks.sb3.dense_observations import DenseSchema
from graphwright.frameworks.schema import Arrays, Schema
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.nn.actors import make_actor
from graphwright.nn.encoders import Embedding
from graphwright.nn.policies import Values

NetArch = Sequence[int] | Mapping[str, Sequence[int]] | None


class GraphNetwork(ActorCritic):
    """An `ActorCritic` with an MLP of each node's embedding before the actor ("pi") and before the critic ("vf").

    net_arch: the hidden sizes of both, or of each by name; without any, this is an `ActorCritic`, weight by weight.
    values: as of `ActorCritic`.
    """

    def __init__(
        self,
        schema: Schema,
        encoder: EncoderConfig,
        heads: HeadsConfig,
        net_arch: NetArch = None,
        values: Values = "graphs",
    ) -> None:
        super().__init__(schema.features, schema.actions, encoder, heads, values)
        both = net_arch if isinstance(net_arch, Mapping) else {"pi": net_arch or [], "vf": net_arch or []}
        actor_sizes, critic_sizes = list(both.get("pi", [])), list(both.get("vf", []))
        self.pi, self.vf = self._mlp(actor_sizes), self._mlp(critic_sizes)
        if actor_sizes:
            last: Any = SimpleNamespace(
                width=actor_sizes[-1],
                edge_width=self.encoder.edge_width,
                graph_width=self.encoder.graph_width,
                beside=self.encoder.beside,
                carries_edges=self.encoder.carries_edges,
            )
            self.actor = make_actor(schema.actions, last, heads)
        if critic_sizes:
            self.critic = self._pooled_critic(heads, critic_sizes[-1])

    @override
    def forward(self, observation: Observation, sequence: Steps | None = None) -> tuple[Distribution, Tensor]:
        embedding = self.embed(observation, sequence)
        return self._act(embedding, observation), self._assess(embedding, observation)

    @override
    def read(self, observation: Observation, sequence: Steps | None = None) -> tuple[Distribution, Tensor | None]:
        embedding = self.embed(observation, sequence)
        return self._act(embedding, observation), embedding.memory

    @override
    def value(self, observation: Observation) -> Tensor:
        return self._assess(self.encoder(observation.graph), observation)

    def _act(self, embedding: Embedding, observation: Observation) -> Distribution:
        return self.actor(_through(self.pi, embedding), observation)

    def _assess(self, embedding: Embedding, observation: Observation) -> Tensor:
        return self.critic(_through(self.vf, embedding), observation.graph)

    def _mlp(self, sizes: list[int]) -> nn.Module:
        return nn.Sequential(*create_mlp(self.encoder.width, 0, sizes)) if sizes else nn.Identity()


def _through(mlp: nn.Module, embedding: Embedding) -> Embedding:
    """The embedding itself where there is no MLP, so that actor and critic share what they pool."""
    return embedding if isinstance(mlp, nn.Identity) else replace(embedding, nodes=mlp(embedding.nodes))


def find_schema(observation_space: spaces.Space[Any], schema: Schema | DenseSchema | None) -> Schema | DenseSchema:
    """The schema that is given or that the space carries. Raises ValueError where there is neither."""
    found = schema or getattr(observation_space, "schema", None)
    if found is None:
        raise ValueError(
            "the observation space does not say what its arrays mean; use an environment of graphwright.frameworks, or "
            "pass policy_kwargs={'schema': DenseSchema(ActionSpec(per_node('choose')))}"
        )
    return found


def find_networks(observation_space: spaces.Space[Any]) -> Networks:
    """What a policy is made of by default: what the space says, if it says it."""
    return getattr(observation_space, "networks", None) or Networks()


def to_arrays(observation: Mapping[str, Any], schema: Schema, device: torch.device) -> tuple[Arrays, bool]:
    """Padded or packed arrays with a batch dimension, of whatever an environment returns, and whether it had one."""
    if "graph" in observation:
        return {key: values.to(device) for key, values in pack_instance(observation, schema).items()}, False
    batched = np.ndim(observation["num_nodes"]) == 2
    arrays = {key: torch.as_tensor(np.asarray(values), device=device) for key, values in observation.items()}
    return arrays if batched else {key: values[None] for key, values in arrays.items()}, batched


def to_observation(arrays: Mapping[str, Tensor], schema: Schema, masked: bool = True) -> Observation:
    """The graphs of padded [B, ...] or packed arrays; without their masks where they are not `masked`."""
    if not masked:
        arrays = {**arrays, "action_mask": torch.ones_like(arrays["action_mask"], dtype=torch.bool)}
    return schema.unpad(arrays) if arrays["edge_index"].dim() == 3 else schema.unpack(arrays)
