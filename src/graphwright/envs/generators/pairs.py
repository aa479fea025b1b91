"""Pairs of nodes, either way round: counted, numbered and told apart."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import Segments


def num_pairs(num_nodes: Tensor) -> Tensor:
    """How many pairs of nodes graphs of `num_nodes` [B] have, [B]."""
    return num_nodes * (num_nodes - 1) // 2


def pairs_at(index: Tensor, pairs: Segments, nodes: Segments) -> Tensor:
    """The node pairs [2, L] at `index` [L] of `pairs`, which holds (0, 1), (0, 2), (1, 2), (0, 3), ... of each graph.

    Exact while no graph has more than 2^50 pairs.
    """
    graph = torch.bucketize(index, pairs.ptr[1:], right=True)
    place = index - pairs.ptr[graph]
    high = ((1 + (8 * place + 1).double().sqrt()) / 2).long()
    return torch.stack([place - high * (high - 1) // 2, high]) + nodes.ptr[graph]


def pair_key(pairs: Tensor, num_nodes: int) -> Tensor:
    """One integer a pair of nodes [2, L], [L] int64: the same for both ways round, different for different pairs."""
    return torch.minimum(pairs[0], pairs[1]) * num_nodes + torch.maximum(pairs[0], pairs[1])


def is_first(keys: Tensor) -> Tensor:
    """Where a key stands for the first time in `keys` [L], [L] bool."""
    order = torch.argsort(keys, stable=True)
    first = torch.ones_like(order, dtype=torch.bool)
    first[order[1:]] = keys[order].diff() != 0
    return first
