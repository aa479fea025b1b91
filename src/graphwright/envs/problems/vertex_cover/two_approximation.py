"""A vertex cover of at most twice the least weight, in a few passes over the edges and without a solver."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import inverse

_LAST = torch.iinfo(torch.int64).max


def two_approximation(instances: GraphBatch) -> Tensor:
    """A cover of each graph of at most twice the least weight, from which no node can be left out, [N] bool.

    instances: undirected simple graphs with the node column `weight` [N] float32, finite and non-negative.

    The local-ratio method of Bar-Yehuda and Even (1981, "A linear-time approximation algorithm for the weighted vertex
    cover problem"): each edge in turn takes from both its ends the smaller of what is left of their weights, and the
    nodes of which nothing is left are a cover. The edges have taken at most the weight of any cover and at least half
    the weight of this one. Then `remove_redundant` makes it lighter.

    An edge waits for no others than those at its own ends whose turn is earlier, which gives the same result in few
    passes (Blelloch, Fineman, Shun 2012, "Greedy sequential maximal independent set and matching are parallel on
    average").
    """
    rows, _ = instances.links
    ends, turn = instances.edge_index[:, rows], _turn(instances)
    left = instances.nodes["weight"].double()
    while turn.numel():
        next_turn = turn.new_full(left.shape, _LAST).scatter_reduce(0, ends.flatten(), turn.repeat(2), "amin")
        now = ends[:, (turn == next_turn[ends]).all(0)]  # these share no node
        left = left.index_add(0, now.flatten(), left[now].amin(0).repeat(2), alpha=-1)
        open_edge = (left[ends] > 0).all(0)
        ends, turn = ends[:, open_edge], turn[open_edge]
    return remove_redundant(instances, left == 0)


def remove_redundant(instances: GraphBatch, cover: Tensor) -> Tensor:
    """`cover` [N] bool without nodes that it does not need: heaviest first, each whose neighbours are all still in it.

    Among equally heavy nodes the first goes first. Afterwards no further node can be left out.
    """
    source, destination = instances.edge_index
    turn = inverse(torch.argsort(instances.nodes["weight"], descending=True, stable=True))
    earlier = turn[source] < turn[destination]
    while True:
        redundant = cover.clone()
        redundant[destination[~cover[source]]] = False
        now = redundant.clone()  # without those that a neighbour of an earlier turn may make necessary
        now[destination[redundant[source] & earlier]] = False
        if not now.any():
            return cover
        cover = cover & ~now


def _turn(instances: GraphBatch) -> Tensor:
    """[L] int64, all different: the turn of each undirected edge, in rising order of the weight of its heavier end.

    Any order keeps the promise; this one leaves light covers. Equal edges come shuffled, so that they do not wait in
    line, by Knuth's multiplicative hashing: different numbers for different positions below 2^32.
    """
    rows, links = instances.links
    heavier = instances.nodes["weight"][instances.edge_index[:, rows]].amax(0)
    shuffled = torch.argsort(links.position * 2_654_435_761 % 2**32)
    return torch.argsort(shuffled[torch.argsort(heavier[shuffled], stable=True)])
