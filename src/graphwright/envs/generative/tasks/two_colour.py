"""`two-colour`: connected graphs whose nodes have one of two colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.generation import Generation, Reward
from graphwright.envs.generative.context import TYPE, GraphContext
from graphwright.envs.generative.exports import node_link_lines
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible


@dataclass(frozen=True)
class ColourReward(Reward):
    """log R by how the colours lie.

    count: -|nodes of the first colour + half of those of the second - 3| · 5/2. even-neighbours: -5/2 for each share of
    nodes with an odd number of neighbours of their own colour. constant: 0 for every graph.
    """

    kind: Literal["count", "even-neighbours", "constant"] = "count"
    """Which graphs are wanted."""

    @override
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        colour, nodes = objects.nodes[TYPE], objects.node_segments
        match self.kind:
            case "count":
                second = segment_sum(colour.double(), nodes)
                return -(nodes.lengths - second / 2 - 3).abs() * 2.5
            case "even-neighbours":
                source, destination = objects.edge_index
                alike = segment_sum(colour[source] == colour[destination], objects.in_edges)
                return -2.5 * segment_sum((alike % 2).double(), nodes) / nodes.lengths
            case "constant":
                return torch.zeros(objects.num_graphs, dtype=torch.float64)


TWO_COLOUR = Problem(
    name="two-colour",
    summary="Build connected graphs of at most seven nodes in two colours",
    environment=GraphBuilding(GraphContext(node_types=2, max_nodes=7)),
    generation=Generation(
        reward=ColourReward(),
        export=node_link_lines,
        training={"algorithm": "modified-subtb"},
    ),
)
