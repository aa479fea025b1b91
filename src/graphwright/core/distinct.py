"""Which graphs of a batch are the same, number for number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core.graph import GraphBatch
from graphwright.core.kernels.hashes import first_of_each, hash_edges, hash_groups
from graphwright.core.segment import Segments

_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Distinct(NamedTuple):
    """rows: [U] int64, one of each of the things that are different; which: [B] int64, which of them each is."""

    rows: Tensor
    which: Tensor


def distinct_graphs(graph: GraphBatch) -> Distinct:
    """Which there are; see `graph_hashes`."""
    return distinct_numbers(graph_hashes(graph))


def graph_hashes(graph: GraphBatch) -> Tensor:
    """[B] int64: the same for graphs that agree in edges and all columns, in their order.

    By 64 bits of each: of a million different graphs two get the same once in 37 million times.
    """
    hashes = hash_edges(graph.edge_index, graph.node_ptr, graph.edge_ptr)
    hashes = column_hashes(graph.nodes, graph.node_segments, hashes)
    hashes = column_hashes(graph.edges, graph.edge_segments, hashes)
    if not graph.graphs:
        return hashes
    alone = Segments(torch.arange(graph.num_graphs + 1, device=graph.device))
    return column_hashes(graph.graphs, alone, hashes)


def column_hashes(columns: Mapping[str, Tensor], segments: Segments, hashes: Tensor) -> Tensor:
    """[B] int64: `hashes` [B] with what each group of `columns` holds, name -> [M, ...], mixed in."""
    for name in sorted(columns):
        hashes = hash_groups(_words(columns[name]), segments.ptr, hashes)
    return hashes


def distinct_numbers(numbers: Tensor) -> Distinct:
    """Of `numbers` [B] int64; the first of each stands for it, and these are in their order."""
    return Distinct(*first_of_each(numbers))


def _words(column: Tensor) -> Tensor:
    """[M, C] int64: the bits of each row of a column [M, ...]."""
    flat = column.detach().reshape(column.shape[0], math.prod(column.shape[1:])).contiguous()
    return flat.view(_WORDS[flat.element_size()]).long()
