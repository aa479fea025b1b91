"""Mixers: the value of each agent's own choice → one value a graph, or as they are."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.nn.encoders import Embedding, EncoderConfig
from graphwright.nn.heads.choice import HeadsConfig
from graphwright.nn.policies import GraphPolicy
from graphwright.nn.reducers import Concatenated, TeamEmbedding, TeamEncoder, TeamInputs, of_places


class Mixer(nn.Module):
    """`mixer(values, graph)`: [R] from the value of each agent's choice [D] on the observed graphs.

    embedding: what the agents' encoder makes of them, for a mixer that has no encoder of its own.
    """

    @abstractmethod
    def forward(self, values: Tensor, graph: GraphBatch, embedding: Embedding | None = None) -> Tensor:
        """[B], or [D]."""


class Separate(Mixer):
    """Each agent's value is its own, [D]: independent learners (Tan 1993)."""

    @override
    def forward(self, values: Tensor, graph: GraphBatch, embedding: Embedding | None = None) -> Tensor:
        return values


class Sum(Mixer):
    """[B]: Q(s, a) = Σ_i Q_i (Sunehag et al. 2018, "Value-decomposition networks")."""

    def __init__(self, actions: ActionSpec) -> None:
        super().__init__()
        self.actions = actions

    @override
    def forward(self, values: Tensor, graph: GraphBatch, embedding: Embedding | None = None) -> Tensor:
        return segment_sum(values, self.actions.deciders(graph))


class Monotone(Mixer):
    """[B]: Q(s, a) = |w(s)|ᵀ elu(Σ_i |W_i(s)| Q_i + b(s)) + c(s), with weights that networks make of the team.

    Rashid et al. 2018, "QMIX: monotonic value function factorisation", section 4. ∂Q / ∂Q_i ≥ 0, so that the best joint
    action is each agent's best. Pooled, W_i is made of agent i and of the pooled graph, by one network for all: any
    number of agents, in any order. Concatenated, W is made of the rows of all agents side by side, as published.
    own: whether the team is read by an encoder of its own, or through that of the agents.
    """

    def __init__(
        self,
        features: Features,
        actions: ActionSpec,
        encoder: EncoderConfig,
        inputs: TeamInputs,
        hidden: int = 32,
        own: bool = True,
    ) -> None:
        super().__init__()
        self.team = TeamEncoder(features, actions, encoder, inputs, own)
        width, state = self.team.width, self.team.reducer.state_width
        placed = isinstance(self.team.reducer, Concatenated)
        self.first = PlacedWeights(state, inputs.max_agents, hidden) if placed else AgentWeights(width, state, hidden)
        self.first_bias = nn.Linear(state, hidden)
        self.second = nn.Linear(state, hidden)
        self.second_bias = nn.Sequential(nn.Linear(state, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    @override
    def forward(self, values: Tensor, graph: GraphBatch, embedding: Embedding | None = None) -> Tensor:
        team = self.team(graph, embedding)
        mixed = segment_sum(values.unsqueeze(1) * self.first(team).abs(), team.graphs) + self.first_bias(team.state)
        return (F.elu(mixed) * self.second(team.state).abs()).sum(1) + self.second_bias(team.state).squeeze(1)


class AgentWeights(nn.Module):
    """[D, hidden] for each agent, of its own row and the state of its team."""

    def __init__(self, width: int, state_width: int, hidden: int) -> None:
        super().__init__()
        self.state = nn.Linear(state_width, width, bias=False)
        self.out = nn.Linear(width, hidden)

    def forward(self, team: TeamEmbedding) -> Tensor:
        """[D, hidden]."""
        return self.out((team.agents + self.state(team.state).index_select(0, team.graphs.index)).relu())


class PlacedWeights(nn.Module):
    """[D, hidden] for the place of each agent, of the state of its team."""

    def __init__(self, state_width: int, most: int, hidden: int) -> None:
        super().__init__()
        self.most = most
        self.out = nn.Linear(state_width, most * hidden)

    def forward(self, team: TeamEmbedding) -> Tensor:
        """[D, hidden]."""
        return of_places(self.out(team.state).unflatten(1, (self.most, -1)), team.graphs)


class MixedPolicy(GraphPolicy):
    """A `GraphPolicy` whose scores are values of each agent's candidates, with the mixer that they are learned by."""

    def __init__(
        self, features: Features, actions: ActionSpec, encoder: EncoderConfig, heads: HeadsConfig, mixer: Mixer
    ) -> None:
        super().__init__(features, actions, encoder, heads)
        self.mixer = mixer

    @override
    def acting_state(self) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in self.state_dict().items() if not name.startswith("mixer.")}
