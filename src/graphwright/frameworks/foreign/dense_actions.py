"""`DenseActions`: which of an environment's numbered actions are those of a graph in fixed rows."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from graphwright.core import ActionBlock, ActionSpec, GraphError
from graphwright.core.rows import DECIDERS, EDGES, GRAPHS, NODES, RowKind
from graphwright.frameworks.foreign.links import Links


class DenseActions:
    """Actions as arrays number them: blocks in the order of the spec, a place for every row, padding too.

    num_nodes, num_links: rows that there are; None where rows of links are not counted. undirected: whether links are
    left from both their ends. B graphs, n rows of nodes, K candidates that there are.
    """

    def __init__(self, actions: ActionSpec, num_nodes: int, num_links: int | None, undirected: bool) -> None:
        self.actions, self.undirected = actions, undirected
        rows = {NODES: num_nodes, EDGES: num_links, GRAPHS: 1}
        self.room = tuple(rows.get(self._kind(block)) for block in actions.blocks)

    def require_places(self) -> None:
        """Raise GraphError where actions come after others whose rows are not counted."""
        if None in self.room[:-1]:
            raise GraphError(
                "the rows of links are not counted, so name the actions tied to them last in the ActionSpec"
            )

    @property
    def num_actions(self) -> int | None:
        """How many there are; None where rows are not counted."""
        return None if None in self.room else self.counted

    @property
    def counted(self) -> int:
        """How many there are on rows that are counted."""
        return sum((room or 0) * block.columns for room, block in zip(self.room, self.actions.blocks, strict=True))

    @cached_property
    def tied_to_nodes(self) -> list[int]:
        """The places of the blocks of nodes."""
        return [place for place, block in enumerate(self.actions.blocks) if self._kind(block) == NODES]

    def of_nodes(self, mask: np.ndarray, size: int) -> np.ndarray:
        """[B, n] bool: which rows of nodes have a legal action. mask: [B, k]; raises GraphError for a short one."""
        legal = np.zeros((len(mask), size), bool)
        for place in self.tied_to_nodes:
            legal |= self._part(mask, place).any(2)
        return legal

    def legal(
        self, mask: np.ndarray | None, graph: np.ndarray, row: np.ndarray, links: Links, at: np.ndarray | None
    ) -> np.ndarray:
        """[K] bool, graph by graph, the blocks in the order of the spec.

        mask: [B, k] bool; None where all is legal. graph, row: [N] of each node. at: [B] the row of the acting node.
        Raises GraphError for a mask that is too short, or allows what is no candidate.
        """
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

    def _kind(self, block: ActionBlock) -> RowKind:
        return self.actions.decider if block.rows == DECIDERS else block.rows

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
