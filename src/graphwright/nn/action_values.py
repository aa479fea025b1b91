"""Critics of a team that read what its agents do: counterfactual values, and values through which actions learn."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation
from graphwright.core.rows import DECIDERS, NEIGHBOURS
from graphwright.core.segment import Segments, segment_sum
from graphwright.distributions import RaggedCategorical
from graphwright.nn.encoders import EncoderConfig
from graphwright.nn.reducers import TeamEmbedding, TeamEncoder, TeamInputs


class Candidates(nn.Module):
    """What each candidate of each agent is, [K, width]: a map of the agent's row for each column, or of a neighbour.

    No action that was taken is in it.
    """

    def __init__(self, actions: ActionSpec, width: int) -> None:
        super().__init__()
        self.actions = actions
        self.maps = nn.ModuleList(nn.Linear(width, block.columns * width) for block in actions.blocks)

    def forward(self, team: TeamEmbedding, graph: GraphBatch) -> Tensor:
        """[K, width], decision by decision."""
        row = self.actions.decider.deciders(graph)[0]
        parts = []
        for block, map_ in zip(self.actions.blocks, self.maps, strict=True):
            rows = team.agents
            if block.rows == NEIGHBOURS:
                rows = team.embedding.nodes[graph.edge_index[1, NEIGHBOURS.places(graph, row)]]
            else:
                assert block.rows == DECIDERS
            parts.append(map_(rows).view(-1, team.agents.shape[1]))
        order = self.actions.layout(graph).order
        every = torch.cat(parts)
        return every if order is None else every.index_select(0, order)


class TeamCritic(nn.Module):
    """An encoder of its own, what each candidate (or number) is, and φ(h, a): a row for what each agent does."""

    def __init__(self, features: Features, actions: ActionSpec, encoder: EncoderConfig, inputs: TeamInputs) -> None:
        super().__init__()
        self.actions = actions
        self.team = TeamEncoder(features, actions, encoder, inputs)
        width = self.team.width
        self.candidates: nn.Module = (
            nn.Linear(width + actions.blocks[0].columns, width) if actions.continuous else Candidates(actions, width)
        )
        self.done = nn.Sequential(nn.Linear(width, width), nn.ReLU())
        self.agent = nn.Linear(width, width)
        self.state = nn.Linear(self.team.reducer.state_width, width, bias=False)
        self.rows = nn.Linear(self.team.reducer.rows_width, width, bias=False)
        self.candidate = nn.Linear(width, width, bias=False)

    def context(self, team: TeamEmbedding, rows: Tensor) -> Tensor:
        """[D, width]: of each agent, its team, and `rows` [D, rows_width] of what is done."""
        return self.agent(team.agents) + self.state(team.state).index_select(0, team.graphs.index) + self.rows(rows)


class CounterfactualValue(TeamCritic):
    """Q_i(s, (a, a_-i)) for every candidate a of agent i at once, [K]: Q([h, pool, others(φ(h, a))]).

    Foerster et al. 2018, "Counterfactual multi-agent policy gradients", section 4. The agent's own action is in none of
    its own values.
    """

    def __init__(self, features: Features, actions: ActionSpec, encoder: EncoderConfig, inputs: TeamInputs) -> None:
        super().__init__(features, actions, encoder, inputs)
        self.value = nn.Linear(self.team.width, 1)

    @override
    def forward(self, observation: Observation, action: Tensor) -> RaggedCategorical:
        """The values as logits, -∞ where a candidate is illegal; action: [D] int64, what all agents do."""
        graph = observation.graph
        team, layout = self.team(graph), self.actions.layout(graph)
        each = self.candidates(team, graph)
        hidden = self.context(
            team, self.team.reducer.others(self._taken(each, layout.segments.ptr, action), team.graphs)
        )
        values = self.value((hidden.index_select(0, layout.segments.index) + self.candidate(each)).relu()).squeeze(1)
        return RaggedCategorical(values, layout.segments, layout.arrange(observation.masks))

    def _taken(self, each: Tensor, ptr: Tensor, action: Tensor) -> Tensor:
        """[D, width]: φ of the candidates that were taken, 0 where nothing was."""
        if not len(each):
            return each.new_zeros(len(action), self.team.width)
        idle = (action < 0).unsqueeze(1)
        return self.done(each[(ptr[:-1] + action).masked_fill(idle.squeeze(1), 0)]).masked_fill(idle, 0)


class JointValue(TeamCritic):
    """Q_i(s, a) of each agent, [D]: Q([h, Σ φ(h, a)]).

    Lowe et al. 2017, "Multi-agent actor-critic for mixed cooperative-competitive environments".
    Discrete actions are shares of the candidates, continuous ones numbers. heads: 1, a head for all agents; or one for
    each of so many places, as published.
    """

    def __init__(
        self, features: Features, actions: ActionSpec, encoder: EncoderConfig, inputs: TeamInputs, heads: int = 1
    ) -> None:
        super().__init__(features, actions, encoder, inputs)
        width = self.team.width
        self.heads = nn.ModuleList(nn.Sequential(nn.ReLU(), nn.Linear(width, 1)) for _ in range(heads))

    @override
    def forward(self, observation: Observation, action: Tensor) -> Tensor:
        """[D]. action: [K], how much of each candidate is done, 1 of one for each agent; or [D, columns]."""
        return self._values(observation, action, self.team.reducer.everyone)

    def through_own(self, observation: Observation, action: Tensor) -> Tensor:
        """[D]: the same values, Q([h, own_gradient(φ(h, a))]), whose gradient by a_i is that of Q_i only.

        One pass is the loop over agents, each with the others' actions held fixed.
        """
        return self._values(observation, action, self.team.reducer.own_gradient)

    def _values(self, observation: Observation, action: Tensor, reduce: Callable[[Tensor, Segments], Tensor]) -> Tensor:
        graph = observation.graph
        team = self.team(graph)
        if self.actions.continuous:
            own = self.candidates(torch.cat([team.agents, action], dim=1))
        else:
            own = segment_sum(self.candidates(team, graph) * action.unsqueeze(1), self.actions.segments(graph))
        hidden = self.context(team, reduce(self.done(own), team.graphs)) + self.candidate(own)
        if len(self.heads) == 1:
            return self.heads[0](hidden).squeeze(1)
        values = hidden.new_zeros(len(hidden))
        for place, head in enumerate(self.heads):
            chosen = (team.graphs.position == place).nonzero().squeeze(1)
            values = values.index_copy(0, chosen, head(hidden[chosen]).squeeze(1))
        return values
