"""Environments with several decisions a graph, small enough to be enumerated: what PPO must come close to is known."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    Observation,
    Step,
    from_edges,
    per_decider,
    per_neighbour,
)
from graphwright.core.rows import NEIGHBOURS
from graphwright.core.segment import segment_argmax, segment_max, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.team import Team

_NOTHING = Solution(torch.empty(0, dtype=torch.int64), torch.empty(2, 0, dtype=torch.int64))


def small_graphs(count: int, nodes: int, generator: torch.Generator) -> GraphBatch:
    """`count` undirected graphs: a cycle in random order and up to two more edges."""
    order = torch.rand(count, nodes, generator=generator).argsort(1)
    more = torch.randint(nodes, (2, count, 2), generator=generator)
    pairs = torch.cat([torch.stack([order, order.roll(1, 1)]), more], dim=2).sort(0).values
    pairs = (pairs + torch.arange(count)[:, None] * nodes).flatten(1)
    pairs = pairs[:, pairs[0] != pairs[1]].unique(dim=1)
    return from_edges(pairs, torch.full((count,), nodes), undirected=True)


@dataclass(frozen=True)
class Spins(Optimization):
    """Every node is up or down, all at once, for Σ field · spin + Σ coupling · spin · spin: an Ising model's energy.

    Instance: node column `field` [N], edge column `coupling` [E]. State: adds the graph columns `energy` [B] and `over`
    [B] bool, whether the one step is taken. All share the reward.
    """

    features = Features(nodes={"field": 1}, edges={"coupling": 1})
    actions = ActionSpec(per_decider("spin", 2), decider="nodes")
    maximise = True

    def instance(self, graph: GraphBatch) -> GraphBatch:
        return graph.keep(nodes=["field"], edges=["coupling"])

    def reset(self, instances: GraphBatch) -> GraphBatch:
        zero = torch.zeros(instances.num_graphs)
        return instances.with_graphs(energy=zero, over=zero.bool())

    def observe(self, state: GraphBatch) -> Observation:
        alive = ~state.graphs["over"][state.node_graph]
        return Observation(state.keep(["field"], ["coupling"]), (alive.unsqueeze(1).expand(-1, 2),))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        energy = self.energy(state, action)
        over = torch.ones_like(energy, dtype=torch.bool)
        return Step(state.with_graphs(energy=energy, over=over), energy, over, ~over)

    def energy(self, state: GraphBatch, action: Tensor) -> Tensor:
        """[B] of the spins that `action` [N] gives, 0 for down."""
        spin = 2.0 * action - 1
        source, destination = state.edge_index
        field = segment_sum(state.nodes["field"] * spin, state.node_segments)
        return field + segment_sum(state.edges["coupling"] * spin[source] * spin[destination], state.edge_segments) / 2

    def objective(self, state: GraphBatch) -> Tensor:
        return state.graphs["energy"].double()

    def is_complete(self, state: GraphBatch) -> Tensor:
        return state.graphs["over"]

    def solution(self, state: GraphBatch) -> Solution:
        return _NOTHING


@dataclass(frozen=True)
class LinkSpins(Spins):
    """Every link is taken or not, all at once: its `gain` where it is, less ½ for each two taken links that meet."""

    features = Features(nodes={"field": 1}, edges={"coupling": 1})
    actions = ActionSpec(per_decider("take", 2), decider="edges")

    def observe(self, state: GraphBatch) -> Observation:
        alive = ~state.graphs["over"][state.links[1].index]
        return Observation(state.keep(["field"], ["coupling"]), (alive.unsqueeze(1).expand(-1, 2),))

    def energy(self, state: GraphBatch, action: Tensor) -> Tensor:
        rows, links = state.links
        gain = segment_sum(state.edges["coupling"][rows] * action, links)
        taken = torch.zeros(state.num_nodes).index_add(0, state.edge_index[:, rows].flatten(), action.repeat(2).float())
        return gain - segment_sum(taken * (taken - 1) / 4, state.node_segments)


def spin_instances(count: int, generator: torch.Generator, nodes: int = 6) -> GraphBatch:
    """Fields of both signs, couplings that favour neighbours that agree."""
    graph = small_graphs(count, nodes, generator)
    rows, _ = graph.links
    coupling = torch.empty(graph.num_edges)
    drawn = 0.3 + 0.6 * torch.rand(rows.numel(), generator=generator)
    opposite = graph.edges["reverse"][rows] + graph.edge_ptr[:-1][graph.edge_graph[rows]]
    coupling[rows], coupling[opposite] = drawn, drawn
    field = torch.randn(graph.num_nodes, generator=generator)
    return graph.with_nodes(field=field).with_edges(coupling=coupling)


@dataclass(frozen=True)
class Foragers(Optimization, Team):
    """Agents on nodes go to a free neighbour or stay, and eat what is there: a reward of their own.

    Instance: node columns `supply` [N] of food, `lot` [N], by which the higher goes first where several want a node;
    `born` [N] int64, the life of an agent that begins there, at time `arrival` [N] int64; 0 for none.
    State: adds the node columns `food`, `rank` [N], `life` [N] int64, the steps that its agent still has, and the graph
    columns `time` [B] int64, `eaten` [B].
    Action: each agent goes to a free neighbour or stays. Reward: the food of the node that it reaches.
    Termination: after `horizon` steps, or when nobody is there. An agent dies when its life is over; others join.
    """

    horizon: int = 4

    features = Features(nodes={"food": 1, "life": 1, "rank": 1, "coming": 1}, graphs={"time": 1})
    actions = ActionSpec(per_neighbour("go"), per_decider("stay"), decider="nodes")
    own_reward = True
    maximise = True

    def instance(self, graph: GraphBatch) -> GraphBatch:
        return graph.keep(nodes=["supply", "lot", "born", "arrival"])

    def reset(self, instances: GraphBatch) -> GraphBatch:
        nodes = instances.nodes
        zero = torch.zeros(instances.num_graphs)
        life = torch.where(nodes["arrival"] == 0, nodes["born"], 0)
        state = instances.with_nodes(food=nodes["supply"], life=life, rank=nodes["lot"] * (life > 0))
        return state.with_graphs(time=zero.long(), eaten=zero)

    def observe(self, state: GraphBatch) -> Observation:
        nodes, time = state.nodes, state.graphs["time"][state.node_graph]
        graph = self._acting(state)
        coming = torch.where((nodes["arrival"] > time) & (nodes["born"] > 0), 1.0 / (1 + nodes["arrival"] - time), 0.0)
        row, graphs = graph.acting_nodes
        free = nodes["life"][graph.edge_index[1, NEIGHBOURS.places(graph, row)]] == 0
        largest = segment_max(nodes["supply"], state.node_segments)[state.node_graph]  # no unit is seen
        seen = graph.with_nodes(food=nodes["food"] / largest, coming=coming, life=nodes["life"].float())
        alive = (state.graphs["time"] < self.horizon)[graphs.index]
        return Observation(seen, (free & alive[NEIGHBOURS.segments(graph, row).index], alive))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        graph, nodes = self._acting(state), state.nodes
        row, graphs = graph.acting_nodes
        node = self._reached(graph, row, action)
        food, before = nodes["food"][node], nodes["life"][row] - 1
        life = torch.zeros_like(nodes["life"]).index_put((node,), before)
        rank = torch.zeros_like(nodes["rank"]).index_put((node,), nodes["rank"][row])
        time = state.graphs["time"] + 1
        joins = (nodes["arrival"] == time[state.node_graph]) & (life == 0) & (nodes["born"] > 0)
        life, rank = torch.where(joins, nodes["born"], life), torch.where(joins, nodes["lot"], rank * (life > 0))
        following = state.with_nodes(food=nodes["food"].index_fill(0, node, 0), life=life, rank=rank).with_graphs(
            time=time, eaten=state.graphs["eaten"] + segment_sum(food, graphs)
        )
        place = (life > 0).cumsum(0) - 1
        first = torch.cat([torch.zeros(1, dtype=torch.int64), (life > 0).cumsum(0)])[state.node_ptr[:-1]]
        successor = torch.where(before > 0, place[node] - first[state.node_graph[node]], -1)
        over = (time >= self.horizon) | (segment_sum(life > 0, state.node_segments) == 0)
        return Step(following, food, over, torch.zeros_like(over), successor)

    def _acting(self, state: GraphBatch) -> GraphBatch:
        return state.with_nodes(acts=state.nodes["life"] > 0)

    def _reached(self, graph: GraphBatch, row: Tensor, action: Tensor) -> Tensor:
        """[D]: the node that each agent reaches; of several who want one, the highest rank does, and others stay."""
        choice, edges = self.actions.locate(graph, action), NEIGHBOURS.places(graph, row)
        moves = choice.block == 0
        wanted = row.clone()
        start = NEIGHBOURS.segments(graph, row).ptr[:-1]
        wanted[moves] = graph.edge_index[1, edges[(start + choice.row)[moves]]]
        rank = graph.nodes["rank"][row]
        best = torch.full((graph.num_nodes,), -torch.inf).scatter_reduce(0, wanted, rank, "amax")
        return torch.where(rank == best[wanted], wanted, row)

    def objective(self, state: GraphBatch) -> Tensor:
        return state.graphs["eaten"].double()

    def is_complete(self, state: GraphBatch) -> Tensor:
        return (state.graphs["time"] >= self.horizon) | (segment_sum(state.nodes["life"], state.node_segments) == 0)

    def solution(self, state: GraphBatch) -> Solution:
        return _NOTHING


def forager_instances(count: int, generator: torch.Generator) -> GraphBatch:
    """Six nodes: two agents at first, of lives 2 to 4, and one that joins at time 1 or 2."""
    graph = small_graphs(count, 6, generator)
    order = torch.rand(count, 6, generator=generator).argsort(1)
    life = torch.randint(2, 5, (count, 6), generator=generator)
    born = torch.where(order < 3, life, 0).flatten()
    arrival = torch.where(order == 2, torch.randint(1, 3, (count, 6), generator=generator), 0).flatten()
    supply, lot = torch.rand(2, count * 6, generator=generator)
    return graph.with_nodes(supply=supply, lot=0.1 + lot, born=born, arrival=arrival)


def greedy(environment: Environment, observation: Observation) -> Tensor:
    """What each decider would do if it were alone: follow its field, take what gains, go where there is most food."""
    graph = observation.graph
    if isinstance(environment, LinkSpins):
        return (graph.edges["coupling"][graph.links[0]] > 0).long()
    if isinstance(environment, Spins):
        return (graph.nodes["field"] > 0).long()
    row, _ = graph.acting_nodes
    food = graph.nodes["food"]
    layout = environment.actions.layout(graph)
    worth = layout.arrange([food[graph.edge_index[1, NEIGHBOURS.places(graph, row)]], food[row]])
    return segment_argmax(worth.masked_fill(~layout.arrange(observation.masks), -torch.inf), layout.segments)


def optimum(environment: Environment, instances: GraphBatch) -> Tensor:
    """[B] float64: the best objective of each instance over all joint actions, by enumeration."""
    state = environment.reset(instances)
    owner = torch.arange(state.num_graphs)
    best = torch.full((state.num_graphs,), -torch.inf, dtype=torch.float64)
    while state.num_graphs:
        rows, action = joint_actions(environment, state)
        state, owner = state.select(rows), owner[rows]
        step = environment.step(state, action)
        over = step.terminated | step.truncated
        best = best.scatter_reduce(0, owner[over], environment.objective(step.state.select(over)), "amax")
        state, owner = _distinct(step.state.select(~over), owner[~over])
    return best


def joint_actions(environment: Environment, state: GraphBatch) -> tuple[Tensor, Tensor]:
    """Every joint action of every graph of `state`: rows [S], the graphs that are acted in, and the actions in them."""
    observation = environment.observe(state)
    decisions = environment.actions.decisions(observation.graph)
    legal = environment.actions.arrange(observation.graph, observation.masks)
    places = [part.nonzero().squeeze(1).tolist() or [-1] for part in legal.split(decisions.candidates.lengths.tolist())]
    rows, actions, start = [], [], 0
    for graph, count in enumerate(decisions.graphs.lengths.tolist()):
        every = list(product(*places[start : start + count]))
        rows += [graph] * len(every)
        actions += [place for joint in every for place in joint]
        start += count
    return torch.tensor(rows, dtype=torch.int64), torch.tensor(actions, dtype=torch.int64)


def _distinct(state: GraphBatch, owner: Tensor) -> tuple[GraphBatch, Tensor]:
    """One of each set of equal states of an instance; what was eaten follows from what is left."""
    if not state.num_graphs:
        return state, owner
    size = state.num_nodes // state.num_graphs
    columns = [state.nodes[name].double().view(-1, size) for name in ("food", "life", "rank")]
    keys = torch.cat([owner[:, None].double(), *columns], dim=1)
    _, inverse = keys.unique(dim=0, return_inverse=True)
    first = torch.full((int(inverse.max()) + 1,), len(inverse)).scatter_reduce(
        0, inverse, torch.arange(len(inverse)), "amin"
    )
    return state.select(first), owner[first]


ENVIRONMENTS = {
    "spins of nodes": (Spins(), spin_instances),
    "links taken": (LinkSpins(), spin_instances),
    "foragers": (Foragers(), forager_instances),
}
"""Name → environment, and what draws instances of it."""

__all__ = ["ENVIRONMENTS", "Foragers", "LinkSpins", "Spins", "greedy", "joint_actions", "optimum"]
