"""Gymnasium's spaces for what a `Schema` describes, and observations in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from graphwright.core import ActionSpec
from graphwright.core import Observation as CoreObservation
from graphwright.frameworks.decisions import legal_choices
from graphwright.frameworks.networks import Networks
from graphwright.frameworks.schema import Arrays, Limits, Schema, pad, spread

Mode = Literal["padded", "graph"]
Observation = dict[str, Any]


class GraphDict(spaces.Dict):
    """A Dict that knows what its arrays mean, so that a policy needs nothing else than the spaces.

    networks: what a policy is made of by default.
    """

    def __init__(
        self, entries: dict[str, spaces.Space[Any]], schema: Schema, limits: Limits, networks: Networks
    ) -> None:
        super().__init__(entries)
        self.schema = schema
        self.limits = limits
        self.networks = networks

    def __repr__(self) -> str:
        """The entries by their own `repr`."""
        return f"Dict({', '.join(f'{name!r}: {space!r}' for name, space in self.spaces.items())})"


def action_space(actions: ActionSpec, limits: Limits) -> spaces.Discrete | spaces.MultiDiscrete | spaces.Box:
    """One number for each candidate that the largest graph has.

    Of several decisions a MultiDiscrete [d], one number for each; a Box [d, columns] where actions are continuous.
    """
    if actions.continuous:
        return spaces.Box(-1, 1, (limits.actions, actions.blocks[0].columns), np.float32)
    if not actions.one_per_graph:
        return spaces.MultiDiscrete([limits.choices] * limits.decisions)
    return spaces.Discrete(limits.actions)


def action_masks(actions: ActionSpec, observation: CoreObservation, limits: Limits) -> np.ndarray:
    """[B, k] bool: which numbers of the action space are legal; of several decisions [B, d · c], row by row.

    A decision that may do nothing, or does not exist, has choice 0, which then means nothing.
    """
    if not (actions.one_per_graph or actions.continuous):
        return legal_choices(actions, observation, limits).flatten(1).numpy()
    mask = actions.arrange(observation.graph, observation.masks)
    return spread(mask, actions.graph_segments(observation.graph), limits.actions, False).numpy()


def observation_space(schema: Schema, limits: Limits, mode: Mode, networks: Networks = Networks()) -> GraphDict:  # noqa: B008 - frozen
    """What `observations` gives in that mode."""
    entries = _padded_entries(schema, limits) if mode == "padded" else _graph_entries(schema, limits)
    return GraphDict(entries, schema, limits, networks)


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


def pack_instance(observation: Mapping[str, Any], schema: Schema) -> Arrays:
    """Packed arrays of one observation in the mode "graph"."""
    graph: spaces.GraphInstance = observation["graph"]
    links = np.zeros((0, 2), np.int64) if graph.edge_links is None else graph.edge_links
    arrays = {"nodes": torch.as_tensor(graph.nodes), "edge_index": torch.as_tensor(links)}
    if schema.widths["edges"]:
        arrays["edges"] = torch.as_tensor(graph.edges)
    if schema.has_reverse:
        arrays["reverse"] = _opposites(arrays["edge_index"], len(graph.nodes))
    if "graphs" in observation:
        arrays["graphs"] = torch.as_tensor(observation["graphs"])[None]
    arrays["num_nodes"] = torch.tensor([[len(graph.nodes)]])
    arrays["num_edges"] = torch.tensor([[len(links)]])
    arrays["num_actions"] = schema.count_actions(arrays)
    arrays["action_mask"] = torch.as_tensor(observation["action_mask"])[: int(arrays["num_actions"])].bool()
    return arrays


def _opposites(edge_index: Tensor, num_nodes: int) -> Tensor:
    """[E] int64: the row of each edge's opposite, of the edges [E, 2] of one undirected simple graph."""
    source, destination = edge_index.unbind(1)
    key, opposite = source * num_nodes + destination, destination * num_nodes + source
    sorted_key, order = key.sort()
    return order[torch.searchsorted(sorted_key, opposite)]


def _padded_entries(schema: Schema, limits: Limits) -> dict[str, spaces.Space[Any]]:
    widths = schema.widths
    rows = {"nodes": (limits.nodes,), "edges": (limits.edges,), "graphs": ()}
    entries: dict[str, spaces.Space[Any]] = {
        table: spaces.Box(-np.inf, np.inf, (*rows[table], width), np.float32)
        for table, width in widths.items()
        if width
    }
    entries["edge_index"] = spaces.Box(0, limits.nodes - 1, (limits.edges, 2), np.int64)
    if schema.has_reverse and limits.undirected:
        entries["reverse"] = spaces.Box(0, limits.edges - 1, (limits.edges,), np.int64)
    entries["num_nodes"] = spaces.Box(0, limits.nodes, (1,), np.int64)
    entries["num_edges"] = spaces.Box(0, limits.edges, (1,), np.int64)
    entries["num_actions"] = spaces.Box(0, limits.actions, (1,), np.int64)
    entries["action_mask"] = spaces.MultiBinary(limits.actions)
    return entries


def _graph_entries(schema: Schema, limits: Limits) -> dict[str, spaces.Space[Any]]:
    widths = schema.widths
    node_space = spaces.Box(-np.inf, np.inf, (widths["nodes"],), np.float32)
    # Gymnasium's Graph has no links without edge features: where there are none, there is one that is always 1.
    edge_space = spaces.Box(-np.inf, np.inf, (max(widths["edges"], 1),), np.float32)
    entries: dict[str, spaces.Space[Any]] = {"graph": spaces.Graph(node_space, edge_space)}
    if widths["graphs"]:
        entries["graphs"] = spaces.Box(-np.inf, np.inf, (widths["graphs"],), np.float32)
    entries["action_mask"] = spaces.MultiBinary(limits.actions)
    return entries


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
