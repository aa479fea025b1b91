"""Instances of the Steiner tree problem, from users and at random."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, simplify
from graphwright.core.construction import on_both_directions
from graphwright.core.segment import inverse, segment_argmax, segment_mean, segment_sum
from graphwright.envs.generators.geography import edge_length
from graphwright.envs.problems.steiner_tree.near import with_near_terminals
from graphwright.envs.problems.steiner_tree.paths import shortest_distance
from graphwright.envs.undirected import require_undirected

_FEWEST, _SHARE = 3, 3  # between 3 terminals and a third of the nodes


def as_instance(graph: GraphBatch) -> GraphBatch:
    """The undirected simple graph with the columns `length`, `terminal` and `scale` of `SteinerTree`.

    Loops go; of parallel edges the shortest stays. Raises GraphError where that cannot be, see `SteinerTree.instance`.
    """
    require_undirected(graph, "a Steiner tree needs an undirected one")
    terminal = _terminals(graph)
    length = _shortest_parallel(graph, edge_length(graph))
    instance = simplify(graph.keep().with_nodes(terminal=terminal).with_edges(length=length))
    _check_joined(instance)
    return _with_columns(instance)


def _with_columns(graph: GraphBatch) -> GraphBatch:
    """`graph` with the columns that follow from its terminals and lengths; `scale` is 1 where all lengths are 0."""
    mean = segment_mean(graph.edges["length"], graph.edge_segments)
    return with_near_terminals(graph.with_graphs(scale=torch.where(mean > 0, mean, 1)))


def first_terminal(graph: GraphBatch) -> Tensor:
    """[N] bool: the first terminal of each graph."""
    place = segment_argmax(graph.nodes["terminal"].to(torch.float32), graph.node_segments)
    first = torch.zeros_like(graph.nodes["terminal"])
    first[(graph.node_ptr[:-1] + place)[place >= 0]] = True
    return first


def _terminals(graph: GraphBatch) -> Tensor:
    """[N] bool. A file with gaps has a column of 1, 0 and NaN, which is no terminal either."""
    remedy = "mark them with the bool node column 'terminal', or --mark terminal=NAME,NAME"
    if "terminal" not in graph.nodes:
        raise GraphError(f"the graph does not say which nodes to join; {remedy}")
    column = graph.nodes["terminal"]
    known = torch.where(column.isnan(), 0, column) if column.is_floating_point() else column
    if column.dim() != 1 or not bool(((known == 0) | (known == 1)).all()):
        raise GraphError(f"node column 'terminal' is more than true or false; {remedy}")
    terminal = known == 1
    without = (segment_sum(terminal, graph.node_segments) == 0).nonzero()
    if without.numel():
        raise GraphError(f"graph {int(without[0])} has no terminal; {remedy}")
    return terminal


def _shortest_parallel(graph: GraphBatch, length: Tensor) -> Tensor:
    """[E]: the length of the shortest edge between the same two nodes."""
    key = graph.edge_index.amin(0) * graph.num_nodes + graph.edge_index.amax(0)
    _, pair = key.unique(return_inverse=True)
    least = length.new_full((pair.numel(),), torch.inf).scatter_reduce(0, pair, length, "amin")
    return least[pair]


def _check_joined(graph: GraphBatch) -> None:
    first = first_terminal(graph)
    away = graph.nodes["terminal"] & shortest_distance(graph, away_from(first)).isinf()
    if bool(away.any()):
        node = int(away.nonzero()[0])
        place = graph.node_segments.position
        root = int((first & (graph.node_graph == graph.node_graph[node])).nonzero()[0])
        raise GraphError(
            "no path joins the terminals {} and {}; take terminals of one component",
            [int(place[root]), int(place[node])],
        )


def away_from(nodes: Tensor) -> Tensor:
    """[N] float32: 0 at `nodes` [N] bool, infinite elsewhere: where distances from them begin."""
    return torch.full(nodes.shape, torch.inf, device=nodes.device).masked_fill(nodes, 0)


def euclidean(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Lengths are distances between the nodes' positions; random terminals. Raises GraphError without positions."""
    return _with_terminals(graph.with_edges(length=edge_length(graph).float()), generator)


def uniform(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Lengths uniform in [0, 1); random terminals."""
    drawn = torch.rand(graph.links[0].numel(), generator=generator, device=generator.device)
    return _with_terminals(graph.with_edges(length=on_both_directions(graph, drawn)), generator)


def unit(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Lengths of 1; random terminals."""
    return _with_terminals(graph.with_edges(length=torch.ones(graph.num_edges, device=graph.device)), generator)


def _with_terminals(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """`graph` as instances with 3 to n / 3 random terminals of each graph of n nodes, each number as likely as others.

    All are in the component of a node of largest degree, and where that has fewer nodes, are all of these.
    """
    hub = segment_argmax(graph.in_degree.to(torch.float32), graph.node_segments)
    start = torch.zeros(graph.num_nodes, dtype=torch.bool, device=graph.device)
    start[(graph.node_ptr[:-1] + hub)[hub >= 0]] = True
    joined = shortest_distance(graph, away_from(start)).isfinite()

    most = (graph.node_segments.lengths // _SHARE).clamp(min=_FEWEST)
    part = torch.rand(graph.num_graphs, generator=generator, device=generator.device)
    count = _FEWEST + (part * (most - _FEWEST + 1)).long()
    key = torch.rand(graph.num_nodes, generator=generator, device=generator.device).double()
    order = torch.argsort(key + ~joined + 2 * graph.node_graph)  # graph by graph, and what is joined first
    place = inverse(order) - graph.node_ptr[:-1][graph.node_graph]
    terminal = joined & (place < count[graph.node_graph])
    return _with_columns(graph.keep(edges=["length"]).with_nodes(terminal=terminal))
