"""Gymnasium's spaces for what a `Schema` describes, and observations in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from torch import Tensor

from graphwright.core import ActionSpec
from graphwright.frameworks.schema import Limits, Schema, pad

Mode = Literal["padded", "graph"]
Observation = dict[str, Any]


def action_space(actions: ActionSpec, limits: Limits) -> spaces.Discrete | spaces.Box:
    """One number for each candidate that the largest graph has; a Box [n, columns] where actions are continuous."""
    if actions.continuous:
        return spaces.Box(-1, 1, (limits.nodes, actions.blocks[0].columns), np.float32)
    return spaces.Discrete(limits.actions)


def observation_space(schema: Schema, limits: Limits, mode: Mode) -> spaces.Dict:
    """What `observations` gives in that mode."""
    return _padded_space(schema, limits) if mode == "padded" else _graph_space(schema, limits)


def observations(arrays: Mapping[str, Tensor], schema: Schema, limits: Limits, mode: Mode) -> list[Observation]:
    """An observation for each graph of packed `arrays`."""
    if mode == "padded":
        batch = padded(arrays, limits)
        return [{key: values[row] for key, values in batch.items()} for row in range(len(batch["num_nodes"]))]
    return _graph_observations(arrays, schema, limits)


def padded(arrays: Mapping[str, Tensor], limits: Limits) -> dict[str, np.ndarray]:
    """Padded arrays [B, ...] as NumPy has them; masks are int8, as other libraries expect."""
    batch = {key: values.numpy() for key, values in pad(arrays, limits).items()}
    return {**batch, "action_mask": batch["action_mask"].view(np.int8)}


def _padded_space(schema: Schema, limits: Limits) -> spaces.Dict:
    widths = schema.widths
    rows = {"nodes": (limits.nodes,), "edges": (limits.edges,), "graphs": ()}
    entries: dict[str, spaces.Space[Any]] = {
        table: spaces.Box(-np.inf, np.inf, (*rows[table], width), np.float32)
        for table, width in widths.items()
        if width
    }
    entries["edge_index"] = spaces.Box(0, limits.nodes - 1, (limits.edges, 2), np.int64)
    if schema.has_reverse:
        entries["reverse"] = spaces.Box(0, limits.edges - 1, (limits.edges,), np.int64)
    entries["num_nodes"] = spaces.Box(0, limits.nodes, (1,), np.int64)
    entries["num_edges"] = spaces.Box(0, limits.edges, (1,), np.int64)
    entries["num_actions"] = spaces.Box(0, limits.actions, (1,), np.int64)
    entries["action_mask"] = spaces.MultiBinary(limits.actions)
    return spaces.Dict(entries)


def _graph_space(schema: Schema, limits: Limits) -> spaces.Dict:
    widths = schema.widths
    node_space = spaces.Box(-np.inf, np.inf, (widths["nodes"],), np.float32)
    # Gymnasium's Graph has no links without edge features: where there are none, there is one that is always 1.
    edge_space = spaces.Box(-np.inf, np.inf, (max(widths["edges"], 1),), np.float32)
    entries: dict[str, spaces.Space[Any]] = {"graph": spaces.Graph(node_space, edge_space)}
    if widths["graphs"]:
        entries["graphs"] = spaces.Box(-np.inf, np.inf, (widths["graphs"],), np.float32)
    entries["action_mask"] = spaces.MultiBinary(limits.actions)
    return spaces.Dict(entries)


def _graph_observations(arrays: Mapping[str, Tensor], schema: Schema, limits: Limits) -> list[Observation]:
    values = {key: tensor.numpy() for key, tensor in arrays.items()}
    edges = values.get("edges", np.ones((len(values["edge_index"]), 1), np.float32))
    node_ends, edge_ends = np.cumsum(values["num_nodes"])[:-1], np.cumsum(values["num_edges"])[:-1]
    masks = pad({key: arrays[key] for key in ("action_mask", "num_actions")}, limits)["action_mask"].numpy()
    parts = zip(
        np.split(values["nodes"], node_ends),
        np.split(edges, edge_ends),
        np.split(values["edge_index"], edge_ends),
        masks.view(np.int8),
        strict=True,
    )
    found = [
        {"graph": spaces.GraphInstance(nodes, features, links), "action_mask": mask}
        for nodes, features, links, mask in parts
    ]
    if schema.widths["graphs"]:
        found = [{**one, "graphs": row} for one, row in zip(found, values["graphs"], strict=True)]
    return found
