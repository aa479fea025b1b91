"""What a critic or a mixer reads of a team: rows of agents, pooled, or concatenated up to some number of agents."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch
from graphwright.core.segment import Segments
from graphwright.functional import reducers
from graphwright.nn.encoders import Embedding, EncoderConfig
from graphwright.nn.heads.decider import decider_reader
from graphwright.nn.pools import Pool, Pooling
from graphwright.nn.recurrent import encoder_of

Inputs = Literal["pooled", "concatenated"]


@dataclass(frozen=True)
class TeamInputs:
    """What is read of a team. option: what the names of these settings begin with on the command line."""

    option: str
    inputs: Inputs
    max_agents: int
    pooling: Pooling

    def reducer(self, width: int) -> Reducer:
        """The reducer of rows of that width."""
        if self.inputs == "pooled":
            return Pooled(width, self.pooling)
        return Concatenated(width, self)

    def require_places(self, graphs: Segments) -> None:
        """Raise ValueError, naming the option, where a graph has more agents than there are places for."""
        largest = int(graphs.lengths.max()) if graphs.num_groups else 0
        if largest > self.max_agents:
            raise ValueError(
                f"--{self.option}.max-agents {self.max_agents}: a graph has {largest} agents; give at least {largest}, "
                f"or take what pools (--{self.option}.inputs pooled), which holds any number"
            )


class Reducer(nn.Module):
    """Rows of agents [D, width] → what is said of their team, whatever the number of agents.

    state_width, rows_width: of what `state`, and what the other methods, return.
    """

    state_width: int
    rows_width: int

    @abstractmethod
    def state(self, agents: Tensor, graphs: Segments, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[B, state_width]: the whole team; agents: [D, width], graphs: D → B."""

    @abstractmethod
    def others(self, rows: Tensor, graphs: Segments) -> Tensor:
        """[D, rows_width]: of `rows` [D, width], those of the other agents of the graph."""

    @abstractmethod
    def everyone(self, rows: Tensor, graphs: Segments) -> Tensor:
        """[D, rows_width]: of `rows` [D, width], those of all agents of the graph."""

    @abstractmethod
    def own_gradient(self, rows: Tensor, graphs: Segments) -> Tensor:
        """[D, rows_width]: as `everyone`, but each passes a gradient to its own row only."""


class Pooled(Reducer):
    """Sums: any number of agents, in any order. The state is pooled over all nodes, deciders or not."""

    def __init__(self, width: int, pooling: Pooling) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.state_width = self.pool.out_width
        self.rows_width = width

    @override
    def state(self, agents: Tensor, graphs: Segments, embedding: Embedding, graph: GraphBatch) -> Tensor:
        return embedding.pooled(self.pool, graph)

    @override
    def others(self, rows: Tensor, graphs: Segments) -> Tensor:
        return reducers.others(rows, graphs)

    @override
    def everyone(self, rows: Tensor, graphs: Segments) -> Tensor:
        return reducers.pool(rows, graphs).index_select(0, graphs.index)

    @override
    def own_gradient(self, rows: Tensor, graphs: Segments) -> Tensor:
        return reducers.own_gradient(rows, graphs)


class Concatenated(Reducer):
    """The rows of up to `most` agents side by side, in their order, and zeros where there are fewer.

    The fixed-size input of the published critics, as a baseline. Raises ValueError, naming the option, where a graph
    has more agents.
    """

    def __init__(self, width: int, inputs: TeamInputs) -> None:
        super().__init__()
        self.inputs = inputs
        self.most = inputs.max_agents
        self.state_width = self.rows_width = self.most * width

    @override
    def state(self, agents: Tensor, graphs: Segments, embedding: Embedding, graph: GraphBatch) -> Tensor:
        return self._side_by_side(agents, graphs).flatten(1)

    @override
    def others(self, rows: Tensor, graphs: Segments) -> Tensor:
        own = self._own(graphs)
        return self._side_by_side(rows, graphs)[graphs.index].masked_fill(own, 0).flatten(1)

    @override
    def everyone(self, rows: Tensor, graphs: Segments) -> Tensor:
        return self._side_by_side(rows, graphs)[graphs.index].flatten(1)

    @override
    def own_gradient(self, rows: Tensor, graphs: Segments) -> Tensor:
        fixed = self._side_by_side(rows.detach(), graphs)[graphs.index]
        return torch.where(self._own(graphs), rows.unsqueeze(1), fixed).flatten(1)

    def _side_by_side(self, rows: Tensor, graphs: Segments) -> Tensor:
        """[B, most, width]."""
        self.inputs.require_places(graphs)
        padded = rows.new_zeros(graphs.num_groups * self.most, rows.shape[1])
        place = graphs.index * self.most + graphs.position
        return padded.index_copy(0, place, rows).unflatten(0, (-1, self.most))

    def _own(self, graphs: Segments) -> Tensor:
        """[D, most, 1] bool: the place of each row."""
        return (torch.arange(self.most, device=graphs.ptr.device) == graphs.position[:, None]).unsqueeze(2)


class TeamEmbedding(NamedTuple):
    """What an encoder makes of a batch of teams. agents: [D, width]; graphs: D → B; state: [B, state_width]."""

    agents: Tensor
    graphs: Segments
    state: Tensor
    embedding: Embedding


class TeamEncoder(nn.Module):
    """An encoder of its own, a row for each agent, and a reducer. width: of the rows.

    own: otherwise it has no encoder, and reads what another one of that kind has made.
    """

    def __init__(
        self, features: Features, actions: ActionSpec, encoder: EncoderConfig, inputs: TeamInputs, own: bool = True
    ) -> None:
        super().__init__()
        self.actions = actions
        made = encoder_of(features, encoder, actions.decider)
        self.encoder = made if own else None
        self.width = made.width
        self.reader = decider_reader(actions.decider, self.width, made.edge_width)
        self.reducer = inputs.reducer(self.width)

    def forward(self, graph: GraphBatch, embedding: Embedding | None = None) -> TeamEmbedding:
        """Of observed graphs; embedding: what another encoder has made of them, where it has none of its own."""
        embedding = self.encoder(graph) if self.encoder is not None else embedding
        assert embedding is not None
        row, graphs = self.actions.decider.deciders(graph)
        agents = self.reader(embedding, graph, row)
        return TeamEmbedding(agents, graphs, self.reducer.state(agents, graphs, embedding, graph), embedding)


def of_places(states: Tensor, graphs: Segments) -> Tensor:
    """[D, width]: of `states` [B, most, width], the row at the place of each agent among those of its graph."""
    return states[graphs.index, graphs.position]
