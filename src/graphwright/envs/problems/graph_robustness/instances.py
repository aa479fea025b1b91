"""Instances of graph robustness: graphs with the orders in which their nodes may be lost."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, Segments, simplify, with_links
from graphwright.core.segment import lexsort
from graphwright.envs.generators import DrawColumns
from graphwright.envs.problems.graph_robustness.robustness import pieces
from graphwright.envs.undirected import require_undirected

ORDERS = 32
_SEED = 0


def as_instance(graph: GraphBatch) -> GraphBatch:
    """The undirected simple graph with the node column `turn`, see `GraphRobustness`.

    Where there is no such column, the orders are drawn with a fixed seed for each graph, so that the same file gives
    the same instance. Raises GraphError where the graph is directed or a `turn` holds no orders.
    """
    require_undirected(graph, "its robustness needs an undirected one")
    turn = graph.nodes.get("turn")
    return simplify(graph.keep().with_nodes(turn=fixed_orders(graph) if turn is None else _checked(turn, graph)))


def with_orders(joined: bool) -> DrawColumns:
    """Instances with random orders; with `joined`, a graph in pieces gets the fewest random links that make it one."""

    def draw(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
        graph = _join_pieces(graph.keep(), generator) if joined else graph.keep()
        key = torch.rand(graph.num_nodes, ORDERS, generator=generator, device=generator.device)
        return graph.with_nodes(turn=_ranks(key, graph.node_segments))

    return draw


def fixed_orders(graph: GraphBatch) -> Tensor:
    """[N, ORDERS] int32: orders that a node's number in its graph decides, whatever batch the graph is in."""
    largest = int(graph.node_segments.lengths.max()) if graph.num_graphs else 0
    key = torch.from_numpy(np.random.default_rng(_SEED).random((largest, ORDERS)))
    return _ranks(key.to(graph.device)[graph.node_segments.position], graph.node_segments)


def _ranks(key: Tensor, segments: Segments) -> Tensor:
    """[N, S] int32: the place of each node's key [N, S], from [0, 1), among those of its graph, in each column."""
    order = torch.argsort(key.double() + segments.index[:, None], dim=0)
    place = segments.position[:, None].expand_as(order)
    return torch.empty_like(order).scatter_(0, order, place).to(torch.int32)


def _checked(turn: Tensor, graph: GraphBatch) -> Tensor:
    remedy = "leave it out, and orders are drawn"
    if turn.dim() != 2 or not turn.shape[1]:
        raise GraphError(
            f"node column 'turn' has shape {tuple(turn.shape)}; give it a number for each order, or {remedy}"
        )
    segments = graph.node_segments
    place, count = turn.long(), segments.lengths[segments.index, None]
    inside = (place >= 0) & (place < count) & (place == turn)
    column = torch.arange(turn.shape[1], device=turn.device)
    met = torch.zeros_like(inside)
    met[torch.where(inside, segments.ptr[:-1][segments.index, None] + place, 0), column] = True
    wrong = (~(inside & met)).nonzero()
    if wrong.numel():
        node, order = wrong[0].tolist()
        raise GraphError(
            f"node column 'turn' is no order of the nodes of graph {int(segments.index[node])} in its column {order}; "
            f"number them from 0 to n - 1, each once, or {remedy}"
        )
    return turn.to(torch.int32)


def _join_pieces(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """`graph` with each piece but the first of a graph linked to the one before, between random nodes of both."""
    piece = pieces(graph)
    key = torch.rand(2, graph.num_nodes, generator=generator, device=generator.device)
    # A random node of each piece, drawn twice.
    chosen = [_first_of_each(piece, row, graph.node_graph) for row in key]
    before, after = chosen[0][:-1], chosen[1][1:]
    same = graph.node_graph[before] == graph.node_graph[after]
    links = torch.stack([before[same], after[same]])
    return with_links(graph, links)


def _first_of_each(piece: Tensor, key: Tensor, node_graph: Tensor) -> Tensor:
    """The node of least `key` of each piece, graph by graph."""
    order = lexsort(key, piece, node_graph)
    first = torch.ones_like(order, dtype=torch.bool)
    first[1:] = piece[order].diff() != 0
    return order[first]
