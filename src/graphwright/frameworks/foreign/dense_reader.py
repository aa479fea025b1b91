"""`DenseReader`: graphs in arrays of fixed rows, many at once, without their padding.

B graphs, n rows of nodes, e rows of links (`DenseLayout`); N nodes, L links, K candidates that there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces

from graphwright.core import ActionSpec, Features, GraphError
from graphwright.core.rows import AT
from graphwright.frameworks.foreign.arrays import check_finite, flat_rows, read_mask, refuse_ends
from graphwright.frameworks.foreign.dense_actions import DenseActions
from graphwright.frameworks.foreign.dense_layout import DenseLayout
from graphwright.frameworks.foreign.links import Links, check_once, listed, of_matrix

Arrays = dict[str, np.ndarray]


class DenseReader:
    """Turns the arrays of a `Dict` into packed ones, with the columns `place` and `link`: their rows in the arrays.

    A row is a node where `num_nodes` or `node_mask` says so. Without them, rows at the end are padding where they are
    zero, nothing is linked to them and none of their actions is legal; padded=False: every row is a node.
    num_actions: of the action space, where that is one number.
    """

    def __init__(
        self,
        layout: DenseLayout,
        actions: ActionSpec,
        undirected: bool = False,
        padded: bool | None = None,
        num_actions: int | None = None,
    ) -> None:
        self.layout, self.actions, self.undirected, self.padded = layout, actions, undirected, padded
        self.has_at = AT in actions.columns.values()
        self.vectors = {name: part for name, part in layout.vectors.items() if not (self.has_at and name == AT)}
        if self.has_at and AT not in layout.spaces:
            raise GraphError(f"actions tied to neighbours need {AT!r} in the observation: the node of the agent")
        size = layout.num_nodes
        entries = DenseActions(actions, size, size * size, undirected)
        self.by_entry = layout.num_links is None and num_actions == entries.counted
        own = entries if self.by_entry else DenseActions(actions, size, layout.num_links, undirected)
        own.require_places()
        self.candidates = own

    @property
    def features(self) -> Features:
        """The columns that a network reads."""
        edges = self.layout.width("edges")
        return Features(
            nodes={"x": self.layout.width("nodes")},
            edges={"x": edges} if edges else {},
            graphs={name: spaces.flatdim(part) for name, part in self.vectors.items()},
        )

    @property
    def room(self) -> tuple[int | None, ...]:
        """The rows of each block of actions; None where they are not counted."""
        return self.candidates.room

    @property
    def num_actions(self) -> int | None:
        """How many actions an environment with these arrays has; None where rows are not counted."""
        return self.candidates.num_actions

    def read(self, values: Mapping[str, Any], mask: np.ndarray | None = None) -> Arrays:
        """The packed arrays of [B, ...] `values`; `mask` [B, k], by default that in `values`.

        Raises GraphError, naming the entry and the graph, for values that do not fit.
        """
        arrays = {name: np.asarray(values[name]) for name in self._names if name in values}
        for name in self._names:
            if name not in arrays and name not in self.layout.roles.get("action_mask", ()):
                raise GraphError(f"the observation has no entry {name!r}, which its space declares; it has {[*values]}")
        nodes = self._rows(arrays, "nodes")
        mask = self._mask(arrays, len(nodes)) if mask is None else read_mask(np.reshape(mask, (len(nodes), -1)))
        links = self._links(arrays, len(nodes))
        exists = self._exists(arrays, nodes, links, mask)
        links = self._inside(links, exists)
        number = np.cumsum(exists, axis=1) - 1
        graph, row = np.nonzero(exists)
        packed = {"nodes.x": nodes[graph, row]}
        if "node_mask" in self.layout.roles:  # otherwise the nodes are the first rows
            packed["nodes.place"] = row
        packed["links"] = np.stack([number[links.graph, links.source], number[links.graph, links.target]], axis=1)
        packed["edges.link"] = links.number
        if self.layout.roles["edges"]:
            packed["edges.x"] = self._edge_values(arrays, links)
        packed |= {f"graphs.{name}": flat_rows(part, arrays[name], len(nodes)) for name, part in self.vectors.items()}
        at = None
        if self.has_at:
            at = arrays[AT].reshape(len(nodes)).astype(np.int64)
            if ((at < 0) | (at >= exists.shape[1])).any() or not exists[np.arange(len(at)), at].all():
                raise GraphError(f"entry {AT!r} names a node that does not exist, {at.tolist()}")
            packed[f"graphs.{AT}"] = number[np.arange(len(at)), at]
        check_finite(packed)
        packed["mask"] = self.candidates.legal(mask, graph, row, links, at)
        packed["num_nodes"] = exists.sum(1)
        packed["num_links"] = np.bincount(links.graph, minlength=len(nodes))
        return packed

    @cached_property
    def _names(self) -> list[str]:
        """The entries that are read."""
        at = [AT] if self.has_at else []
        roles = [name for role, names in self.layout.roles.items() if role != "graphs" for name in names]
        return list(dict.fromkeys([*roles, *self.vectors, *at]))

    def _rows(self, arrays: Arrays, role: str) -> np.ndarray:
        """[B, rows, columns] float32: the entries of a role side by side."""
        parts = []
        for name in self.layout.roles[role]:
            own = self.layout.spaces[name].shape or ()
            value = arrays[name]
            if value.ndim == 0 or value.shape[1:] != own:
                raise GraphError(f"entry {name!r} has shape {value.shape[1:]}, its space {own}; let them agree")
            parts.append(value.reshape(len(value), own[0], -1).astype(np.float32))
        return np.concatenate(parts, axis=2)

    def _links(self, arrays: Arrays, count: int) -> Links:
        layout = self.layout
        if not layout.has_links:
            nothing = np.zeros(0, np.int64)
            return Links(nothing, nothing, nothing, nothing)
        role = "links" if layout.has_list else "adjacency"
        name = layout.roles.get(role, (role,))[0]
        value = layout.constants[role][None] if role in layout.constants else arrays[name]
        shape = layout.constants[role].shape if role in layout.constants else layout.spaces[name].shape
        if value.shape[1:] != shape:
            raise GraphError(f"entry {name!r} has shape {value.shape[1:]}, its space {shape}; let them agree")
        if role in layout.constants:
            value = np.broadcast_to(value, (count, *value.shape[1:]))
        if not layout.has_list:
            return of_matrix(name, value, self.undirected, self.by_entry, weighted=name in layout.roles["edges"])
        ends = value.swapaxes(1, 2) if layout.is_transposed else value
        links = listed(name, ends, self._counted(arrays, "num_edges", "edge_mask", ends.shape[1]))
        both, size = np.stack([links.source, links.target]), np.full(len(links.graph), layout.num_nodes)
        refuse_ends(both, np.any((both < 0) | (both >= size), axis=0), size)
        return check_once(links, layout.num_nodes) if self.undirected else links

    def _counted(self, arrays: Arrays, count: str, mask: str, size: int) -> np.ndarray | None:
        """[B, size] bool: which rows there are, as their number or their mask says; None where neither is there."""
        if mask in self.layout.roles:
            (name,) = self.layout.roles[mask]
            return arrays[name].reshape(len(arrays[name]), -1) != 0
        if count in self.layout.roles:
            (name,) = self.layout.roles[count]
            given = arrays[name].reshape(len(arrays[name]), -1)[:, :1].astype(np.int64)
            if (given < 0).any() or (given > size).any():
                raise GraphError(f"entry {name!r} is {given[:, 0].tolist()}, but there is room for {size} rows")
            return np.arange(size) < given
        return None

    def _exists(self, arrays: Arrays, nodes: np.ndarray, links: Links, mask: np.ndarray | None) -> np.ndarray:
        """[B, n] bool: which rows are nodes."""
        size = nodes.shape[1]
        counted = self._counted(arrays, "num_nodes", "node_mask", size)
        if counted is not None:
            return counted
        if self.padded is False:
            return np.ones(nodes.shape[:2], bool)
        used = (nodes != 0).any(2)
        joins = links.source != links.target  # a matrix may have ones on all of its diagonal
        for ends in (links.source, links.target):
            used[links.graph[joins], ends[joins]] = True
        if mask is not None:
            used |= self.candidates.of_nodes(mask, size)
        used[:, 0] = True
        exists = np.flip(np.logical_or.accumulate(np.flip(used, 1), axis=1), 1)
        if mask is None and self.candidates.tied_to_nodes and self.padded is None and not exists.all():
            graph, row = np.argwhere(~exists)[0]
            raise GraphError(
                f"rows from {row} on of {self.layout.roles['nodes'][0]!r} in graph {graph} are zero and without links: "
                "nodes or padding? Give the observation 'num_nodes', 'node_mask' or 'action_masks', or say padded=True "
                "or padded=False"
            )
        return exists

    def _inside(self, links: Links, exists: np.ndarray) -> Links:
        """The links of nodes that exist. Raises GraphError for a listed one of others."""
        ends = np.stack([links.source, links.target])
        wrong = ~exists[links.graph, ends].all(0)
        if not self.layout.has_list:
            return links.select(~wrong)
        refuse_ends(ends, wrong, exists.sum(1)[links.graph])
        return links

    def _edge_values(self, arrays: Arrays, links: Links) -> np.ndarray:
        """[L, D] float32."""
        parts = []
        for name in self.layout.roles["edges"]:
            shape, value = self.layout.spaces[name].shape or (), arrays[name]
            if value.shape[1:] != shape:
                raise GraphError(f"entry {name!r} has shape {value.shape[1:]}, its space {shape}; let them agree")
            if self.layout.is_by_entry(name):
                size = self.layout.num_nodes
                rows = value.reshape(len(value), size * size, -1)
                parts.append(rows[links.graph, links.source * size + links.target])
            else:
                rows = value.reshape(len(value), shape[0], -1)
                if not self.layout.has_list:
                    links.check_rows(name, rows, self.undirected)
                parts.append(rows[links.graph, links.number])
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _mask(self, arrays: Arrays, count: int) -> np.ndarray | None:
        """[B, k] bool, from the observation itself."""
        for name in self.layout.roles.get("action_mask", ()):
            if name in arrays:
                return read_mask(arrays[name].reshape(count, -1))
        return None
