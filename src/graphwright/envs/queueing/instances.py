"""What all instances of queueing networks have."""

from __future__ import annotations

from typing import Any

import torch

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.pairs import unordered_pair_nodes, unordered_pair_segments
from graphwright.core.segment import lexsort
from graphwright.envs.queueing.count_laws import law_of

CONTROL: dict[str, Any] = {
    "algorithm": "ppo",
    "ppo": {"discount": 0.99, "gae_lambda": 0.95, "value_coefficient": 0.01, "max_grad_norm": 1.0},
    "collection": {"steps": {"num_envs": 64, "num_steps": 64}},
    "validation": {"graphs": 8},
}
"""How queueing networks are learned by default: what an action does shows for many slots, and costs are large."""


def prepared(graph: GraphBatch) -> GraphBatch:
    """`graph` with the columns `number`, `seed` (0) and `law`, where it has none such.

    Raises GraphError for what is no law and for a seed that is no whole number.
    """
    law = law_of(graph)
    number = graph.nodes.get("number", graph.node_segments.position)
    if not _tells_apart(graph, number):  # an attribute of the user's
        number = graph.node_segments.position
    seed = graph.graphs.get("seed", torch.zeros_like(law))
    if seed.dim() != 1 or bool((seed != seed.long()).any()):
        raise GraphError("graph column 'seed': give a whole number")
    return graph.with_nodes(number=number).with_graphs(law=law, seed=seed.long())


def _tells_apart(graph: GraphBatch, number: torch.Tensor) -> bool:
    """Whether `number` [N] is another whole number for each node of a graph."""
    if number.dtype != torch.int64 or number.dim() != 1:
        return False
    order = lexsort(number, graph.node_graph)
    sorted_number, own = number[order], graph.node_graph[order]
    return not bool(((sorted_number[1:] == sorted_number[:-1]) & (own[1:] == own[:-1])).any())


def joined(graph: GraphBatch) -> GraphBatch:
    """The nodes of `graph` with their columns and those of graphs, and an undirected edge between any two of them."""
    pairs = unordered_pair_segments(graph)
    ends = torch.stack(unordered_pair_nodes(pairs.position)) + graph.node_ptr[:-1][pairs.index]
    sizes = graph.node_segments.lengths
    return from_edges(ends, sizes, undirected=True, nodes=graph.nodes, graphs=graph.graphs)
