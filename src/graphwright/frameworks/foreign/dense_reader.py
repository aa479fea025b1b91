"""`DenseReader`: graphs in arrays of fixed rows, many at once, without their padding.

B graphs, n rows of nodes, e rows of links (`DenseLayout`); N nodes, L links, K candidates that there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces

from graphwright.core import ActionBlock, ActionSpec, Features, GraphError
from graphwright.core.rows import AT, DECIDERS, EDGES, GRAPHS, NODES, RowKind
from graphwright.frameworks.foreign.arrays import check_finite, flat_rows, read_mask, refuse_ends
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
        self.by_entry = layout.num_links is None and num_actions == self._most(size * size)
        links = size * size if self.by_entry else layout.num_links
        self.room = tuple(self._room(block, links) for block in actions.blocks)
        if None in self.room[:-1]:
            raise GraphError(
                "the rows of links are not counted, so name the actions tied to them last in the ActionSpec"
            )

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
    def num_actions(self) -> int | None:
        """How many actions an environment with these arrays has; None where rows are not counted."""
        if None in self.room:
            return None
        return sum(room * block.columns for room, block in zip(self.room, self.actions.blocks, strict=True) if room)

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
        packed["mask"] = self._own_mask(mask, graph, row, links, at)
        packed["num_nodes"] = exists.sum(1)
        packed["num_links"] = np.bincount(links.graph, minlength=len(nodes))
        return packed

    @cached_property
    def _names(self) -> list[str]:
        """The entries that are read."""
        at = [AT] if self.has_at else []
        roles = [name for role, names in self.layout.roles.items() if role != "graphs" for name in names]
        return list(dict.fromkeys([*roles, *self.vectors, *at]))

    def _most(self, links: int) -> int:
        return sum((self._room(block, links) or 0) * block.columns for block in self.actions.blocks)

    def _room(self, block: ActionBlock, links: int | None) -> int | None:
        kind = self._kind(block)
        return {NODES: self.layout.num_nodes, EDGES: links, GRAPHS: 1}.get(kind)

    def _kind(self, block: ActionBlock) -> RowKind:
        return self.actions.decider if block.rows == DECIDERS else block.rows

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
        tied = [place for place, block in enumerate(self.actions.blocks) if self._kind(block) == NODES]
        if mask is not None:
            for place in tied:
                used |= self._part(mask, place).any(2)
        used[:, 0] = True
        exists = np.flip(np.logical_or.accumulate(np.flip(used, 1), axis=1), 1)
        if mask is None and tied and self.padded is None and not exists.all():
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

    def _part(self, mask: np.ndarray, place: int) -> np.ndarray:
        """[B, rows, columns]: the mask of one block."""
        rooms = [(room or 0) * block.columns for room, block in zip(self.room, self.actions.blocks, strict=True)]
        start, columns = sum(rooms[:place]), self.actions.blocks[place].columns
        if mask.shape[1] < start + rooms[place]:
            most = self.num_actions or start + rooms[place]
            raise GraphError(f"the action mask has {mask.shape[1]} entries, but there is room for {most} candidates")
        columns = 1 if self.actions.continuous else columns
        stop = start + (self.room[place] or 0) * columns
        return mask[:, start:stop].reshape(len(mask), -1, columns)

    def _own_mask(
        self, mask: np.ndarray | None, graph: np.ndarray, row: np.ndarray, links: Links, at: np.ndarray | None
    ) -> np.ndarray:
        """[K] bool, graph by graph, the blocks in the order of the spec."""
        graphs, numbers = self._candidates(graph, row, links, at)
        order = np.argsort(graphs, kind="stable")
        graphs, numbers = graphs[order], numbers[order]
        if mask is None:
            return np.ones(len(graphs), bool)
        if numbers.size and numbers.max() >= mask.shape[1]:
            raise GraphError(f"the action mask has {mask.shape[1]} entries, but candidates go up to {numbers.max()}")
        beyond = mask.copy()
        beyond[graphs, numbers] = False
        if beyond.any():
            one, action = np.argwhere(beyond)[0]
            raise GraphError(
                f"the action mask allows action {action} of graph {one}, which is tied to no node or link of it; make "
                "it False, or name what it does in the ActionSpec"
            )
        return mask[graphs, numbers]

    def _candidates(
        self, graph: np.ndarray, row: np.ndarray, links: Links, at: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The graph and the environment's own number of each candidate, one block after the other."""
        graphs, numbers, start = [], [], 0
        for block, room in zip(self.actions.blocks, self.room, strict=True):
            kind, columns = self._kind(block), 1 if self.actions.continuous else block.columns
            if kind == NODES:
                owner, own = graph, row
            elif kind == EDGES:
                owner, own = links.graph, links.number
            elif kind == GRAPHS:
                owner = np.arange(graph.max() + 1 if graph.size else 0)
                own = np.zeros_like(owner)
            else:
                assert at is not None
                leaves = links.source == at[links.graph]
                leaves |= self.undirected & (links.target == at[links.graph])
                owner = links.graph[leaves]
                own = np.arange(len(owner)) - np.searchsorted(owner, owner)
            graphs.append(np.repeat(owner, columns))
            numbers.append((start + own[:, None] * columns + np.arange(columns)).reshape(-1))
            start += (room or 0) * columns
        return np.concatenate(graphs), np.concatenate(numbers)
