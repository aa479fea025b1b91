"""Independent sets made heavier by exchanging nodes: iterated local search, for graphs of any size."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.core.kernels.loops import with_one_more

# Numba compiles the legacy generator alone, whose state inside compiled code is its own.
# ruff: noqa: NPY002

_MOST_ROUNDS, _WORK = 20_000, 2e7
"""Perturbations between two looks at the clock, and about how many ends of edges they may look at in all."""
_TINY = 1e-9
"""Of the largest weight: gains below are rounding."""


def heavier_set(instances: GraphBatch, weight: Tensor, selected: Tensor, seconds: float, seed: int = 0) -> Tensor:
    """Independent sets [N] bool that are at least as heavy as `selected` and maximal, after `seconds` for each graph.

    Local search after Andrade, Resende, Werneck (2012), "Fast local search for the maximum independent set problem":
    a node goes in for lighter neighbours, and two neighbours for one node, wherever something has changed; with weights
    as in Nogueira, Pinheiro, Subramanian (2018), "A hybrid iterated local search heuristic for the maximum weight
    independent set problem". Where nothing gains any more, a random node is forced in, and perhaps some near it;
    what comes of it stays unless the set became lighter, and is taken back otherwise. A round costs what it changes.

    instances: undirected simple graphs. weight: [N] float, not negative. With `seconds` 0 it stops at the first local
    optimum. How far it comes depends on the clock; the same number of rounds gives the same set.
    """
    graph = instances.to("cpu")
    chosen = selected.cpu().numpy().copy()
    columns = graph.in_edges.ptr.numpy(), graph.edge_index[0].contiguous().numpy(), weight.double().cpu().numpy()
    count, load = np.zeros(len(chosen), np.int64), np.zeros(len(chosen))
    stamp = np.full(len(chosen), -1, np.int64)
    _measure(*columns, chosen, count, load)
    for begin, end in zip(graph.node_ptr[:-1].tolist(), graph.node_ptr[1:].tolist(), strict=True):
        until = time.perf_counter() + seconds
        tiny = _TINY * columns[2][begin:end].max(initial=0.0)
        _climb(*columns, chosen, count, load, stamp, tiny, begin, end)
        each, turn = rounds_at_once(np.diff(columns[0][begin : end + 1])), 0
        while time.perf_counter() < until and end > begin:
            _iterate(*columns, chosen, count, load, stamp, tiny, begin, end, each, seed + turn)
            turn += 1
    return torch.from_numpy(chosen).to(instances.device)


def rounds_at_once(degree: np.ndarray) -> int:
    """Perturbations between two looks at the clock in a graph of these degrees [N].

    An exchange looks at the neighbours of a node's neighbours, on average the mean of the squared degrees: with many
    rounds at once, those of a dense graph would take minutes longer than was asked for.
    """
    at_each = float(np.square(degree, dtype=np.float64).mean()) if degree.size else 0.0
    return int(min(max(_WORK / max(at_each, 1.0), 1), _MOST_ROUNDS))


@jit_as_written
def _measure(ptr, source, weight, chosen, count, load):  # type: ignore[no-untyped-def]
    """How many neighbours of each node are chosen, and what they weigh."""
    for node in range(chosen.size):
        for e in range(ptr[node], ptr[node + 1]):
            if chosen[source[e]]:
                count[node] += 1
                load[node] += weight[source[e]]


@jit_as_written
def _flip(node, ptr, source, weight, chosen, count, load):  # type: ignore[no-untyped-def]
    """Put one node in or out; its neighbours in the set stay as they are."""
    sign = -1 if chosen[node] else 1
    chosen[node] = not chosen[node]
    for e in range(ptr[node], ptr[node + 1]):
        count[source[e]] += sign
        load[source[e]] += sign * weight[node]


@jit_as_written
def _force(node, ptr, source, weight, chosen, count, load, flips, size):  # type: ignore[no-untyped-def]
    """Put one node in and its neighbours out. `flips`, the nodes that were flipped, and how many they are now."""
    for e in range(ptr[node], ptr[node + 1]):
        other = source[e]
        if chosen[other]:
            _flip(other, ptr, source, weight, chosen, count, load)
            flips, size = with_one_more(flips, size, other)
    _flip(node, ptr, source, weight, chosen, count, load)
    return with_one_more(flips, size, node)


@jit_as_written
def _swap(node, ptr, source, weight, chosen, count, stamp, tiny):  # type: ignore[no-untyped-def]
    """Two neighbours that have no other chosen neighbour, are not joined and weigh more than `node`; or -1, -1."""
    for e in range(ptr[node], ptr[node + 1]):
        one = source[e]
        if count[one] != 1:
            continue
        for f in range(ptr[one], ptr[one + 1]):
            stamp[source[f]] = one
        for f in range(e + 1, ptr[node + 1]):
            other = source[f]
            if count[other] == 1 and stamp[other] != one and weight[one] + weight[other] > weight[node] + tiny:
                return one, other
    return -1, -1


@jit_as_written
def _settle(ptr, source, weight, chosen, count, load, stamp, tiny, queue, waiting, flips, size):  # type: ignore[no-untyped-def]
    """Exchange nodes until none of the first `waiting` of `queue`, nor what follows from them, gains anything."""
    seen = 0  # of flips: what lies around these waits as well
    while seen < size or waiting:
        if seen < size:
            queue, waiting = _wake(flips[seen], ptr, source, weight, chosen, count, load, tiny, queue, waiting)
            seen += 1
            continue
        waiting -= 1
        node = queue[waiting]
        if not chosen[node]:
            if count[node] == 0 or weight[node] > load[node] + tiny:
                flips, size = _force(node, ptr, source, weight, chosen, count, load, flips, size)
            continue
        one, other = _swap(node, ptr, source, weight, chosen, count, stamp, tiny)
        if one >= 0:
            flips, size = _force(one, ptr, source, weight, chosen, count, load, flips, size)
            flips, size = _force(other, ptr, source, weight, chosen, count, load, flips, size)
    return queue, flips, size


@jit_as_written
def _wake(node, ptr, source, weight, chosen, count, load, tiny, queue, waiting):  # type: ignore[no-untyped-def]
    """Let wait what may gain now that `node` was flipped. The queue, and how many wait in it then."""
    queue, waiting = with_one_more(queue, waiting, node)
    if chosen[node]:
        return queue, waiting
    asked = -1  # once for all neighbours in a row: what a clique shares would be asked by each of its nodes
    for e in range(ptr[node], ptr[node + 1]):
        other = source[e]
        if not chosen[other] and count[other] > 1 and weight[other] <= load[other] + tiny:
            continue
        if not chosen[other] and count[other] == 1:
            holder = _chosen_neighbour(other, ptr, source, chosen)
            if holder != asked:  # it may now give way to two
                asked = holder
                queue, waiting = with_one_more(queue, waiting, asked)
        queue, waiting = with_one_more(queue, waiting, other)
    return queue, waiting


@jit_as_written
def _chosen_neighbour(node, ptr, source, chosen):  # type: ignore[no-untyped-def]
    """The first neighbour in the set; -1 for none."""
    for e in range(ptr[node], ptr[node + 1]):
        if chosen[source[e]]:
            return source[e]
    return -1


@jit_as_written
def _climb(ptr, source, weight, chosen, count, load, stamp, tiny, begin, end):  # type: ignore[no-untyped-def]
    """To a local optimum of the nodes begin .. end - 1."""
    queue, flips = np.arange(end - 1, begin - 2, -1), np.empty(16, np.int64)
    _settle(ptr, source, weight, chosen, count, load, stamp, tiny, queue, end - begin, flips, 0)


@jit_as_written
def _iterate(ptr, source, weight, chosen, count, load, stamp, tiny, begin, end, rounds, seed):  # type: ignore[no-untyped-def]
    """Force a few nodes in that are near each other, time after time, and keep what does not make the set lighter."""
    np.random.seed(seed)
    queue, flips = np.empty(64, np.int64), np.empty(64, np.int64)
    for _ in range(rounds):
        node = begin + np.random.randint(end - begin)
        if chosen[node]:
            continue
        flips, size = _force(node, ptr, source, weight, chosen, count, load, flips, 0)
        while np.random.random() < 0.5 and ptr[node + 1] > ptr[node]:  # from there two steps at random
            near = source[ptr[node] + np.random.randint(ptr[node + 1] - ptr[node])]
            node = source[ptr[near] + np.random.randint(ptr[near + 1] - ptr[near])]
            if not chosen[node]:
                flips, size = _force(node, ptr, source, weight, chosen, count, load, flips, size)
        queue, flips, size = _settle(ptr, source, weight, chosen, count, load, stamp, tiny, queue, 0, flips, size)
        gain = 0.0
        for k in range(size - 1, -1, -1):  # backwards: at each its node is as this flip left it
            gain += weight[flips[k]] if chosen[flips[k]] else -weight[flips[k]]
            chosen[flips[k]] = not chosen[flips[k]]
        for k in range(size):
            chosen[flips[k]] = not chosen[flips[k]]
        if gain < -tiny:
            for k in range(size - 1, -1, -1):
                _flip(flips[k], ptr, source, weight, chosen, count, load)
