"""Scores of nodes: by an MLP, or by how near their embeddings are to a proto-action."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.gives import Gives
from graphwright.nn.heads.graph import whole_graph
from graphwright.nn.kernels import pair_scores
from graphwright.nn.pools import Pool, Pooling

NodeHead = Literal["score", "linear", "proto-distance", "proto-cosine"]


class NodeScore(nn.Module):
    """MLP on [node ‖ graph]: `columns` scores for each node, [N, columns].

    The graph's share of the first layer is computed once a graph and handed to its nodes: the same numbers as for the
    concatenation, without building it. graph_width: columns of the graph that are read beside the pooled nodes.
    """

    gives: Gives = "scores"

    def __init__(self, width: int, columns: int, pooling: Pooling, graph_width: int = 0) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.reads_columns = graph_width > 0
        self.node = nn.Linear(width, width)
        self.graph = nn.Linear(self.pool.out_width + graph_width, width, bias=False)
        self.score = small_linear(width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[N, columns]."""
        x = embedding.nodes
        context = self.graph(whole_graph(self.pool, embedding, graph, self.reads_columns))
        rows = torch.arange(x.shape[0], device=x.device)
        return pair_scores(self.node(x), context, torch.stack([rows, graph.node_graph]), self.score.weight)


class LinearScore(nn.Module):
    """Weights on the node's embedding alone: `columns` scores for each node, [N, columns].

    With an encoder of depth 0 and without normalisation, a linear function of the columns that a node has.
    """

    gives: Gives = "scores"

    def __init__(self, width: int, columns: int) -> None:
        super().__init__()
        self.score = small_linear(width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[N, columns]."""
        return self.score(embedding.nodes)


class ProtoAction(nn.Module):
    """An MLP of the pooled embedding predicts a vector a column; a node scores by its nearness to it, [N, columns].

    Nearness is minus the Euclidean distance or the cosine, over a learned temperature exp(t) (the proto-action of
    Dulac-Arnold et al. 2015, "Deep reinforcement learning in large discrete action spaces", with a softmax over all
    candidates in place of its nearest neighbours, so that log-probabilities are exact).
    """

    gives: Gives = "nearness"

    def __init__(
        self,
        width: int,
        columns: int,
        pooling: Pooling,
        nearness: Literal["distance", "cosine"],
        graph_width: int = 0,
    ) -> None:
        super().__init__()
        self.nearness = minus_distance if nearness == "distance" else cosine
        self.columns = columns
        self.pool = Pool(pooling, width)
        self.reads_columns = graph_width > 0
        pooled_width = self.pool.out_width + graph_width
        self.proto = nn.Sequential(nn.Linear(pooled_width, width), nn.ReLU(), nn.Linear(width, columns * width))
        self.log_temperature = nn.Parameter(torch.zeros(()))

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[N, columns]."""
        x = embedding.nodes
        pooled = whole_graph(self.pool, embedding, graph, self.reads_columns)
        proto = self.proto(pooled).unflatten(1, (self.columns, -1))
        return self.nearness(x.unsqueeze(1), proto.index_select(0, graph.node_graph)) * (-self.log_temperature).exp()


def minus_distance(x: Tensor, proto: Tensor) -> Tensor:
    """−‖x − proto‖ over the last dimension, with a finite gradient where they meet."""
    return -((x - proto).square().sum(-1) + 1e-12).sqrt()


def cosine(x: Tensor, proto: Tensor) -> Tensor:
    """The cosine of the angle between the last dimensions."""
    return F.cosine_similarity(x, proto, dim=-1)


def small_linear(width: int, columns: int) -> nn.Linear:
    """The last layer of a score, with small weights: the first policy is close to uniform.

    Andrychowicz et al. 2021, "What matters for on-policy deep actor-critic methods?", section 3.2. No bias: what is
    added to all scores changes no softmax.
    """
    linear = nn.Linear(width, columns, bias=False)
    nn.init.normal_(linear.weight, std=0.01)
    return linear


def make_node_head(kind: NodeHead, width: int, columns: int, pooling: Pooling, graph_width: int = 0) -> nn.Module:
    """The head that `kind` names. graph_width: columns of the graph that it reads; a linear one has no use for them."""
    match kind:
        case "score":
            return NodeScore(width, columns, pooling, graph_width)
        case "linear":
            return LinearScore(width, columns)
        case "proto-distance":
            return ProtoAction(width, columns, pooling, "distance", graph_width)
        case "proto-cosine":
            return ProtoAction(width, columns, pooling, "cosine", graph_width)
