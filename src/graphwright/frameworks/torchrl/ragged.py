"""Padded tensordicts → lazy stacks of single graphs, each of its own size."""

from __future__ import annotations

from tensordict import LazyStackedTensorDict, TensorDict, TensorDictBase, lazy_stack
from torch import Tensor

from graphwright.core import Observation
from graphwright.frameworks.schema import COUNTED_BY, Arrays, Schema, single, strip


def to_ragged(tensordict: TensorDictBase, schema: Schema) -> LazyStackedTensorDict:
    """The graphs of a padded tensordict [*], one after the other, without their padding; `next` likewise.

    All other entries stay as they are. The result shares no memory with `tensordict`, so that a buffer may keep a few
    of its graphs. Modules of this package read it as they read the padded one.
    """
    flat = tensordict.reshape(-1)
    keys = set(flat.keys()) & set(schema.keys)
    graphs = _single_graphs(strip({key: flat.get(key) for key in keys}))
    others = flat.exclude(*keys, "next").clone().unbind(0)
    stack = lazy_stack([other.update(graph) for other, graph in zip(others, graphs, strict=True)])
    following = flat.get("next", None)
    if following is not None:
        stack.set("next", to_ragged(following, schema))
    return stack


def observation_to_ragged(observation: Observation, schema: Schema) -> LazyStackedTensorDict:
    """The graphs of an observation [B], one after the other."""
    return lazy_stack([TensorDict(graph) for graph in _single_graphs(schema.pack(observation))])


def _single_graphs(packed: Arrays) -> list[dict[str, Tensor]]:
    """Each graph's own arrays, without a batch dimension and with memory of their own."""
    return [
        {key: (values if key in COUNTED_BY else values[0]).clone() for key, values in graph.items()}
        for graph in single(packed)
    ]
