"""Readers: a tensordict of B graphs → one ragged observation, and the width of dense results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from tensordict import LazyStackedTensorDict, NestedKey, TensorDictBase
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphError, Observation, Segments
from graphwright.frameworks.schema import Schema, strip
from graphwright.frameworks.torchrl.read_once import read_once

AGENTS_MASK = ("agents", "action_mask")


class PaddedObservation(NamedTuple):
    """An observation, and the width of a dense row: candidates, or decisions where actions are continuous.

    shape: decisions and choices of a dense matrix, where a graph has several choices to make.
    """

    observation: Observation
    width: int
    shape: tuple[int, int] = (1, 1)


class GraphReader(Protocol):
    """Reads the graphs of a tensordict."""

    @property
    def in_keys(self) -> Sequence[NestedKey]:
        """All that may be read; some of it may be absent."""

    def read(self, tensordict: TensorDictBase) -> PaddedObservation:
        """The graphs of a tensordict of batch size [B]."""


@dataclass(frozen=True)
class EnvGraphs:
    """The keys of `Schema`: padded as `GraphEnv` gives them, jagged, or a lazy stack of graphs of their own sizes."""

    features: Features
    actions: ActionSpec

    @property
    def in_keys(self) -> list[NestedKey]:
        """The keys of the padded observation, and, where several agents act, of the masks of who there is."""
        return [*self._schema.keys, *([AGENTS_MASK] if self._has_several else [])]

    def read(self, tensordict: TensorDictBase) -> PaddedObservation:
        """Raises GraphError, naming the key, for one that is missing or does not fit."""
        schema = self._schema
        shape = tensordict.get(AGENTS_MASK).shape[-2:] if self._has_several else (1, 1)
        keys = set(tensordict.keys()) & set(schema.keys)
        missing = [key for key in schema.keys if key not in keys and key != "reverse"]
        if missing:
            raise GraphError(f"the tensordict has no {', '.join(missing)}; for tensors of your own give DenseGraphs")
        tensordict = tensordict.select(*keys)
        if isinstance(tensordict, LazyStackedTensorDict):
            tensordict = tensordict.densify(layout=torch.jagged)
        columns = {key: tensordict.get(key) for key in keys}
        jagged = {key for key, column in columns.items() if column.is_nested}
        arrays = {key: column.values() if key in jagged else column for key, column in columns.items()}

        def unpack(given: Mapping[str, Tensor]) -> Observation:
            if not jagged:
                return schema.unpad(given)
            padded = {key: array for key, array in given.items() if key not in jagged}
            return schema.unpack(strip(padded) | {key: given[key] for key in jagged})

        observation = read_once(self, arrays, unpack)
        if "action_mask" in jagged:
            return PaddedObservation(observation, _longest(self.actions.graph_segments(observation.graph)), shape)
        return PaddedObservation(observation, columns["action_mask"].shape[1], shape)

    @cached_property
    def _schema(self) -> Schema:
        return Schema(self.features, self.actions)

    @property
    def _has_several(self) -> bool:
        """Whether a graph has several choices to make; numbers need no second width."""
        return not (self.actions.one_per_graph or self.actions.continuous)


def _longest(segments: Segments) -> int:
    return int(segments.lengths.max()) if segments.num_groups else 0
