"""Reading: one observation of a foreign environment → plain arrays, whatever form its graph comes in.

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
from graphwright.core.rows import AT, Sizes
from graphwright.frameworks.foreign.forms import (
    ADJACENCY,
    COUNT,
    EDGES,
    NODES,
    Form,
    InstanceForm,
    MatrixForm,
    VectorForm,
    flat,
)

Row = dict[str, np.ndarray]
MASK = "action_mask"


class Reader:
    """Observations of `space` as arrays, and the columns that they become.

    actions: what is chosen among. undirected: a link stands for both directions. Raises GraphError where `space` or
    an observation does not hold what is needed.
    """

    def __init__(self, space: Space, actions: ActionSpec, undirected: bool = False) -> None:
        self.actions, self.undirected = actions, undirected
        parts = _parts(space)
        self.form, own = _find_form(parts, undirected)
        self.key = own[0] if len(own) == 1 else None
        vectors = {name: part for name, part in parts.items() if name not in (*own, MASK)}
        self.has_at = any(AT in block.rows.graph_columns for block in actions.blocks)
        if self.has_at and AT not in vectors:
            raise GraphError(f"actions tied to neighbours need {AT!r} in the observation: the node of the agent")
        self.vectors = {name: part for name, part in vectors.items() if not (self.has_at and name == AT)}
        for name, part in self.vectors.items():
            if not part.is_np_flattenable:
                raise GraphError(f"entry {name!r} of the observation, {part}, is no vector; wrap the environment")

    @property
    def features(self) -> Features:
        """The columns that a network reads."""
        nodes, edges = self.form.node_space, self.form.edge_space
        return Features(
            nodes=_width(nodes),
            edges=_width(edges),
            graphs={name: spaces.flatdim(space) for name, space in self.vectors.items()},
            node_types=_num_types(nodes),
            edge_types=_num_types(edges),
        )

    def read(self, observation: Any, mask: Any = None) -> Row:
        """The arrays of one observation; `mask`, or else the one inside it, or else all candidates are legal."""
        parts = _values(observation)
        nodes, edges, links = self.form.take(parts if self.key is None else parts[self.key])
        _check_ends("links", links, len(nodes))
        row = _column("nodes", self.form.node_space, nodes, len(nodes)) | {"links": links}
        row |= _column("edges", self.form.edge_space, edges, len(links))
        row |= {f"graphs.{name}": flat(space, parts[name]) for name, space in self.vectors.items()}
        _check_numbers(row)
        if self.has_at:
            row[f"graphs.{AT}"] = np.reshape(parts[AT], 1).astype(np.int64)
            _check_ends(AT, row[f"graphs.{AT}"], len(nodes))
        return row | {"mask": self._mask(parts.get(MASK) if mask is None else mask, row, len(nodes))}

    def _mask(self, mask: Any, row: Row, num_nodes: int) -> np.ndarray:
        """`mask` over this graph's candidates; what a fixed action space has beyond them is never legal."""
        count = self._num_candidates(row, num_nodes)
        if mask is None:
            return np.ones(count, bool)
        mask = np.asarray(mask).reshape(-1).astype(bool)
        if mask.size < count or mask[count:].any():
            raise GraphError(f"the action mask has {mask.size} entries, but the graph offers {count} candidates")
        return mask[:count]

    def _num_candidates(self, row: Row, num_nodes: int) -> int:
        links, degree = row["links"], 0
        if self.has_at:
            ends = links if self.undirected else links[:, :1]
            degree = int((ends == row[f"graphs.{AT}"]).any(1).sum())
        sizes = Sizes(num_nodes, len(links), degree)
        blocks = self.actions.blocks
        return sum(block.rows.most(sizes) * (1 if block.continuous else block.columns) for block in blocks)


def _find_form(parts: Mapping[str, Space], undirected: bool) -> tuple[Form, tuple[str, ...]]:
    """Where the graph is among the parts of an observation, and which of them it takes up."""
    if {NODES, ADJACENCY} <= parts.keys():
        return MatrixForm(parts, undirected), (NODES, EDGES, ADJACENCY, COUNT)
    graphs = [name for name, part in parts.items() if isinstance(part, spaces.Graph)]
    if len(graphs) > 1:
        raise GraphError(f"the observation holds the graphs {', '.join(graphs)}; wrap it so that it holds one")
    for name, part in parts.items():
        if isinstance(part, spaces.Graph):
            return InstanceForm(part), (name,)
    names = tuple(name for name in parts if name != MASK)
    together = parts[names[0]] if len(names) == 1 else spaces.Dict({name: parts[name] for name in names})
    if not together.is_np_flattenable:
        raise GraphError(f"the observation is {together}; wrap it to be a Graph, or a Dict or Tuple with one in it")
    return VectorForm(together), names


def _parts(space: Space) -> dict[str, Space]:
    """The spaces inside a `Dict` or `Tuple`, which counts its parts; another space alone has no name."""
    if isinstance(space, spaces.Dict):
        return dict(space.spaces)
    if isinstance(space, spaces.Tuple):
        return {str(place): part for place, part in enumerate(space.spaces)}
    return {"": space}


def _values(observation: Any) -> Mapping[str, Any]:
    """The values at the names of `_parts`."""
    if isinstance(observation, Mapping):
        return observation
    if isinstance(observation, tuple) and not isinstance(observation, spaces.GraphInstance):
        return {str(place): part for place, part in enumerate(observation)}
    return {"": observation}


def _num_types(space: Space | None) -> int:
    return int(space.n) if isinstance(space, spaces.Discrete) else 0


def _width(space: Space | None) -> dict[str, int]:
    return {} if space is None or isinstance(space, spaces.Discrete) else {"x": spaces.flatdim(space)}


def _column(table: str, space: Space | None, values: Any, count: int) -> Row:
    """The column of `values`, one for each of the `count` rows of a table; none where the table holds nothing."""
    if space is None:
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


def _check_numbers(row: Row) -> None:
    """One number that is not finite makes all weights so."""
    for name, column in row.items():
        if column.dtype == np.float32 and not np.isfinite(column).all():
            where = int(np.argwhere(~np.isfinite(column))[0, 0])
            raise GraphError(f"column {name!r} holds {column[where].tolist()} in row {where}; make all numbers finite")


def _check_ends(name: str, ends: np.ndarray, num_nodes: int) -> None:
    """Beside other graphs in a batch, a node that does not exist would be one of theirs."""
    if ends.size and not 0 <= ends.min() <= ends.max() < num_nodes:
        raise GraphError(f"{name!r} names nodes {ends.min()} to {ends.max()}, but the graph has {num_nodes}")
