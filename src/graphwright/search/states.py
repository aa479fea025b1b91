"""The states at the nodes of search trees: what steps change of them, or whole graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments


class StoredStates(Protocol):
    """Of each of B games a state for each simulation, the root being that of number 0."""

    def put(self, number: int, games: Tensor, states: GraphBatch) -> None:
        """Keep the `states` that simulation `number` has added to `games` [A], ascending."""

    def get(self, numbers: Tensor, games: Tensor) -> GraphBatch:
        """The states of simulations `numbers` [A] of `games` [A], ascending."""


class ChangedColumns(StoredStates):
    """States that differ in their columns only: those that steps change, for all simulations in one tensor each.

    Which columns of nodes and edges these are is what the first step shows, which is one of all games: it hands on the
    others as they are, the very same tensors.
    """

    def __init__(self, roots: GraphBatch, capacity: int) -> None:
        self.roots = roots
        self.capacity = capacity
        self.tables: dict[str, dict[str, Tensor]] = {}
        self.segments: Mapping[str, Segments] = {
            "nodes": roots.node_segments,
            "edges": roots.edge_segments,
            "graphs": Segments(torch.arange(roots.num_graphs + 1, device=roots.device)),
        }

    @override
    def put(self, number: int, games: Tensor, states: GraphBatch) -> None:
        if not self.tables:
            self.tables = {name: self._changed(name, states) for name in self.segments}
        for name, columns in self.tables.items():
            for key, column in columns.items():
                value = getattr(states, name)[key]
                if games.numel() == self.roots.num_graphs:
                    column[number] = value
                else:
                    column[number, self.segments[name].select(games)[1]] = value

    @override
    def get(self, numbers: Tensor, games: Tensor) -> GraphBatch:
        everything = games.numel() == self.roots.num_graphs
        base = self.roots if everything else self.roots.select(games)
        if not self.tables:
            return base
        found: dict[str, dict[str, Tensor]] = {}
        for name, columns in self.tables.items():
            if everything:
                groups = self.segments[name]
                rows = torch.arange(groups.num_rows, device=numbers.device)
            else:
                groups, rows = self.segments[name].select(games)
            place = numbers[groups.index]
            found[name] = {key: column[place, rows] for key, column in columns.items()}
        return base.with_nodes(**found["nodes"]).with_edges(**found["edges"]).with_graphs(**found["graphs"])

    def _changed(self, name: str, states: GraphBatch) -> dict[str, Tensor]:
        before, after = getattr(self.roots, name), getattr(states, name)
        names = [key for key in after if name == "graphs" or after[key] is not before[key]]
        tables = {}
        for key in names:
            tables[key] = after[key].new_zeros(self.capacity, *after[key].shape)
            tables[key][0] = before[key]
        return tables


class WholeGraphStates(StoredStates):
    """States whose graphs differ too, as they are."""

    def __init__(self, roots: GraphBatch, capacity: int) -> None:
        self.parts: dict[int, GraphBatch] = {0: roots}
        self.row = torch.zeros(capacity, roots.num_graphs, dtype=torch.int64, device=roots.device)
        self.row[0] = torch.arange(roots.num_graphs, device=roots.device)

    @override
    def put(self, number: int, games: Tensor, states: GraphBatch) -> None:
        self.parts[number] = states
        self.row[number, games] = torch.arange(games.numel(), device=games.device)

    @override
    def get(self, numbers: Tensor, games: Tensor) -> GraphBatch:
        found, places = [], []
        for number in numbers.unique().tolist():
            here = (numbers == number).nonzero().squeeze(1)
            found.append(self.parts[number].select(self.row[number, games[here]]))
            places.append(here)
        return GraphBatch.concat(found).select(torch.argsort(torch.cat(places)))
