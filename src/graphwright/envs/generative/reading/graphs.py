"""Graphs of nodes and edges, as an environment builds them or chooses among the edges of its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generative.context import GraphContext
from graphwright.envs.generative.dag import Dags
from graphwright.envs.generative.edge_sets import PRESENT, EdgeSets

Edges = list[tuple[int, int]]


def graph_within(
    context: GraphContext, size: int, edges: Edges, of_nodes: Mapping[str, Tensor], of_edges: Mapping[str, Tensor]
) -> GraphBatch:
    """An undirected graph within the bounds of `context`."""
    import networkx as nx

    _require_simple(size, [tuple(sorted(edge)) for edge in edges])
    if size > context.max_nodes:
        raise ValueError(f"has {size} nodes; at most {context.max_nodes} are built")
    if context.max_links is not None and len(edges) > context.max_links:
        raise ValueError(f"has {len(edges)} edges; at most {context.max_links} are built")
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(size))
    if not nx.is_connected(graph):
        raise ValueError("is not connected")
    ends = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
    return from_edges(ends, torch.tensor([size]), undirected=True, nodes=of_nodes, edges=of_edges)


def chosen_edges(environment: EdgeSets, start: GraphBatch, edges: Edges) -> GraphBatch:
    """`start` with these of its edges."""
    directed = "reverse" not in start.edges
    pairs = edges if directed else [(min(edge), max(edge)) for edge in edges]
    _require_simple(environment.num_nodes, pairs)
    if isinstance(environment, Dags):
        _require_acyclic(pairs)
    wanted = set(pairs) if directed else {pair for edge in pairs for pair in (edge, edge[::-1])}
    present = [tuple(edge) in wanted for edge in start.edge_index.T.tolist()]
    return start.with_edges(**{PRESENT: torch.tensor(present)})


def _require_simple(size: int, edges: Sequence[tuple[int, ...]]) -> None:
    if not size:
        raise ValueError("is blank: it has no nodes")
    if any(one == other for one, other in edges):
        raise ValueError("has an edge from a node to itself")
    if len(set(edges)) < len(edges):
        raise ValueError("has the same edge twice")


def _require_acyclic(edges: Edges) -> None:
    import networkx as nx

    graph = nx.DiGraph(edges)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [one for one, _ in nx.find_cycle(graph)]
        raise ValueError(f"has the cycle {' → '.join(map(str, [*cycle, cycle[0]]))}; what is built has none")
