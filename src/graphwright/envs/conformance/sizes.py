"""What a network sees stays in the range that it was trained in when graphs become larger."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ROWS, ConformanceError, ConformanceWarning
from graphwright.envs.optimization import Optimization

_COPIES, _GROWTH = 4, 3.5


def check_sizes(watched: Watched, environment: Optimization, instances: GraphBatch) -> None:
    """Warn of columns that are four times as large where an instance stands four times beside itself in one graph.

    A warning, since a count is no mistake: it is only that a policy trained on small graphs meets numbers on large ones
    that it has never seen. Shares of a size, or log(1 + count), stay in range. Nothing is said where four copies make
    no instance, such as where one node is marked.
    """
    try:
        copies = environment.instance(beside_itself(instances, _COPIES))
        one, other = (watched.call("observe", watched.call("reset", each)).graph for each in (instances, copies))
    except (GraphError, ConformanceError):
        return
    for table, row in ROWS.items():
        for name in getattr(environment.features, table):
            before, after = (_largest(seen, table, name) for seen in (one, other))
            some = before > 0
            if bool(some.any()) and bool((after[some] >= _GROWTH * before[some]).all()):
                warnings.warn(
                    f"observe: the {row} column {name!r} grows with the size of the graph; a policy that was trained "
                    "on small ones meets numbers that it has never seen. Show a share of the size, or log(1 + count).",
                    ConformanceWarning,
                    stacklevel=4,
                )


def beside_itself(graph: GraphBatch, copies: int) -> GraphBatch:
    """Each graph as one that is made of so many copies of it."""
    many = graph.select(torch.arange(graph.num_graphs).repeat_interleave(copies))
    edges = dict(many.edges)
    joined_edge_ptr = many.edge_ptr[::copies]
    if "reverse" in edges:
        owner = torch.arange(graph.num_graphs).repeat_interleave(copies)
        shift = many.edge_ptr[:-1] - joined_edge_ptr[owner]
        edges["reverse"] = edges["reverse"] + shift[many.edge_graph]
    graphs = {name: column[::copies] for name, column in many.graphs.items()}
    return GraphBatch(many.edge_index, many.node_ptr[::copies], joined_edge_ptr, many.nodes, edges, graphs)


def _largest(graph: GraphBatch, table: str, name: str) -> Tensor:
    """[B] float64: the largest absolute number of a column in each graph."""
    column = getattr(graph, table)[name].double().abs()
    rows = column.reshape(len(column), column.shape[1:].numel()).amax(1)
    owner = {"nodes": graph.node_graph, "edges": graph.edge_graph}.get(table, torch.arange(graph.num_graphs))
    return torch.zeros(graph.num_graphs, dtype=torch.float64).scatter_reduce(0, owner, rows, "amax")
