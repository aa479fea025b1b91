"""Links as people list them: in a matrix, in a list that is filled up, in either orientation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from graphwright.core import GraphError


class Links(NamedTuple):
    """L links of many graphs, graph by graph, in their own order.

    graph, source, target: [L] int64, ends counted inside their graph. number: [L] int64, the environment's own number.
    """

    graph: np.ndarray
    source: np.ndarray
    target: np.ndarray
    number: np.ndarray

    def select(self, rows: np.ndarray) -> Links:
        """The links at `rows`."""
        return Links(*(column[rows] for column in self))

    def check_rows(self, name: str, rows: np.ndarray, undirected: bool) -> None:
        """Raise GraphError unless `rows` [B, e, D] has one row for each of these links of a matrix, in its order."""
        batch, room, _ = rows.shape
        count = np.bincount(self.graph, minlength=batch)
        if (count > room).any():
            graph = int(np.argmax(count > room))
            half = "" if undirected else ", or say undirected=True where each row stands for both directions"
            raise GraphError(
                f"entry {name!r} has room for {room} links, graph {graph} has {count[graph]}; enlarge it{half}"
            )
        filled = (rows != 0).any(2)
        beyond = filled & (np.arange(room) >= count[:, None])
        if beyond.any():
            graph, row = np.argwhere(beyond)[0]
            raise GraphError(
                f"entry {name!r} has values in row {row} of graph {graph}, which has {count[graph]} links; give the "
                "links as edge_index [2, e] in the same order"
            )
        if undirected:
            return
        first = np.arange(room) < (count // 2)[:, None]
        within = np.arange(room) < count[:, None]
        halved = (count >= 4) & (filled == first).all(1) & (count % 2 == 0)
        if halved.any() and within.any():
            raise GraphError(
                f"entry {name!r} has values for half of the links of graph {int(np.argmax(halved))}: say "
                "undirected=True where each row stands for both directions, or give the links as edge_index [2, e]"
            )


def of_matrix(name: str, matrix: np.ndarray, undirected: bool, by_entry: bool, weighted: bool) -> Links:
    """The links of `matrix` [B, n, n], row by row: (u, v) where it is not zero; of undirected graphs, u ≤ v.

    by_entry: whether the number of (u, v) is u · n + v, rather than its place. weighted: whether its numbers are read
    elsewhere. Raises GraphError for numbers that nobody reads, and where an undirected one is not symmetric.
    """
    joined = matrix != 0
    odd = joined & (matrix != 1)
    if not weighted and odd.any():
        raise GraphError(
            f"{name} holds {matrix[odd][0]}, which is neither 0 nor 1; numbers of links are read with "
            f"keys={{'edges': {name!r}}}"
        )
    if undirected and (joined != joined.swapaxes(1, 2)).any():
        raise GraphError(f"{name} is not symmetric, so its links are directed; make it so, or leave out undirected")
    graph, source, target = np.nonzero(np.triu(joined) if undirected else joined)
    number = source * matrix.shape[1] + target if by_entry else np.arange(len(graph)) - np.searchsorted(graph, graph)
    return Links(graph, source, target, number)


def listed(name: str, ends: np.ndarray, counted: np.ndarray | None) -> Links:
    """The links `ends` [B, e, 2] of which there are `counted` [B, e] bool.

    Without it, rows with −1 are padding, and so are (0, 0) at the end.
    """
    if ends.dtype.kind == "f" and (ends != np.floor(ends)).any():
        raise GraphError(f"{name} holds {ends[ends != np.floor(ends)][0]}; the ends of links are whole numbers")
    ends = ends.astype(np.int64)
    if counted is None:
        negative = (ends == -1).any(2)
        blank = negative | (ends == 0).all(2)
        counted = ~negative & np.flip(np.logical_or.accumulate(np.flip(~blank, 1), axis=1), 1)
    graph, number = np.nonzero(counted)
    return Links(graph, ends[graph, number, 0], ends[graph, number, 1], number)


def check_once(links: Links, num_nodes: int) -> Links:
    """`links`, each of which stands for both directions.

    Raises GraphError for a simple graph whose links, two or more, all stand both ways: they would count twice.
    """
    base = num_nodes + 1
    there = (links.graph * base + links.source) * base + links.target
    back = (links.graph * base + links.target) * base + links.source
    plain = links.source != links.target
    different, first, count = np.unique(there[plain], return_index=True, return_counts=True)
    graph, size = links.graph[plain], len(np.bincount(links.graph, minlength=1))
    total, both, more = (
        np.bincount(graph, minlength=size),
        np.bincount(graph, np.isin(there[plain], back[plain]), minlength=size),
        np.bincount(graph[first], count > 1, minlength=size) if different.size else np.zeros(size),
    )
    twice = (total >= 4) & (both == total) & (more == 0)
    if twice.any():
        raise GraphError(
            f"every link of graph {int(np.argmax(twice))} stands in both directions already; leave out undirected, or "
            "list each link once"
        )
    return links


class Orientation:
    """Whether the links of a `GraphInstance` are [L, 2], as Gymnasium has them, or [2, L].

    Two links may be read either way: as Gymnasium says, unless the environment has shown [2, L] before. `read` raises
    GraphError where [2, L] follows two links that were taken for [L, 2].
    """

    def __init__(self) -> None:
        self.is_transposed: bool | None = None
        self.assumed = False

    def read(self, links: np.ndarray | None) -> np.ndarray:
        """[L, 2] int64."""
        links = np.zeros((0, 2)) if links is None else np.asarray(links)
        if not links.size:
            return np.zeros((0, 2), np.int64)
        if links.dtype.kind not in "iu" and (links.dtype.kind != "f" or (links != links.round()).any()):
            raise GraphError(f"edge_links are {links.dtype} and no whole numbers; give the numbers of nodes")
        if links.ndim != 2 or 2 not in links.shape:
            raise GraphError(f"edge_links has shape {links.shape}; give it [L, 2]")
        if links.shape == (2, 2):
            self.assumed |= self.is_transposed is None
            transposed = bool(self.is_transposed)
        else:
            transposed = links.shape[0] == 2
            if transposed and (self.assumed or self.is_transposed is False):
                raise GraphError("edge_links is [2, L] now, and was read as [L, 2] before; give it [L, 2]")
            if not transposed and self.is_transposed:
                raise GraphError("edge_links is [L, 2] now, and was [2, L] before; give it [L, 2]")
            self.is_transposed = transposed
        return (links.T if transposed else links).astype(np.int64)
