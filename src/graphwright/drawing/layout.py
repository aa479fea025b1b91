"""Where the nodes of a graph stand: parts side by side, and in each part distances as they are in the graph."""

from __future__ import annotations

import math

import numpy as np

from graphwright.core.kernels.jit import jit_as_written

EXACT = 300
"""Up to so many nodes of a part, the distances of all pairs count; of larger ones, those to `_PIVOTS` of its nodes."""
_PIVOTS = 60
_FEW = 24  # the same of a rough layout
_ROUNDS = 60
_GAP = 1.0  # between parts, in links
_ASPECT = 1.4
_SMALLEST = 0.55  # how near two nodes may be, in links


def place_nodes(edges: np.ndarray, count: int, position: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """A place for each of `count` nodes [N, 2], and which of them were given [N] bool.

    edges: [L, 2] int; position: [N, 2] float or None. Nodes whose position is NaN stand beside their neighbours;
    without any positions all are laid out (`lay_out`).
    """
    placed = np.zeros(count, dtype=bool) if position is None else ~np.isnan(position).any(axis=1)
    if position is None or not placed.any():
        return lay_out(edges, count), placed
    result = np.where(placed[:, None], position, np.nanmean(position, axis=0))
    if not placed.all():
        unplaced = np.flatnonzero(~placed)
        near = _adjacency(edges, count)
        degree = np.maximum(np.diff(near.indptr), 1)[:, None]
        alone = np.diff(near.indptr)[unplaced] == 0
        for _ in range(50):
            result[unplaced] = np.where(alone[:, None], result[unplaced], (near @ result / degree)[unplaced])
    return result, placed


def lay_out(edges: np.ndarray, count: int) -> np.ndarray:
    """[count, 2] float64: a place for each node, a link about 1 long; the same for the same graph.

    edges: [L, 2] int. Parts that no link joins are laid out alone and packed in rows, the largest first; nodes
    without a link stand in a block of their own.
    """
    near = _adjacency(edges, count)
    parts, alone = _parts(near, 2)
    laid = [(each, _upright(_stressed(near[each][:, each]))) for each in parts]
    return _packed([*laid, *([(alone, _block(len(alone)))] if len(alone) else [])], count)


def lay_out_roughly(edges: np.ndarray, count: int) -> np.ndarray:
    """The same in nearly linear time: by the distances to a few nodes alone, each part as large as it has nodes.

    Parts of less than a thousandth of the nodes stand in a block, node by node.
    """
    near = _adjacency(edges, count)
    parts, rest = _parts(near, max(count // 1_000, 10))
    laid = [(each, _upright(_scaled(_distances(near[each][:, each], _FEW)[1]))) for each in parts]
    laid += [(rest, _block(len(rest)))] if len(rest) else []
    for number, (nodes, place) in enumerate(laid):
        across = max(float(np.ptp(place, axis=0).max()), 1e-9)
        laid[number] = nodes, place * (math.sqrt(len(nodes)) / across)
    return _packed(laid, count)


def _parts(near, least: int) -> tuple[list[np.ndarray], np.ndarray]:  # type: ignore[no-untyped-def]
    """The connected parts of at least so many nodes, and the nodes of all others."""
    from scipy.sparse.csgraph import connected_components

    number, part = connected_components(near, directed=False)
    size = np.bincount(part, minlength=number)
    order = np.argsort(part, kind="stable")
    large = np.flatnonzero(size >= least)
    begin = np.concatenate([[0], np.cumsum(size)])
    return [order[begin[each] : begin[each + 1]] for each in large], np.flatnonzero(size[part] < least)


def _adjacency(edges: np.ndarray, count: int):  # type: ignore[no-untyped-def]
    """The symmetric CSR matrix of ones, loops left out."""
    from scipy.sparse import coo_array

    edges = edges[edges[:, 0] != edges[:, 1]]
    both = np.concatenate([edges, edges[:, ::-1]])
    table = coo_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count)).tocsr()
    table.data[:] = 1
    return table


def _stressed(near) -> np.ndarray:  # type: ignore[no-untyped-def]
    """[n, 2]: distances in the plane as near as can be to those in one connected graph.

    Stress with weights distance⁻² (Gansner, Koren & North 2004), from classical scaling of the distances to pivots
    (Brandes & Pich 2006); in large graphs the terms are links and pivots alone (Ortmann, Klimenta & Brandes 2017).
    """
    count = near.shape[0]
    generator = np.random.default_rng(0)
    pivots, distance = _distances(near, count if count <= EXACT else _PIVOTS)
    place = _scaled(distance) + generator.normal(0, 0.05, (count, 2))
    weight = 1 / np.square(np.maximum(distance, 1)) * (distance > 0) * (count / len(pivots))
    links = near.tocoo()
    with_links = count > EXACT
    for _ in range(_ROUNDS):
        pull, total = _towards(place, place[pivots], distance, weight)
        if with_links:
            away = place[links.row] - place[links.col]
            wanted = place[links.col] + away / np.maximum(np.linalg.norm(away, axis=1), 1e-9)[:, None]
            for axis in range(2):
                pull[:, axis] += np.bincount(links.row, wanted[:, axis], count)
            total = total + np.bincount(links.row, minlength=count)
        place = pull / total[:, None]
    return _apart(place)


def _towards(
    place: np.ndarray, pivot: np.ndarray, distance: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where each node [n, 2] would be at the wanted distance from each pivot, added up with weights, and their sum."""
    away = place[:, None] - pivot[None]
    wanted = pivot[None] + away * (distance / np.maximum(np.linalg.norm(away, axis=2), 1e-9))[..., None]
    return (weight[..., None] * wanted).sum(1), weight.sum(1)


def _distances(near, number: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def]
    """Pivots [p], each as far as can be from those before it, and the number of links from all nodes to each [n, p]."""
    count = near.shape[0]
    number = min(number, count)
    pivots, distance = np.zeros(number, np.int64), np.zeros((number, count))
    nearest, pivot = np.full(count, np.inf), int(np.argmax(np.diff(near.indptr)))
    for row in range(number):
        pivots[row] = pivot
        _search(near.indptr, near.indices, pivot, distance[row])
        nearest = np.minimum(nearest, distance[row])
        pivot = int(nearest.argmax())
    return pivots, distance.T


def _scaled(distance: np.ndarray) -> np.ndarray:
    """[n, 2]: classical scaling of squared distances [n, pivots], centred in both ways."""
    square = np.square(distance)
    centred = -0.5 * (square - square.mean(0) - square.mean(1, keepdims=True) + square.mean())
    _, turned = np.linalg.eigh(centred.T @ centred)
    place = centred @ turned[:, ::-1][:, :2] if distance.shape[1] > 1 else np.zeros((len(distance), 2))
    reach = np.linalg.norm(place - place.mean(0), axis=1).max()
    place = place / reach * distance.max() / 2 if reach > 0 else place
    return place if place.shape[1] == 2 else np.pad(place, ((0, 0), (0, 2 - place.shape[1])))


def _apart(place: np.ndarray) -> np.ndarray:
    """Push nodes apart that stand nearer to each other than `_SMALLEST`."""
    from scipy.spatial import cKDTree

    for _ in range(30):
        pairs = cKDTree(place).query_pairs(_SMALLEST, output_type="ndarray")
        if not len(pairs):
            break
        away = place[pairs[:, 0]] - place[pairs[:, 1]]
        length = np.linalg.norm(away, axis=1)
        angle = (pairs[:, 0] * 2.399963 + pairs[:, 1])[:, None]  # for those on one spot
        away = np.where(length[:, None] > 1e-6, away, np.concatenate([np.cos(angle), np.sin(angle)], 1) * 1e-3)
        step = away / np.linalg.norm(away, axis=1)[:, None] * ((_SMALLEST - length) / 4)[:, None]
        place = place.copy()
        np.add.at(place, pairs[:, 0], step)
        np.add.at(place, pairs[:, 1], -step)
    return place


def _upright(place: np.ndarray) -> np.ndarray:
    """Turned so that the longer way lies across."""
    centred = place - place.mean(0)
    _, _, turn = np.linalg.svd(centred, full_matrices=False)
    turned = centred @ turn.T if turn.shape == (2, 2) else centred
    sign = np.sign((turned**3).sum(0))
    return turned * np.where(sign == 0, 1, sign)


def _block(count: int) -> np.ndarray:
    """[count, 2]: a grid wider than high."""
    across = math.ceil(math.sqrt(count * _ASPECT))
    number = np.arange(count)
    return np.stack([number % across, -(number // across)], axis=1) * 0.8


def _packed(parts: list[tuple[np.ndarray, np.ndarray]], count: int) -> np.ndarray:
    """[count, 2]: parts (nodes and their places) in rows, the highest first, the whole wider than high."""
    result = np.zeros((count, 2))
    if not parts:
        return result
    boxes = [np.ptp(place, axis=0) + _GAP for _, place in parts]
    most = max(math.sqrt(_ASPECT * sum(float(box.prod()) for box in boxes)), max(float(box[0]) for box in boxes))
    across = down = row = 0.0
    for number in sorted(range(len(parts)), key=lambda each: (-boxes[each][1], each)):
        nodes, place = parts[number]
        width, height = boxes[number]
        if across and across + width > most * 1.02:
            across, down, row = 0.0, down + row, 0.0
        row = max(row, float(height))
        middle = (place.min(0) + place.max(0)) / 2
        result[nodes] = place - middle + [across + width / 2, -down - height / 2]
        across += float(width)
    return result


@jit_as_written
def _search(ptr, other, start, distance):  # type: ignore[no-untyped-def]
    count = ptr.size - 1
    queue = np.empty(count, np.int64)
    distance[:] = -1.0
    distance[start] = 0.0
    queue[0] = start
    filled = 1
    for place in range(count):
        if place >= filled:
            break
        node = queue[place]
        for e in range(ptr[node], ptr[node + 1]):
            near = other[e]
            if distance[near] < 0:
                distance[near] = distance[node] + 1
                queue[filled] = near
                filled += 1
