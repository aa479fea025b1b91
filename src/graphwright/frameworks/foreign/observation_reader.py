"""`ObservationReader`: one observation of a foreign environment → plain arrays.

| key | shape | |
|---|---|---|
| nodes.x, nodes.type | [n, F] float32, [n] int64 | numbers of a node; its kind, where its space is `Discrete` |
| links | [L, 2] int64 | source and destination, in the environment's own order |
| edges.x, edges.type | [L, D] float32, [L] int64 | likewise |
| graphs.NAME | [1, G] float32 | a vector beside the graph, under its own name; `graphs.at` [1] int64 |
| mask | [K] bool | the candidates of the `ActionSpec`, in the environment's own order |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from graphwright.core import ActionSpec, Features, GraphError
from graphwright.core.rows import AT, GRAPHS, Sizes
from graphwright.frameworks.foreign.arrays import check_finite, read_mask
from graphwright.frameworks.foreign.dense_layout import ENTRY, FORMS, NAMES, Keys, find_layout
from graphwright.frameworks.foreign.dense_reader import DenseReader
from graphwright.frameworks.foreign.graph_spaces import GraphSpace, InstanceSpace, VectorSpace, flat
from graphwright.frameworks.foreign.links import Links, check_once
from graphwright.workers.env_group import GraphArrays

MASK = "action_mask"
MASKS = NAMES[MASK]


class ObservationReader:
    """Turns observations of `space` into arrays and says which columns these become.

    undirected: a link stands for both directions. keys, padded: what the entries of a `Dict` of arrays mean
    (`dense_layout`), and whether it has rows of padding (`DenseReader`). num_actions: of the action space, where that
    is one number. Raises GraphError where `space` or an observation holds no graph, or not what `actions` need.
    """

    def __init__(
        self,
        space: Space,
        actions: ActionSpec,
        undirected: bool = False,
        *,
        keys: Keys | None = None,
        padded: bool | None = None,
        num_actions: int | None = None,
    ) -> None:
        self.actions, self.undirected, self.keys = actions, undirected, keys
        if not isinstance(space, Space):
            raise GraphError(f"the environment's observation_space is {space!r}; declare one: {FORMS}")
        parts = _parts(space, keys)
        self.has_at = AT in actions.columns.values()
        layout = find_layout(parts, keys)
        self.dense = None if layout is None else DenseReader(layout, actions, undirected, padded, num_actions)
        if self.dense is not None:
            return
        if keys:
            raise GraphError(f"keys={dict(keys)!r} make no graph of the observation space {space}; {FORMS}")
        self.graph_space, own = _find_graph_space(parts, space, actions)
        self.key = own[0] if len(own) == 1 else None
        vectors = {name: part for name, part in parts.items() if name not in (*own, *MASKS)}
        if self.has_at and AT not in vectors:
            raise GraphError(f"actions tied to neighbours need {AT!r} in the observation: the node of the agent")
        self.vectors = {name: part for name, part in vectors.items() if not (self.has_at and name == AT)}
        for name, part in self.vectors.items():
            if not part.is_np_flattenable:
                raise GraphError(f"entry {name!r} of the observation, {part}, is no vector; wrap the environment")

    @property
    def features(self) -> Features:
        """The columns that a network reads."""
        if self.dense is not None:
            return self.dense.features
        nodes, edges = self.graph_space.node_space, self.graph_space.edge_space
        return Features(
            nodes=_width(nodes),
            edges=_width(edges),
            graphs={name: spaces.flatdim(space) for name, space in self.vectors.items()},
            node_types=_num_types(nodes),
            edge_types=_num_types(edges),
        )

    @property
    def room(self) -> tuple[int | None, ...] | None:
        """The rows of each action block that arrays with fixed rows have; None where graphs come as they are."""
        return None if self.dense is None else self.dense.room

    def read(self, observation: Any, mask: Any = None) -> GraphArrays:
        """The arrays of one observation. Without `mask` the one inside it holds, and without either all is legal."""
        parts = _values(observation, self.keys)
        if self.dense is not None:
            batch = {name: np.asarray(value)[None] for name, value in parts.items()}
            packed = self.dense.read(batch, None if mask is None else np.asarray(mask).reshape(1, -1))
            return {name: array for name, array in packed.items() if name not in ("num_nodes", "num_links")}
        for name in (*self.vectors, *([] if self.key is None else [self.key])):
            if name not in parts:
                raise GraphError(f"the observation has no entry {name!r}, which its space declares; it has {[*parts]}")
        nodes, edges, links = self.graph_space.split(parts if self.key is None else parts[self.key])
        _check_ends("links", links, len(nodes))
        if self.undirected:
            check_once(Links(np.zeros(len(links), np.int64), links[:, 0], links[:, 1], links[:, 0]), len(nodes))
        row = _column("nodes", self.graph_space.node_space, nodes, len(nodes)) | {"links": links}
        row |= _column("edges", self.graph_space.edge_space, edges, len(links))
        row |= {f"graphs.{name}": flat(space, parts[name]) for name, space in self.vectors.items()}
        check_finite(row)
        if self.has_at:
            row[f"graphs.{AT}"] = np.reshape(parts[AT], 1).astype(np.int64)
            _check_ends(AT, row[f"graphs.{AT}"], len(nodes))
        return row | {"mask": self._mask(mask_of(parts) if mask is None else mask, row, len(nodes))}

    def _mask(self, mask: Any, row: GraphArrays, num_nodes: int) -> np.ndarray:
        """`mask` over this graph's candidates. Raises GraphError for legal actions beyond them."""
        count = self._num_candidates(row, num_nodes)
        if mask is None:
            return np.ones(count, bool)
        mask = read_mask(np.asarray(mask).reshape(-1))
        if mask.size < count or mask[count:].any():
            raise GraphError(f"the action mask has {mask.size} entries, but the graph offers {count} candidates")
        return mask[:count]

    def _num_candidates(self, row: GraphArrays, num_nodes: int) -> int:
        links, degree = row["links"], 0
        if self.has_at:
            ends = links if self.undirected else links[:, :1]
            degree = int((ends == row[f"graphs.{AT}"]).any(1).sum())
        return self.actions.most(Sizes(num_nodes, len(links), degree))


def mask_of(info: Mapping[str, Any]) -> Any:
    """The action mask in an observation or an info dict, under either name; None where there is none."""
    return next((info[name] for name in MASKS if name in info), None)


def _find_graph_space(
    parts: Mapping[str, Space], space: Space, actions: ActionSpec
) -> tuple[GraphSpace, tuple[str, ...]]:
    """The graph among the parts of an observation, and the names of the parts that make it up."""
    graphs = [name for name, part in parts.items() if isinstance(part, spaces.Graph)]
    if len(graphs) > 1:
        raise GraphError(f"the observation holds the graphs {', '.join(graphs)}; wrap it so that it holds one")
    for name in graphs:
        graph = parts[name]
        assert isinstance(graph, spaces.Graph)
        return InstanceSpace(graph), (name,)
    names = tuple(name for name in parts if name not in MASKS)
    together = parts[names[0]] if len(names) == 1 else spaces.Dict({name: parts[name] for name in names})
    if not together.is_np_flattenable or any(block.rows != GRAPHS for block in actions.blocks):
        raise GraphError(f"the observation space {space} is not known as a graph with nodes or links; {FORMS}")
    return VectorSpace(together), names


def _parts(space: Space, keys: Keys | None) -> dict[str, Space]:
    """The spaces inside a `Dict`, or a `Tuple` by their places; any other space under the name "", or `ENTRY`."""
    if isinstance(space, spaces.Dict):
        return dict(space.spaces)
    if isinstance(space, spaces.Tuple):
        return {str(place): part for place, part in enumerate(space.spaces)}
    return {ENTRY if keys else "": space}


def _values(observation: Any, keys: Keys | None) -> Mapping[str, Any]:
    """The values under the names of `_parts`."""
    if isinstance(observation, Mapping):
        return observation
    if isinstance(observation, tuple) and not isinstance(observation, spaces.GraphInstance):
        return {str(place): part for place, part in enumerate(observation)}
    return {ENTRY if keys else "": observation}


def _num_types(space: Space | None) -> int:
    return int(space.n) if isinstance(space, spaces.Discrete) else 0


def _width(space: Space | None) -> dict[str, int]:
    return {} if space is None or isinstance(space, spaces.Discrete) else {"x": spaces.flatdim(space)}


def _column(table: str, space: Space | None, values: Any, count: int) -> GraphArrays:
    """The column of `values`, one for each of the `count` rows of a table; none where the table holds nothing."""
    if space is None:
        if len(values):
            raise GraphError(f"the observation holds values of {table}, and its space declares none; declare them")
        return {}
    width = 1 if isinstance(space, spaces.Discrete) else spaces.flatdim(space)
    if np.size(values) != count * width:
        raise GraphError(
            f"{table} have values of shape {np.shape(values)}; {count} of them with {width} each are needed"
        )
    if isinstance(space, spaces.Discrete):
        types = np.asarray(values, np.int64).reshape(count) - int(space.start)
        if types.size and not 0 <= types.min() <= types.max() < space.n:
            least, most = types.min() + space.start, types.max() + space.start
            raise GraphError(f"column '{table}.type' holds {least} to {most}, which are not all in {space}")
        return {f"{table}.type": types}
    return {f"{table}.x": np.asarray(values, np.float32).reshape(count, width)}


def _check_ends(name: str, ends: np.ndarray, num_nodes: int) -> None:
    """Raises GraphError for nodes that do not exist: in a batch they would be nodes of another graph."""
    if ends.size and not 0 <= ends.min() <= ends.max() < num_nodes:
        raise GraphError(f"{name!r} names nodes {ends.min()} to {ends.max()}, but the graph has {num_nodes}")
