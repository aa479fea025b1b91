"""Message-passing layers: one round of talk between neighbours, [N, width] → [N, width].

Every layer is built as `Layer(width, edge_width, aggregation)` and called as `layer(x, edge_features, graph)` with x
[N, width] and edge_features [E, edge_width] (None where edge_width = 0). `reads_edges` says whether it uses them.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_log_softmax, segment_sum
from graphwright.nn.kernels import neighbour_max, neighbour_sum, neighbour_weighted_sum

Aggregation = Literal["sum", "mean", "max", "sum-mean-max"]


def neighbour_mean(x: Tensor, graph: GraphBatch) -> Tensor:
    """out[i] = mean of x[j] over the edges j → i, [N, F]; 0 where no edge ends."""
    return neighbour_sum(x, graph) / graph.in_degree.clamp(min=1).unsqueeze(1)


_AGGREGATIONS = {"sum": neighbour_sum, "mean": neighbour_mean, "max": neighbour_max}


class MessagePassingLayer(nn.Module):
    """What all layers share: the signature, and the choice of an aggregation over neighbours."""

    reads_edges: ClassVar[bool] = False

    def __init__(self, width: int, edge_width: int, aggregation: Aggregation) -> None:
        super().__init__()
        self.aggregations = aggregation.split("-")

    @property
    def aggregation_factor(self) -> int:
        """Width of what `aggregate` returns over the width of what it is given."""
        return len(self.aggregations)

    def aggregate(self, x: Tensor, graph: GraphBatch) -> Tensor:
        """x: [N, F] of all nodes → [N, factor · F] of their neighbours."""
        parts = [_AGGREGATIONS[name](x, graph) for name in self.aggregations]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


class GraphConv(MessagePassingLayer):
    """x_i ← W₁ x_i + W₂ ⊕_j x_j.

    With ⊕ = Σ it is the k-GNN layer of Morris et al. 2019 ("Weisfeiler and Leman go neural"), with ⊕ = mean or max
    the GraphSAGE layer of Hamilton et al. 2017.
    """

    def __init__(self, width: int, edge_width: int, aggregation: Aggregation) -> None:
        super().__init__(width, edge_width, aggregation)
        self.own = nn.Linear(width, width)
        self.neighbours = nn.Linear(self.aggregation_factor * width, width, bias=False)

    def forward(self, x: Tensor, edge_features: Tensor | None, graph: GraphBatch) -> Tensor:
        """See the module."""
        return torch.addmm(self.own(x), self.aggregate(x, graph), self.neighbours.weight.t())


class GCN(MessagePassingLayer):
    """x ← D^-½ (A + I) D^-½ x W (Kipf & Welling 2017); D counts the self-loop."""

    def __init__(self, width: int, edge_width: int, aggregation: Aggregation) -> None:
        super().__init__(width, edge_width, "sum")
        self.linear = nn.Linear(width, width)

    def forward(self, x: Tensor, edge_features: Tensor | None, graph: GraphBatch) -> Tensor:
        """See the module."""
        scale = (graph.in_degree + 1).to(x.dtype).rsqrt().unsqueeze(1)
        scaled = x * scale
        return self.linear((self.aggregate(scaled, graph) + scaled) * scale)


class GIN(MessagePassingLayer):
    """x_i ← MLP((1 + ε) x_i + ⊕_j x_j) (Xu et al. 2019); with edges Σ_j relu(x_j + W e_ij) (Hu et al. 2020)."""

    reads_edges = True

    def __init__(self, width: int, edge_width: int, aggregation: Aggregation) -> None:
        super().__init__(width, edge_width, "sum")
        self.epsilon = nn.Parameter(torch.zeros(()))
        self.edge = nn.Linear(edge_width, width, bias=False) if edge_width else None
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor, edge_features: Tensor | None, graph: GraphBatch) -> Tensor:
        """See the module."""
        if self.edge is None or edge_features is None:
            messages = self.aggregate(x, graph)
        else:
            messages = segment_sum(F.relu(x[graph.edge_index[0]] + self.edge(edge_features)), graph.in_edges)
        return self.mlp(torch.addcmul(x + messages, self.epsilon, x))


class GAT(MessagePassingLayer):
    """x_i ← W₁ x_i + Σ_j α_ij W x_j with α_ij = softmax_j LeakyReLU(a · [W x_i ‖ W x_j ‖ W_e e_ij]) (Veličković 2018).

    Four heads side by side. The term W₁ x_i takes the place of a self-loop.
    """

    reads_edges = True
    heads: ClassVar[int] = 4

    def __init__(self, width: int, edge_width: int, aggregation: Aggregation) -> None:
        super().__init__(width, edge_width, aggregation)
        _require_divisible(width, self.heads)
        self.own = nn.Linear(width, width)
        self.value = nn.Linear(width, width, bias=False)
        self.score_source = nn.Linear(width, self.heads, bias=False)
        self.score_destination = nn.Linear(width, self.heads, bias=False)
        self.score_edge = nn.Linear(edge_width, self.heads, bias=False) if edge_width else None

    def forward(self, x: Tensor, edge_features: Tensor | None, graph: GraphBatch) -> Tensor:
        """See the module."""
        source, destination = graph.edge_index
        value = self.value(x)
        score = self.score_source(value)[source] + self.score_destination(value)[destination]
        if self.score_edge is not None:
            score = score + self.score_edge(edge_features)
        attention = segment_log_softmax(F.leaky_relu(score, 0.2), graph.in_edges).exp()
        messages = neighbour_weighted_sum(value.unflatten(1, (self.heads, -1)), attention, graph)
        return self.own(x) + messages.reshape(x.shape)


class GATv2(MessagePassingLayer):
    """x_i ← W₁ x_i + Σ_j α_ij V x_j with α_ij = softmax_j a · LeakyReLU(Q x_i + V x_j + W_e e_ij) (Brody et al. 2022).

    Four heads side by side. The term W₁ x_i takes the place of a self-loop.
    """

    reads_edges = True
    heads: ClassVar[int] = 4

    def __init__(self, width: int, edge_width: int, aggregation: Aggregation) -> None:
        super().__init__(width, edge_width, aggregation)
        _require_divisible(width, self.heads)
        self.own = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.value = nn.Linear(width, width, bias=False)
        self.edge = nn.Linear(edge_width, width, bias=False) if edge_width else None
        self.score = nn.Parameter(torch.empty(self.heads, width // self.heads))
        nn.init.xavier_uniform_(self.score)

    def forward(self, x: Tensor, edge_features: Tensor | None, graph: GraphBatch) -> Tensor:
        """See the module."""
        source, destination = graph.edge_index
        value = self.value(x)
        hidden = value[source] + self.query(x)[destination]
        if self.edge is not None:
            hidden = hidden + self.edge(edge_features)
        hidden = F.leaky_relu(hidden, 0.2).view(-1, self.heads, self.score.shape[1])
        attention = segment_log_softmax((hidden * self.score).sum(-1), graph.in_edges).exp()
        messages = neighbour_weighted_sum(value.unflatten(1, (self.heads, -1)), attention, graph)
        return self.own(x) + messages.reshape(x.shape)


def _require_divisible(width: int, heads: int) -> None:
    if width % heads:
        raise ValueError(f"encoder width {width} is not divisible by the {heads} attention heads; choose a multiple")
