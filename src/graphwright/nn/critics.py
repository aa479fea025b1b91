"""Critics: what an encoder made of an observation → the value of each graph, or of each decision."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import Features, GraphBatch, RowKind
from graphwright.nn.encoders import Embedding, EncoderConfig
from graphwright.nn.heads.decider import DeciderHidden, OwnHidden, decider_reader
from graphwright.nn.heads.graph import whole_graph
from graphwright.nn.pools import Pool, Pooling
from graphwright.nn.reducers import TeamInputs
from graphwright.nn.vectors import VectorEncoder


class GraphValue(nn.Module):
    """MLP on the pooled embedding: the value of each graph, [B].

    graph_width: columns of the graph that it reads beside the nodes, as it must where graphs may have none.
    """

    def __init__(self, width: int, pooling: Pooling, graph_width: int = 0) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.reads_columns = graph_width > 0
        self.mlp = nn.Sequential(nn.Linear(self.pool.out_width + graph_width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[B]."""
        return self.mlp(whole_graph(self.pool, embedding, graph, self.reads_columns)).squeeze(1)


class DecisionValue(nn.Module):
    """MLP on [decider ‖ pooled graph]: the value of each decision, of a node or of an edge, [D]."""

    def __init__(self, decider: RowKind, width: int, edge_width: int, pooling: Pooling, graph_width: int = 0) -> None:
        super().__init__()
        self.hidden = DeciderHidden(decider, width, edge_width, pooling, graph_width)
        self.value = nn.Linear(width, 1)

    def forward(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[D]."""
        return self.value(self.hidden(embedding, graph)).squeeze(1)


class OwnValue(OwnHidden):
    """MLP on the embedding of the decider alone, which sees as far as the encoder: the value of each decision, [D]."""

    def __init__(self, decider: RowKind, width: int, edge_width: int) -> None:
        super().__init__(decider, width, edge_width)
        self.value = nn.Linear(width, 1)

    def forward(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[D]."""
        return self.value(self.hidden(embedding, graph)).squeeze(1)


class OwnActionValue(OwnHidden):
    """MLP on the embedding of the decider and the numbers that it does, alone: Q of each decision, [D]."""

    def __init__(self, decider: RowKind, width: int, edge_width: int, columns: int) -> None:
        super().__init__(decider, width, edge_width)
        self.action = nn.Linear(columns, width, bias=False)
        self.value = nn.Linear(width, 1)

    def forward(self, embedding: Embedding, graph: GraphBatch, action: Tensor) -> Tensor:
        """[D]; action: [D, columns] float32."""
        row, _ = self.decider.deciders(graph)
        return self.value((self.reader(embedding, graph, row) + self.action(action)).relu()).squeeze(1)


class VectorValue(nn.Module):
    """MLP on the columns of all nodes side by side, where these have names: the value of each graph, [B].

    It has weights of its own and reads nothing of the actor's encoder. Raises ValueError where nodes have no names.
    """

    def __init__(self, features: Features, width: int, depth: int = 2) -> None:
        super().__init__()
        self.encoder = VectorEncoder(features, EncoderConfig("mlp", width=width, depth=depth))
        self.value = nn.Linear(width, 1)

    def forward(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[B]."""
        return self.value(self.encoder(graph).whole).squeeze(1)


class ConcatenatedValue(nn.Module):
    """MLP on the rows of up to so many agents side by side: the value of each graph [B], the baseline to pooling.

    own: whether each decision has a value [D] instead, of that and its own row.
    """

    def __init__(self, decider: RowKind, width: int, edge_width: int, inputs: TeamInputs, own: bool) -> None:
        super().__init__()
        self.decider = decider
        self.reader = decider_reader(decider, width, edge_width)
        self.reducer = inputs.reducer(width)
        self.state = nn.Linear(self.reducer.state_width, width)
        self.own = nn.Linear(width, width, bias=False) if own else None
        self.value = nn.Linear(width, 1)

    def forward(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[B] or [D]."""
        row, graphs = self.decider.deciders(graph)
        agents = self.reader(embedding, graph, row)
        hidden = self.state(self.reducer.state(agents, graphs, embedding, graph))
        if self.own is not None:
            hidden = hidden.index_select(0, graphs.index) + self.own(agents)
        return self.value(hidden.relu()).squeeze(1)
