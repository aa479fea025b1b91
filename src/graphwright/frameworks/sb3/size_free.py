"""What both policies share: observations of any size, and arguments that are kept for saving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from torch import Tensor

from graphwright.core import Observation
from graphwright.frameworks.sb3.dense_observations import OWN, DenseObservations, DenseSchema
from graphwright.frameworks.sb3.network import (
    GraphNetwork,
    NetArch,
    find_networks,
    find_schema,
    to_arrays,
    to_observation,
)
from graphwright.frameworks.schema import Arrays, Schema
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.policies import Values


def default_optimizer_kwargs(optimizer_class: type[torch.optim.Optimizer]) -> dict[str, Any]:
    """What Stable-Baselines3 gives Adam, in one pass over all weights: on the CPU torch's default takes many."""
    return {"eps": 1e-5, "fused": True} if issubclass(optimizer_class, torch.optim.Adam) else {}


NETWORKS_OF_OTHERS = ("actor", "critic", "lstm_actor", "q_net", "quantile_net", "quantile_net_target")


class SizeFreePolicy(BasePolicy):
    """A policy whose networks know no size. Mixed in before a policy of Stable-Baselines3, whose networks do.

    dense: what reads the observations of an environment that shows its own padded arrays; None for those of a `Schema`.
    """

    works_with: ClassVar[str]
    given_schema: Schema | DenseSchema
    schema: Schema
    dense: DenseObservations | None
    encoder: EncoderConfig
    heads: HeadsConfig
    net_arch: Any
    masked: bool

    def __getattr__(self, name: str) -> Any:
        """Raise AttributeError, in one line, for the networks that algorithms ask for which this policy is not for."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name in NETWORKS_OF_OTHERS:
                raise AttributeError(self.refusal(f"there is no {name}")) from None
            raise

    def refusal(self, reason: str) -> str:
        """Why an algorithm cannot use this policy, and which can."""
        return f"{type(self).__name__} works with {self.works_with}; {reason} in it"

    def check_arguments(self, lr_schedule: Any, unknown: Mapping[str, Any]) -> None:
        """Raise ValueError for arguments that no algorithm of this policy gives."""
        if lr_schedule is None or unknown:
            reason = f"there is no {', '.join(unknown)}" if unknown else "there is nothing without gradients"
            raise ValueError(self.refusal(reason))

    def describe(
        self,
        schema: Schema | DenseSchema | None,
        encoder: EncoderConfig | None,
        heads: HeadsConfig | None,
        net_arch: NetArch,
        masked: bool,
    ) -> None:
        """Note what the networks are made of. Raises ValueError where nothing says what observations mean."""
        space, networks = self.observation_space, find_networks(self.observation_space)
        self.given_schema = found = find_schema(space, schema)
        told = space.spaces.keys() if isinstance(space, spaces.Dict) else OWN
        own = isinstance(found, Schema) and (told >= OWN or "graph" in told)
        self.dense = None
        if not own:
            if not isinstance(space, spaces.Dict):
                raise ValueError(f"the observation space {space} is no Dict of arrays; wrap the environment")
            self.dense = DenseObservations(space, self.action_space, found)
        self.schema = found if self.dense is None else self.dense.schema  # type: ignore[assignment]
        self.encoder, self.heads = encoder or networks.encoder, heads or networks.heads
        self.net_arch, self.masked = net_arch, masked

    def make_network(self, values: Values = "graphs") -> GraphNetwork:
        """A fresh network, whose critic is of graphs or of decisions."""
        return GraphNetwork(self.schema, self.encoder, self.heads, self.net_arch, values)

    def obs_to_tensor(self, observation: Any) -> tuple[Arrays, bool]:
        """Arrays of any size, and whether they had a batch dimension."""
        if self.dense is None:
            return to_arrays(observation, self.schema, self.device)
        batched = self.dense.is_batched(observation)
        arrays = {key: torch.as_tensor(np.asarray(values), device=self.device) for key, values in observation.items()}
        return arrays if batched else {key: values[None] for key, values in arrays.items()}, batched

    def is_vectorized_observation(self, observation: Any) -> bool:
        """Whether it has a batch dimension."""
        if self.dense is not None:
            return self.dense.is_batched(observation)
        return "graph" not in observation and np.ndim(observation["num_nodes"]) == 2

    def observe(self, obs: Arrays, action_masks: np.ndarray | Tensor | None = None) -> Observation:
        """The graphs of arrays with a batch dimension. action_masks: of an environment with its own padded arrays."""
        if self.dense is not None:
            return self.dense.read(obs, action_masks, self.masked)
        return to_observation(obs, self.schema, self.masked)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {
            "observation_space": self.observation_space,
            "action_space": self.action_space,
            "lr_schedule": self._dummy_schedule,
            "net_arch": self.net_arch,
            "schema": self.given_schema,
            "encoder": self.encoder,
            "heads": self.heads,
            "masked": self.masked,
            "optimizer_class": self.optimizer_class,
            "optimizer_kwargs": self.optimizer_kwargs,
        }
