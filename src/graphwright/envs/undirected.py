"""The refusal of directed graphs, for problems that are about undirected ones."""

from __future__ import annotations

from graphwright.core import GraphBatch, GraphError


def require_undirected(graph: GraphBatch, why: str) -> None:
    """Raise GraphError where `graph` is directed. why: the rest of a sentence, as "a cut needs an undirected one"."""
    if "reverse" not in graph.edges:
        raise GraphError(f"the graph is directed, and {why}; forget the directions first")
