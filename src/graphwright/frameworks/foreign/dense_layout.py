"""What the entries of a `Dict` of arrays with fixed rows mean: by their names, or as the user says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from gymnasium import Space, spaces

from graphwright.core import GraphError

Keys = Mapping[str, str | Sequence[str] | np.ndarray]
"""Role → the entry or entries that play it; of "links" and "adjacency" also an array that never changes."""

NAMES: dict[str, tuple[str, ...]] = {
    "nodes": ("node_features", "x", "feat", "nodes", "node_feat", "node_attr"),
    "adjacency": ("adjacency_matrix", "adjacency", "adj", "adj_matrix"),
    "links": ("edge_index", "edge_links", "edge_list"),
    "edges": ("edge_features", "edge_attr", "edge_feat", "edges", "edge_weight"),
    "num_nodes": ("num_nodes", "n_nodes"),
    "num_edges": ("num_edges", "n_edges"),
    "node_mask": ("node_mask",),
    "edge_mask": ("edge_mask",),
    "action_mask": ("action_mask", "action_masks"),
}
"""Role → the names by which its entries are known."""
FORMS = (
    "read as graphs are: a spaces.Graph; a Dict or Tuple with one in it; a Dict of node_features (x, feat, nodes) "
    "[n, F] with adjacency_matrix (adjacency, adj) [n, n] or edge_index [2, e] (edge_links [e, 2]); where actions are "
    "tied to the graph alone, any vector. For other names give keys={'nodes': NAME, 'links': NAME}"
)
ENTRY = "observation"
"""What `keys` call the one entry of an observation that is no `Dict`."""
_SEVERAL = ("nodes", "edges", "graphs")
_TOLD_OTHERWISE = ("num_actions", "reverse")  # of the padded observations of `frameworks.schema`


@dataclass(frozen=True, eq=False)
class DenseLayout:
    """Graphs in arrays of fixed rows: n nodes, and links as a matrix [n, n] or as a list of e.

    roles: role → the entries that play it; vectors: the other entries, which are columns of the graph. constants: what
    `keys` gave as arrays. spaces: of all entries.
    """

    roles: Mapping[str, tuple[str, ...]]
    vectors: Mapping[str, Space]
    constants: Mapping[str, np.ndarray]
    spaces: Mapping[str, Space]

    @cached_property
    def num_nodes(self) -> int:
        """n, with the rows of padding."""
        return self._shape(self.roles["nodes"][0])[0]

    @cached_property
    def num_links(self) -> int | None:
        """e, with the rows of padding; None where links are the entries of a matrix and no array has a row for each."""
        if self.has_list:
            return max(self._links_shape)
        rows = [self._shape(name)[0] for name in self.roles["edges"] if not self.is_by_entry(name)]
        return min(rows) if rows else None

    @cached_property
    def has_list(self) -> bool:
        """Whether links are listed, rather than entries of a matrix."""
        return "links" in self.roles or "links" in self.constants

    @cached_property
    def has_links(self) -> bool:
        """Whether there are links at all."""
        return self.has_list or "adjacency" in self.roles or "adjacency" in self.constants

    @cached_property
    def is_transposed(self) -> bool:
        """Whether links are [2, e]; PyG's name decides for two links."""
        rows, columns = self._links_shape
        return rows == 2 and (columns != 2 or "edge_index" in self.roles.get("links", ("edge_index",)))

    def is_by_entry(self, name: str) -> bool:
        """Whether its edge values stand where the matrix has its links: [n, n], [n, n, D] or [n · n, D]."""
        shape, size = self._shape(name), self.num_nodes
        return not self.has_list and (shape[:2] == (size, size) or shape[0] == size * size)

    def width(self, role: str) -> int:
        """Numbers of one node or one edge."""
        total = 0
        for name in self.roles[role]:
            shape = self._shape(name)
            rows = 2 if role == "edges" and self.is_by_entry(name) and shape[:2] == (self.num_nodes,) * 2 else 1
            total += int(np.prod(shape[rows:], dtype=int))
        return total

    @cached_property
    def _links_shape(self) -> tuple[int, ...]:
        return self.constants["links"].shape if "links" in self.constants else self._shape(self.roles["links"][0])

    def _shape(self, name: str) -> tuple[int, ...]:
        return self.spaces[name].shape or ()


def find_layout(parts: Mapping[str, Space], keys: Keys | None) -> DenseLayout | None:
    """The layout of a `Dict` of `parts`; None where it is not known as a graph.

    Raises GraphError, naming the entry, where roles are ambiguous or shapes do not fit.
    """
    roles, constants = _find_roles(parts, dict(keys or {}))
    linked = "adjacency" in roles or "links" in roles or constants
    if "nodes" not in roles or not (linked or (keys and "nodes" in keys)):
        return None
    if ("adjacency" in roles or "adjacency" in constants) and ("links" in roles or "links" in constants):
        both = (*roles.get("adjacency", ()), *roles.get("links", ()))
        raise GraphError(
            f"both {' and '.join(map(repr, both))} hold links; say which with keys={{'links': NAME}} or 'adjacency'"
        )
    taken = {name for names in roles.values() for name in names}
    dropped = {*_TOLD_OTHERWISE, *NAMES["adjacency"], *NAMES["links"]}
    vectors = {
        name: part
        for name, part in parts.items()
        if name in roles["graphs"] or (name not in taken and name not in dropped)
    }
    layout = DenseLayout(roles, vectors, constants, parts)
    _check_shapes(layout)
    return layout


def _find_roles(
    parts: Mapping[str, Space], keys: dict[str, str | Sequence[str] | np.ndarray]
) -> tuple[dict[str, tuple[str, ...]], dict[str, np.ndarray]]:
    """The entries of each role, and the arrays that `keys` hold."""
    for role, given in keys.items():
        if role not in (*NAMES, "graphs"):
            raise GraphError(f"keys: there is no role {role!r}; roles are {', '.join((*NAMES, 'graphs'))}")
        names = [given] if isinstance(given, str) else [] if isinstance(given, np.ndarray) else given
        for name in names:
            if name not in parts:
                raise GraphError(f"keys: the observation has no entry {name!r}; it has {', '.join(map(repr, parts))}")
    constants = {role: given for role, given in keys.items() if isinstance(given, np.ndarray)}
    roles: dict[str, tuple[str, ...]] = {"edges": (), "graphs": ()}
    for role, given in keys.items():
        if not isinstance(given, np.ndarray):
            roles[role] = (given,) if isinstance(given, str) else tuple(given)
    taken = {name for names in roles.values() for name in names}
    linked = {"links", "adjacency"} & keys.keys()
    for role, names in NAMES.items():
        if role in keys or (role in ("links", "adjacency") and linked):
            continue
        others = taken - {*roles["edges"]} if role in ("links", "adjacency") else taken  # a matrix may hold values too
        found = tuple(name for name in names if name in parts and name not in others)
        if len(found) > 1 and role not in _SEVERAL:
            raise GraphError(
                f"{' and '.join(map(repr, found))} both look like {role}; say which with keys={{{role!r}: NAME}}"
            )
        if found or role == "edges":
            roles[role] = found
    return roles, constants


def _check_shapes(layout: DenseLayout) -> None:
    """Raise GraphError for entries whose shapes do not fit together, and for such as look like rows of a table."""
    for role in ("nodes", "adjacency", "links", "edges"):
        for name in layout.roles.get(role, ()):
            if not layout._shape(name):
                raise GraphError(f"entry {name!r}, {layout.spaces[name]}, has no rows; {role} need an array")
    size = layout.num_nodes
    for name in layout.roles["nodes"]:
        if layout._shape(name)[0] != size:
            raise GraphError(f"entry {name!r} has {layout._shape(name)[0]} rows, {layout.roles['nodes'][0]!r} {size}")
    matrix = layout.constants.get("adjacency")
    shapes = {name: layout._shape(name) for name in layout.roles.get("adjacency", ())}
    for name, shape in {**shapes, **({"adjacency": matrix.shape} if matrix is not None else {})}.items():
        if shape != (size, size):
            raise GraphError(f"entry {name!r} has shape {shape}, but there are {size} rows of nodes; give it [n, n]")
    if layout.has_list and (len(layout._links_shape) != 2 or 2 not in layout._links_shape):
        raise GraphError(f"links have shape {layout._links_shape}; give them [2, e] or [e, 2]")
    rows = layout.num_links
    for name in layout.roles["edges"]:
        shape = layout._shape(name)
        if layout.has_list and shape[0] != rows:
            raise GraphError(f"entry {name!r} has {shape[0]} rows, but there is room for {rows} links")
    for name, part in layout.vectors.items():
        shape = part.shape or ()
        looks = (size > 1 and shape[:1] == (size,)) or (layout.has_list and rows and shape[:1] == (rows,))
        if name not in layout.roles["graphs"] and looks and not isinstance(part, spaces.MultiDiscrete):
            raise GraphError(
                f"entry {name!r} has a row for each node or link; say what it is with keys={{'nodes': [..., {name!r}]}}"
                f", or 'edges', 'action_mask', 'node_mask', or 'graphs' if its numbers belong to the graph as a whole"
            )
        if not part.is_np_flattenable:
            raise GraphError(f"entry {name!r} of the observation, {part}, is no vector; wrap the environment")
