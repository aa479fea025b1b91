"""Patrol: no place of a map is to be left alone for long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_neighbour
from graphwright.core.numbers import require
from graphwright.core.segment import Segments, segment_argmax, segment_max, segment_mean, segment_sum
from graphwright.envs.team import Team
from graphwright.envs.teams.crowd import AGENT, LANDMARK, members, of_type

MAP = 3
"""Edge column `type` of the edges of the map; others are as in `crowd`."""


@dataclass(frozen=True)
class Patrol(Team):
    """Visit the places of a map so that none is left alone for long (Machado et al. 2002, "Multi-agent patrolling").

    Instance: agents and places; edges from each agent to each place, from each place to each agent, and those of the
        map, in both directions; node columns `type` [N] int64 (0 agent, 1 place), `leaves` [N] int64, the time at which
        an agent drops out, and `position` [N, 2] float32 of places; edge columns `type` [E] int64 and `start` [E] bool,
        true of the edge from each agent to where it begins.
    State: adds the edge column `here` [E] bool likewise, the node column `idle` [N] int64, how long ago a place was
        visited, and the graph columns `time` [B] int64 and `total` [B] float64, the sum of mean idleness so far.
    Observation: agents that have not dropped out act; per node its `type`, `seen`, whether an agent is at most `sight`
        steps away, and `idle`, log(1 + idleness) of places that are seen. Edges: those of the map, and from and to each
        agent those of the places where it can go, with `here` and their `type`.
    Action: of each agent, one of its edges: to a neighbour of where it is, or to stay.
    Reward: of the team, minus the mean idleness, divided by the number of places of an agent at the beginning.
    Truncation: after `steps`.
    """

    steps: int = 100
    """An episode is cut short after so many steps."""
    sight: int = 2
    """How many steps agents see."""

    features = Features(nodes={"idle": 1, "seen": 1}, edges={"here": 1}, node_types=2, edge_types=4)
    actions = ActionSpec(per_neighbour("go"), decider="nodes")

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no environment."""
        require("environment.steps", self.steps)
        require("environment.sight", self.sight, 0)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        time = torch.zeros(instances.num_graphs, dtype=torch.int64, device=instances.device)
        idle = torch.zeros_like(instances.nodes["type"])
        state = instances.with_edges(here=instances.edges["start"]).with_nodes(idle=idle)
        return state.with_graphs(time=time, total=time.double())

    @override
    def observe(self, state: GraphBatch) -> Observation:
        acts, seen = alive(state), _watched(state, self.sight)
        idle = state.nodes["idle"].float().log1p() * seen
        graph = state.keep(["type"], ["type", "here"]).with_nodes(acts=acts, seen=seen, idle=idle)
        shown = graph.filter_edges((state.edges["type"] == MAP) | _reachable(state))
        return Observation(shown, (torch.ones(self.actions.rows(shown)[0].num_rows, dtype=torch.bool),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        shown = state.with_edges(row=torch.arange(state.num_edges)).filter_edges(_reachable(state))
        order, out = shown.out_edges
        agents = alive(state).nonzero().squeeze(1)
        went = shown.edges["row"][order[out.ptr[:-1][agents] + action]]
        here = torch.zeros_like(state.edges["here"]).index_fill(0, went, True)
        gone = ~alive(state)[state.edge_index[0]] & state.edges["here"]
        visited = torch.zeros_like(state.nodes["idle"], dtype=torch.bool)
        visited = visited.index_fill(0, state.edge_index[1, went], True)
        places = state.nodes["type"] == LANDMARK
        idle = torch.where(visited | ~places, 0, state.nodes["idle"] + 1)
        mean = segment_mean(idle[places].double(), members(state, LANDMARK)[1])
        time = state.graphs["time"] + 1
        following = state.with_edges(here=here | gone).with_nodes(idle=idle)
        following = following.with_graphs(time=time, total=state.graphs["total"] + mean)
        each = members(state, LANDMARK)[1].lengths / members(state, AGENT)[1].lengths.clamp(min=1)
        stays = alive(following)
        place = segment_running(stays, state)
        successor = torch.where(stays, place, -1)[agents]
        reward = (-mean / each.clamp(min=1)).float()
        return Step(following, reward, torch.zeros_like(time, dtype=torch.bool), time >= self.steps, successor)

    @override
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        """`idleness`: in the mean over places and steps; `longest`: of the places at the end; `left`: agents."""
        places = members(state, LANDMARK)
        longest = segment_max(state.nodes["idle"][places[0]].double(), places[1])
        left = segment_sum(alive(state), state.node_segments).double()
        return {"idleness": state.graphs["total"] / state.graphs["time"].clamp(min=1), "longest": longest, "left": left}

    @override
    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        row = (state.edges["here"] & (state.edges["type"] == 2)).nonzero().squeeze(1)
        agent, place = state.edge_index[:, row]
        at = torch.full_like(state.nodes["position"], torch.nan)
        at = at.index_copy(0, agent, state.nodes["position"][place])
        last = state.graphs["time"][state.node_graph] > state.nodes["leaves"]  # where it went last it is still shown
        at = at.masked_fill(last.unsqueeze(1), torch.nan)
        return {"agents": at[of_type(state, AGENT)].unflatten(0, (state.num_graphs, -1))}

    @override
    def scene(self, instances: GraphBatch) -> Mapping[str, Tensor]:
        place, of_graph = members(instances, LANDMARK)
        number = torch.empty_like(instances.nodes["type"]).index_copy(0, place, of_graph.position)
        source, end = instances.edge_index
        rows = ((instances.edges["type"] == MAP) & (source < end)).nonzero().squeeze(1)
        graph = instances.edge_graph[rows]
        each = Segments.from_lengths(torch.bincount(graph, minlength=instances.num_graphs))
        links = number.new_full((instances.num_graphs, int(each.lengths.max()) if each.num_groups else 0, 2), -1)
        links[graph, each.position] = number[instances.edge_index[:, rows]].T
        landmarks = instances.nodes["position"][place].unflatten(0, (instances.num_graphs, -1))
        return {"landmarks": landmarks, "links": links}


def alive(state: GraphBatch) -> Tensor:
    """[N] bool: agents that have not dropped out."""
    return (state.nodes["type"] == AGENT) & (state.graphs["time"][state.node_graph] < state.nodes["leaves"])


def segment_running(mask: Tensor, state: GraphBatch) -> Tensor:
    """[N] int64: how many nodes of the same graph come before each where `mask` [N] is true."""
    before = mask.long().cumsum(0) - mask.long()
    return before - before[state.node_ptr[:-1].clamp(max=max(state.num_nodes - 1, 0))][state.node_graph]


def stalest(environment: Patrol, state: GraphBatch) -> Tensor:
    """[D] int64: each agent goes to where nobody has been for longest, of the places next to it; one after the other,
    since agents that are together would stay together: where another goes already has been visited."""
    shown = environment.observe(state).graph
    out = environment.actions.rows(shown)[0]
    order, every = shown.out_edges
    agents = environment.actions.decisions(shown).row
    place = shown.edge_index[1, order[every.ptr[:-1][agents][out.index] + out.position]]
    turn = Segments.from_lengths(torch.bincount(shown.node_graph[agents], minlength=shown.num_graphs)).position
    idle, chosen = state.nodes["idle"].double(), torch.zeros_like(agents)
    for number in range(int(turn.max()) + 1 if turn.numel() else 0):
        goes = (turn == number).nonzero().squeeze(1)
        chosen[goes] = segment_argmax(idle[place], out)[goes]
        idle[place[out.ptr[:-1][goes] + chosen[goes]]] = -1
    return chosen


def _place_of(state: GraphBatch) -> Tensor:
    """[N] int64: the place, over the union, where each agent is; of other nodes itself."""
    row = (state.edges["here"] & (state.edges["type"] == 2)).nonzero().squeeze(1)
    agent, place = state.edge_index[:, row]
    return torch.arange(state.num_nodes, device=state.device).index_copy(0, agent, place)


def _reachable(state: GraphBatch) -> Tensor:
    """[E] bool: the edges between an agent that has not dropped out and where it is, or a neighbour of that."""
    source, end = state.edge_index
    type_, place, acts = state.edges["type"], _place_of(state), alive(state)
    agent, other = torch.where(type_ == 1, end, source), torch.where(type_ == 1, source, end)
    on_map = (type_ == MAP).nonzero().squeeze(1)
    joined = end[on_map] * state.num_nodes + source[on_map]  # in rising order, as edges are
    key = other * state.num_nodes + place[agent]
    found = torch.searchsorted(joined, key).clamp(max=max(joined.numel() - 1, 0))
    near = joined[found] == key if joined.numel() else torch.zeros_like(key, dtype=torch.bool)
    return (type_ != MAP) & acts[agent] & (near | (other == place[agent]))


def _watched(state: GraphBatch, sight: int) -> Tensor:
    """[N] bool: agents that act, and places at most `sight` steps from one."""
    acts = alive(state)
    seen = acts.index_fill(0, _place_of(state)[acts], True)
    on_map = state.edges["type"] == MAP
    for _ in range(sight):
        seen = seen | (segment_sum(on_map & seen[state.edge_index[0]], state.in_edges) > 0)
    return seen
