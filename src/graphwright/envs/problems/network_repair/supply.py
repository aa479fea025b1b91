"""Supply in a damaged network, as tensors: which nodes are served, and what each repair or switching would bring."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.construction import on_both_directions
from graphwright.envs.problems.network_repair.kernels import find_gains, find_islands, find_served, find_tree, find_ways


class Prospects(NamedTuple):
    """What repairs and switchings would bring.

    node_gain: [N] float64, demand that the repair of a broken node would serve at once. tied_gain: [N] float64, demand
    that its repair and then one switching would serve, where the repair alone serves none. edge_gain: [E] float64, the
    same for closing an open link, -1 where that would serve no node. way: [N] float64, the efforts of all broken nodes
    between a source and a node, both included. behind: [N] float64, unserved demand of a node and of those behind it.
    """

    node_gain: Tensor
    tied_gain: Tensor
    edge_gain: Tensor
    way: Tensor
    behind: Tensor


def served_nodes(graph: GraphBatch, working: Tensor, closed: Tensor) -> Tensor:
    """[N] bool: which nodes a path of `working` nodes [N] and `closed` links [E] joins to a working source."""
    served = np.empty(graph.num_nodes, np.bool_)
    find_served(*_rows(graph), _array(graph.nodes["source"]), _array(working), _array(closed), served)
    return torch.from_numpy(served).to(graph.device)


def prospects(graph: GraphBatch, working: Tensor, closed: Tensor, served: Tensor) -> Prospects:
    """What could be done in a state whose `served` [N] is that of `served_nodes`; ways go along `closed` links [E]."""
    rows, nodes, edges = _rows(graph), graph.num_nodes, graph.num_edges
    supply, demand = _array(graph.nodes["source"]), _array(graph.nodes["demand"].double())
    works, shut, lit = _array(working), _array(closed), _array(served)
    island = np.empty(nodes, np.int64)
    waiting, node_gain, tied_gain, way, behind = (np.empty(nodes, np.float64) for _ in range(5))
    edge_gain = np.empty(edges, np.float64)
    find_islands(*rows, works, shut, lit, demand, island, waiting)
    find_gains(*rows, supply, works, shut, lit, demand, island, waiting, node_gain, tied_gain, edge_gain)
    effort = np.where(works, 0.0, _array(graph.nodes["repair_time"].double()))
    find_ways(*rows, supply, shut, effort, np.where(lit, 0.0, demand), way, behind)
    found = (node_gain, tied_gain, edge_gain, way, behind)
    return Prospects(*(torch.from_numpy(values).to(graph.device) for values in found))


def spanning_tree(graph: GraphBatch, length: Tensor) -> Tensor:
    """[E] bool: the links of a shortest spanning tree of each piece of an undirected graph; length: [E]."""
    rows, _ = graph.links
    one, other = graph.edge_index[:, rows].cpu().numpy()
    chosen = np.zeros(rows.numel(), np.bool_)
    order = np.argsort(_array(length[rows]), kind="stable")
    find_tree(order, one, other, np.empty(graph.num_nodes, np.int64), chosen)
    return on_both_directions(graph, torch.from_numpy(chosen).to(graph.device))


def _rows(graph: GraphBatch) -> tuple[np.ndarray, np.ndarray]:
    return graph.in_edges.ptr.cpu().numpy(), graph.edge_index[0].cpu().numpy()


def _array(column: Tensor) -> np.ndarray:
    return column.cpu().numpy()
