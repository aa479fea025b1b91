"""How many nodes of a graph can be lost before the rest falls apart, averaged over orders in which they go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays
from graphwright.envs.problems.graph_robustness.kernels import find_breaks, find_pieces, robustness_with


class Breaks(NamedTuple):
    """What is left when graphs first fall apart, averaged over removal orders.

    robustness: [B] float64, the critical fraction. removed: [N] float32, the share of orders in which a node is gone by
    then. cut_off: [N] float32, the share of the other nodes that are left which it no longer reaches, 0 where it is
    gone.
    """

    robustness: Tensor
    removed: Tensor
    cut_off: Tensor


def breaks(graph: GraphBatch, targeted: bool) -> Breaks:
    """Remove the nodes of each graph in each of its orders until the rest has more than one component.

    graph: undirected and simple, with the node column `turn` [N, S] int32: the place of each node in each of S orders.
    targeted: nodes of larger degree go first, and only those of equal degree in the order of `turn`. Degrees are those
        of the graph as it is, not of what is left of it.

    The critical fraction is the number of nodes gone over n, mean over orders: 0 for a graph that is in pieces, and
    (n - 1) / n for a complete one, where it never happens.
    """
    (turn,) = arrays(graph.nodes["turn"].cpu())
    gone = np.zeros((graph.num_graphs, turn.shape[1]), np.int64)
    removed, cut_off = np.zeros(graph.num_nodes, np.float64), np.zeros(graph.num_nodes, np.float64)
    find_breaks(graph.node_ptr.cpu().numpy(), *_rows(graph), turn, targeted, gone, removed, cut_off)
    mean = torch.from_numpy(gone).double().mean(1).to(graph.device)
    return Breaks(
        mean / graph.node_segments.lengths.clamp(min=1),
        torch.from_numpy(removed).float().to(graph.device),
        torch.from_numpy(cut_off).float().to(graph.device),
    )


def robustness_of_sets(graph: GraphBatch, number: int, sets: np.ndarray, targeted: bool) -> np.ndarray:
    """[M] float64: the critical fraction of graph `number` of a batch with each of `sets` [M, k, 2] of new edges."""
    start, end = (int(graph.node_ptr[number + i]) for i in range(2))
    total = np.empty(len(sets), np.int64)
    (turn,) = arrays(graph.nodes["turn"].cpu())
    robustness_with(start, end - start, *_rows(graph), turn, targeted, sets, total)
    return total / (turn.shape[1] * max(end - start, 1))


def pieces(graph: GraphBatch) -> Tensor:
    """[N] int64: a node that stands for the component of each node; graph: undirected."""
    piece = np.empty(graph.num_nodes, np.int64)
    find_pieces(*_rows(graph), piece)
    return torch.from_numpy(piece).to(graph.device)


def _rows(graph: GraphBatch) -> tuple[np.ndarray, np.ndarray]:
    return graph.in_edges.ptr.cpu().numpy(), graph.edge_index[0].cpu().numpy()
