"""GatedGCN: edges that have states, and gate what passes along them."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.nn.kernels import gated_sum
from graphwright.nn.layers.message_passing import Aggregation, MessagePassingLayer


class EdgeGated(MessagePassingLayer):
    """x_i ← U x_i + Σ_j σ(ê_ij) ⊙ V x_j / (Σ_j σ(ê_ij) + 1e-6) and e_ij ← ê_ij = A x_i + B x_j + C e_ij.

    Bresson & Laurent 2017 ("Residual gated graph ConvNets"), with the gates that sum to one of Dwivedi et al. 2023
    ("Benchmarking graph neural networks"). The edge states are as wide as the nodes'.
    """

    reads_edges = True
    carries_edges = True

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__()
        self.own = nn.Linear(width, width)
        self.gates_and_value = nn.Linear(width, 3 * width)
        self.edge = nn.Linear(width, width, bias=False)

    @override
    def forward(self, x: Tensor, edges: Tensor, graph: GraphBatch) -> tuple[Tensor, Tensor]:
        nodes = self.gates_and_value(x).unflatten(1, (3, -1))
        messages, states = gated_sum(nodes, self.edge(edges), graph)
        return self.own(x).add_(messages), states
