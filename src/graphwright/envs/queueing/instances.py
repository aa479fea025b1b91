"""What all instances of queueing networks have."""

from __future__ import annotations

from typing import Any

import torch

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.counts import COUNT_LAWS
from graphwright.core.pairs import unordered_pair_nodes, unordered_pair_segments
from graphwright.envs.queueing.count_laws import law_of

CONTROL: dict[str, Any] = {
    "algorithm": "ppo",
    "ppo": {"discount": 0.99, "gae_lambda": 0.95, "value_coefficient": 0.01, "max_grad_norm": 1.0},
    "collection": {"steps": {"num_envs": 64, "num_steps": 64}},
    "validation": {"graphs": 8},
}
"""How queueing networks are learned by default: what an action does shows for many slots, and costs are large."""


def prepared(graph: GraphBatch) -> GraphBatch:
    """`graph` with the columns `number`, `seed` (0) and `law`, where it has none. Raises GraphError for no law."""
    law = law_of(graph)
    if bool(((law < 0) | (law >= len(COUNT_LAWS))).any()):
        raise GraphError(f"graph column 'distribution': give one of {', '.join(COUNT_LAWS)}")
    number = graph.nodes.get("number", graph.node_segments.position)
    seed = graph.graphs.get("seed", torch.zeros_like(law))
    return graph.with_nodes(number=number).with_graphs(law=law, seed=seed.long())


def joined(graph: GraphBatch) -> GraphBatch:
    """The nodes of `graph` with their columns and those of graphs, and an undirected edge between any two of them."""
    pairs = unordered_pair_segments(graph)
    ends = torch.stack(unordered_pair_nodes(pairs.position)) + graph.node_ptr[:-1][pairs.index]
    sizes = graph.node_segments.lengths
    return from_edges(ends, sizes, undirected=True, nodes=graph.nodes, graphs=graph.graphs)
