"""Padded arrays of other people's environments, as they show them, in Stable-Baselines3's batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from graphwright.core import ActionSpec, Observation
from graphwright.frameworks.foreign.action_spaces import check_size
from graphwright.frameworks.foreign.dense_layout import FORMS, Keys, find_layout
from graphwright.frameworks.foreign.dense_reader import DenseReader
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.frameworks.schema import Schema

OWN = {"edge_index", "num_nodes", "num_edges", "num_actions"}
"""The entries that padded observations of a `Schema` always have."""


@dataclass(frozen=True, eq=False)
class DenseSchema:
    """What the arrays of an environment mean, as `from_gymnasium` is told it; the columns follow from its space."""

    actions: ActionSpec
    undirected: bool = False
    keys: Keys | None = None
    padded: bool | None = None


class DenseObservations:
    """Reads batches of a `Dict` of padded arrays; actions have the environment's own numbers.

    Raises ValueError for a space that is not known as a graph, or has other columns than a `Schema` says.
    """

    def __init__(self, space: spaces.Dict, action_space: spaces.Space[Any], schema: Schema | DenseSchema) -> None:
        told = DenseSchema(schema.actions) if isinstance(schema, Schema) else schema
        layout = find_layout(space.spaces, told.keys)
        if layout is None:
            raise ValueError(f"the observation space {space} is not known as a graph; {FORMS}")
        if not (told.actions.one_per_graph and isinstance(action_space, spaces.Discrete)):
            raise ValueError("arrays of other environments take one choice a graph, and a Discrete action space")
        self.nodes = layout.roles["nodes"][0]
        self.num_actions = int(action_space.n)
        self.reader = DenseReader(layout, told.actions, told.undirected, told.padded, self.num_actions)
        check_size(action_space, self.reader.num_actions)
        self.schema = Schema(self.reader.features, told.actions)
        if isinstance(schema, Schema) and schema.widths != self.schema.widths:
            raise ValueError(
                f"the schema has {schema.widths} columns, the observation space {self.schema.widths}; let them agree"
            )
        self.environment = ForeignEnvironment(
            self.schema.features, told.actions, told.undirected, room=self.reader.room
        )

    def is_batched(self, observation: Mapping[str, Any]) -> bool:
        """Whether it has a batch dimension."""
        return len(np.shape(observation[self.nodes])) > len(self.reader.layout.spaces[self.nodes].shape or ())

    def read(self, arrays: Mapping[str, Tensor], allowed: np.ndarray | Tensor | None, masked: bool) -> Observation:
        """The graphs of [B, ...] `arrays`. allowed: [B, k], what may be done; by default what the arrays say.

        masked=False: everything that is tied to a node or link that there is may be done.
        """
        device = next(iter(arrays.values())).device
        values = {name: array.cpu().numpy() for name, array in arrays.items()}
        mask = None if allowed is None else torch.as_tensor(allowed).cpu().numpy()
        packed = self.reader.read(values, mask)
        if not masked:
            packed["mask"] = np.ones_like(packed["mask"])
        return self.environment.observe(self.environment.states([packed]).to(device))

    def numbers(self, observation: Observation) -> Tensor:
        """[K] int64: the environment's number of each candidate."""
        return self.environment.numbers(observation.graph)

    def to_env(self, action: Tensor, observation: Observation) -> Tensor:
        """[B] int64: the environment's numbers of the candidates that were chosen."""
        return self.numbers(observation)[self.schema.actions.segments(observation.graph).ptr[:-1] + action]

    def from_env(self, number: Tensor, observation: Observation) -> Tensor:
        """[B] int64: the inverse of `to_env`."""
        segments = self.schema.actions.segments(observation.graph)
        key, order = torch.sort(segments.index * self.num_actions + self.numbers(observation))
        wanted = torch.arange(len(number), device=number.device) * self.num_actions + number
        return order[torch.searchsorted(key, wanted)] - segments.ptr[:-1]
