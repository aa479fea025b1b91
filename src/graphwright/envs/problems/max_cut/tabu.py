"""Local search for large cuts: up to the first peak, and tabu search, which goes on from there."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.core.kernels.loops import copy_into

# Numba compiles the legacy generator alone, whose state inside compiled code is its own.
# ruff: noqa: NPY002

_WORK = 4e8
"""Gains that are looked at between two looks at the clock."""


def steepest_ascent(instances: GraphBatch) -> Tensor:
    """The sides [N] bool to which flips of largest gain lead from the empty cut; no further flip has a gain.

    instances: with the edge column `weight` [E] float32. Among equal gains the first node is flipped.
    """
    return _run(_climb, instances)


def tabu_search(instances: GraphBatch, *, restarts: int = 10, flips: int = 20, seed: int = 0) -> Tensor:
    """The sides [N] bool of the largest cut found in each graph.

    Each of `restarts` searches begins with random sides and makes `flips` · n flips in a graph of n nodes: every time
    the largest gain among the nodes that have rested, or that lead to a new best cut; ties are broken at random. After
    its flip a node rests for n / 20 + 7 flips and up to 3 more, but for half the graph's nodes at most (tabu search as
    in Kochenberger et al. 2013, "Solving large scale max cut problems via tabu search", with other numbers).

    instances: with the edge column `weight` [E] float32. The same seed gives the same cut, alone and in a batch.
    """
    return _run(_search, instances, restarts, flips, seed)


def tabu_from(instances: GraphBatch, sides: Tensor, seconds: float, seed: int = 0) -> Tensor:
    """The sides [N] bool of cuts that are no smaller than those of `sides` [N], after `seconds` for each graph.

    Tabu search from there; after 20 n flips it goes on from the best cut with a twentieth of the nodes flipped.
    """
    graph, found = instances.to("cpu"), sides.cpu().clone()
    columns = [graph.in_edges.ptr, graph.edge_index[0].contiguous(), graph.edges["weight"].double()]
    arrays, best = [column.numpy() for column in columns], found.numpy()
    for begin, end in pairwise(graph.node_ptr.tolist()):
        until, turn, count = time.perf_counter() + seconds, 0, end - begin
        flips = flips_at_once(count)
        turns = -(-20 * count // flips)  # until nodes are flipped
        while count and (turn == 0 or time.perf_counter() < until):
            _search_from(begin, *arrays, best[begin:end], flips, turn > 0 and turn % turns == 0, seed + turn)
            turn += 1
    return found.to(instances.device)


def flips_at_once(num_nodes: int) -> int:
    """Flips between two looks at the clock: each looks at all nodes, and 20 n of a large graph would take minutes."""
    return int(min(max(_WORK / max(num_nodes, 1), 1), 20 * max(num_nodes, 1)))


def _run(search, instances: GraphBatch, *options: int) -> Tensor:  # type: ignore[no-untyped-def]
    graph = instances.to("cpu")
    sides = torch.zeros(graph.num_nodes, dtype=torch.bool)
    columns = (graph.node_ptr, graph.in_edges.ptr, graph.edge_index[0].contiguous(), graph.edges["weight"].double())
    search(*(column.numpy() for column in columns), *options, sides.numpy())
    return sides.to(instances.device)


@jit_as_written
def _climb(node_ptr, edge_ptr, source, weight, sides):  # type: ignore[no-untyped-def]
    for graph in range(node_ptr.shape[0] - 1):
        begin, end = node_ptr[graph], node_ptr[graph + 1]
        side = sides[begin:end]
        _, gain = _measure(begin, edge_ptr, source, weight, side)
        while end > begin:
            node, largest = 0, 0.0
            for other in range(gain.size):
                largest = max(largest, abs(gain[other]))
                if gain[other] > gain[node]:
                    node = other
            if gain[node] <= 1e-12 * largest:
                break
            _flip(node, begin, edge_ptr, source, weight, side, gain)


@jit_as_written
def _search(node_ptr, edge_ptr, source, weight, restarts, flips, seed, sides):  # type: ignore[no-untyped-def]
    for graph in range(node_ptr.shape[0] - 1):
        begin, size = node_ptr[graph], node_ptr[graph + 1] - node_ptr[graph]
        np.random.seed(seed)  # a graph is searched in a batch as it is alone
        best = 0.0
        for _ in range(restarts):
            side = np.random.random(size) < 0.5
            cut, found = _one_search(begin, edge_ptr, source, weight, side, flips * size)
            if cut > best:
                best = cut
                copy_into(sides[begin : begin + size], found)


@jit_as_written
def _search_from(begin, edge_ptr, source, weight, best, flips, shake, seed):  # type: ignore[no-untyped-def]
    """Search from `best` [n], which is changed where that finds a larger cut; `shake`: from near it."""
    np.random.seed(seed)
    side = best.copy()
    old, _ = _measure(begin, edge_ptr, source, weight, side)
    if shake:
        for _ in range(side.size // 20 + 1):
            node = np.random.randint(side.size)
            side[node] = not side[node]
    cut, found = _one_search(begin, edge_ptr, source, weight, side, flips)
    if cut > old:
        copy_into(best, found)


@jit_as_written
def _one_search(begin, edge_ptr, source, weight, side, flips):  # type: ignore[no-untyped-def]
    """The largest cut met in `flips` flips from `side`, which is changed, and its sides."""
    size = side.shape[0]
    cut, gain = _measure(begin, edge_ptr, source, weight, side)
    best, found = cut, side.copy()
    rested = np.zeros(size, np.int64)
    for moment in range(flips):
        node = _choose(gain, rested, moment, best - cut)
        cut += gain[node]
        _flip(node, begin, edge_ptr, source, weight, side, gain)
        rested[node] = moment + 1 + min(size // 20 + 7 + np.random.randint(4), size // 2)
        if cut > best:
            best = cut
            copy_into(found, side)
    return best, found


@jit_as_written
def _measure(begin, edge_ptr, source, weight, side):  # type: ignore[no-untyped-def]
    """The weight of the cut, and the gain of flipping each node."""
    gain = np.zeros(side.shape[0])
    cut = 0.0
    for node in range(side.shape[0]):
        for edge in range(edge_ptr[begin + node], edge_ptr[begin + node + 1]):
            apart = side[node] != side[source[edge] - begin]
            gain[node] += -weight[edge] if apart else weight[edge]
            cut += 0.5 * weight[edge] if apart else 0.0
    return cut, gain


@jit_as_written
def _flip(node, begin, edge_ptr, source, weight, side, gain):  # type: ignore[no-untyped-def]
    """Flip one node, and bring all gains up to date."""
    side[node] = not side[node]
    gain[node] = -gain[node]
    for edge in range(edge_ptr[begin + node], edge_ptr[begin + node + 1]):
        other = source[edge] - begin
        gain[other] += -2 * weight[edge] if side[node] != side[other] else 2 * weight[edge]


@jit_as_written
def _choose(gain, rested, time, missing):  # type: ignore[no-untyped-def]
    """The node of largest gain that has rested or whose gain exceeds what is `missing` to the best cut."""
    chosen, ties = -1, 0
    for node in range(gain.shape[0]):
        if rested[node] > time and gain[node] <= missing:
            continue
        if chosen < 0 or gain[node] > gain[chosen]:
            chosen, ties = node, 1
        elif gain[node] == gain[chosen]:
            ties += 1
            chosen = node if np.random.randint(ties) == 0 else chosen
    return chosen
