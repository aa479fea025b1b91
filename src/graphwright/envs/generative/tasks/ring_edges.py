"""`ring-edges`: directed edges between named nodes, wanted where they make one ring of all nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.generation import Generation, Reward
from graphwright.envs.generative.edge_sets import PRESENT, EdgeSets, complete_graphs
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible


@dataclass(frozen=True)
class RingReward(Reward):
    """`ring` for a single directed cycle through all nodes, `other` for everything else."""

    ring: float = 100.0
    """Of a ring."""
    other: float = 1e-6
    """Of anything else."""

    @override
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        rewards = torch.tensor([self.other, self.ring], dtype=torch.float64).log()
        return rewards[is_ring(objects).long()]


def is_ring(state: GraphBatch) -> Tensor:
    """[B] bool: whether the edges that are present make one directed cycle through all nodes.

    Every node has one edge out and one in, and the n-th power of following them, but no lower one, leads back.
    """
    present = state.edges[PRESENT]
    source, destination = state.edge_index[:, present]
    out_degree = torch.bincount(source, minlength=state.num_nodes)
    in_degree = torch.bincount(destination, minlength=state.num_nodes)
    successor = torch.arange(state.num_nodes).index_copy(0, source, destination)
    node, start = successor, state.node_ptr[:-1][state.node_graph]
    first = torch.arange(state.num_nodes) == start
    steps_home = torch.zeros(state.num_graphs, dtype=torch.int64)
    largest = int(state.node_segments.lengths.max()) if state.num_graphs else 0
    for step in range(1, largest + 1):
        home = segment_sum(first & (node == start), state.node_segments)
        steps_home = torch.where((steps_home == 0) & (home > 0), step, steps_home)
        node = successor[node]
    regular = segment_sum((out_degree == 1) & (in_degree == 1), state.node_segments) == state.node_segments.lengths
    return regular & (steps_home == state.node_segments.lengths)


def labelled_nodes(environment: Reversible, count: int, generator: torch.Generator) -> GraphBatch:
    """Complete directed graphs on the environment's nodes."""
    assert isinstance(environment, EdgeSets)
    return complete_graphs(count, environment.num_nodes, directed=True)


def adjacency(environment: Reversible, objects: GraphBatch) -> dict[str, np.ndarray]:
    """`adjacency` [B, n, n] bool: whether an edge leads from the row's node to the column's."""
    assert isinstance(environment, EdgeSets)
    matrices = torch.zeros(objects.num_graphs, environment.num_nodes, environment.num_nodes, dtype=torch.bool)
    source, destination = objects.edge_index - objects.node_ptr[:-1][objects.edge_graph]
    matrices[objects.edge_graph, source, destination] = objects.edges[PRESENT]
    return {"adjacency": matrices.numpy()}


RING_EDGES = Problem(
    name="ring-edges",
    summary="Choose directed edges between named nodes so that they make one ring",
    environment=EdgeSets(),
    generation=Generation(
        reward=RingReward(),
        export=adjacency,
        instances=labelled_nodes,
        training={
            "encoder": {"kind": "gin", "depth": 2, "walks": 0},
            "heads": {"edges": "ends-concat"},
            "flow": {"learning_rate": 5e-3, "optimizer": "adam", "passes": 1, "minibatches": 1},
        },
    ),
)
