"""Environments, instances and policies for tests that hold for any."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    Observation,
    Step,
    from_edges,
    out_edges,
    pair_ends,
    per_decider,
    per_edge,
    per_graph,
    per_neighbour,
    per_node,
    per_pair,
    per_unordered_pair,
    unordered_pair_nodes,
    unordered_pair_segments,
)
from graphwright.core.segment import segment_argmax, segment_max, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.optimization import Optimization, Solution, chosen_nodes
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.nn import ActorCritic, EncoderConfig, GraphPolicy, HeadsConfig

PAIR = from_edges(
    torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True, nodes={"weight": torch.tensor([0.5, 0.95])}
)
"""Two nodes and an edge: something to decide in every environment."""


def small_policy(environment: Environment) -> GraphPolicy:
    """The same one each time."""
    torch.manual_seed(0)
    return GraphPolicy(environment.features, environment.actions, EncoderConfig(width=8, depth=2), HeadsConfig())


def small_actor_critic(environment: Environment) -> ActorCritic:
    """The same policy, with a critic."""
    torch.manual_seed(0)
    return ActorCritic(environment.features, environment.actions, EncoderConfig(width=8, depth=2), HeadsConfig())


@dataclass(frozen=True)
class Walk(Optimization):
    """What VertexCover is not: visit any node, for the weight of it.

    A node of weight above 0.9 ends the episode, the third step cuts it short.
    State: adds the node column `visits` [N] int32, the edge column `used` [E] bool (edges into visited nodes) and the
    graph column `time` [B] int64.
    """

    limit: int = 3

    features = Features(nodes={"weight": 1, "visits": 1}, edges={"used": 1}, graphs={"time": 1})
    actions = ActionSpec(per_node("visit"))

    def instance(self, graph: GraphBatch) -> GraphBatch:
        return graph.keep(nodes=["weight"])

    def reset(self, instances: GraphBatch) -> GraphBatch:
        visits = torch.zeros(instances.num_nodes, dtype=torch.int32)
        time = torch.zeros(instances.num_graphs, dtype=torch.int64)
        return _with_used(instances.with_nodes(visits=visits).with_graphs(time=time))

    def observe(self, state: GraphBatch) -> Observation:
        return Observation(in_scale(state), (torch.ones(state.num_nodes, dtype=torch.bool),))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        node = state.node_ptr[:-1] + action
        visits = state.nodes["visits"].index_add(0, node, torch.ones_like(node, dtype=torch.int32))
        following = _with_used(state.with_nodes(visits=visits).with_graphs(time=state.graphs["time"] + 1))
        reward = state.nodes["weight"][node]
        terminated = reward > 0.9
        return Step(following, reward, terminated, ~terminated & (following.graphs["time"] >= self.limit))

    maximise = True

    def objective(self, state: GraphBatch) -> Tensor:
        return segment_sum(state.nodes["visits"] * state.nodes["weight"].double(), state.node_segments)

    def solution(self, state: GraphBatch) -> Solution:
        return chosen_nodes(state, "visits")

    def is_complete(self, state: GraphBatch) -> Tensor:
        return state.graphs["time"] > 0


def in_scale(state: GraphBatch) -> GraphBatch:
    """`state` with its weights over the largest of each graph, so that their unit changes nothing that is seen."""
    largest = segment_max(state.nodes["weight"].abs(), state.node_segments)
    return state.with_nodes(weight=state.nodes["weight"] / torch.where(largest > 0, largest, 1)[state.node_graph])


def _with_used(state: GraphBatch) -> GraphBatch:
    return state.with_edges(used=state.nodes["visits"][state.edge_index[1]] > 0)


@dataclass(frozen=True)
class Timed(Optimization):
    """The third step cuts an episode short; subclasses say what a step is worth in the column `total`."""

    limit: int = 3
    maximise = True

    def instance(self, graph: GraphBatch) -> GraphBatch:
        return graph.keep(nodes=["weight"])

    def reset(self, instances: GraphBatch) -> GraphBatch:
        zero = torch.zeros(instances.num_graphs)
        return instances.with_graphs(time=zero.long(), total=zero)

    def objective(self, state: GraphBatch) -> Tensor:
        return state.graphs["total"].double()

    def is_complete(self, state: GraphBatch) -> Tensor:
        return state.graphs["time"] > 0

    def solution(self, state: GraphBatch) -> Solution:
        return Solution(torch.empty(0, dtype=torch.int64), torch.empty(2, 0, dtype=torch.int64))

    def after(self, state: GraphBatch, reward: Tensor) -> Step:
        time = state.graphs["time"] + 1
        following = state.with_graphs(time=time, total=state.graphs["total"] + reward)
        return Step(following, reward, torch.zeros_like(time, dtype=torch.bool), time >= self.limit)


@dataclass(frozen=True)
class Hop(Timed):
    """Go along edges, for the weights of the nodes."""

    features = Features(nodes={"weight": 1})
    actions = ActionSpec(per_neighbour("go"))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """On the heaviest node, which a renumbering does not move."""
        return (
            super().reset(instances).with_graphs(at=segment_argmax(instances.nodes["weight"], instances.node_segments))
        )

    def observe(self, state: GraphBatch) -> Observation:
        return Observation(in_scale(state), (torch.ones(out_edges(state)[0].numel(), dtype=torch.bool),))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        rows, segments = out_edges(state)
        node = state.edge_index[1, rows[segments.ptr[:-1] + action]]
        return self.after(state.with_graphs(at=node - state.node_ptr[:-1]), state.nodes["weight"][node])


@dataclass(frozen=True)
class Join(Timed):
    """Join nodes by new edges, for the product of their weights; the graph itself is edited."""

    edits_graph = True
    features = Features(nodes={"weight": 1})
    actions = ActionSpec(per_pair("join"))

    def observe(self, state: GraphBatch) -> Observation:
        source, destination = pair_ends(state)
        size = state.num_nodes
        joined = torch.isin(source * size + destination, state.edge_index[0] * size + state.edge_index[1])
        return Observation(in_scale(state), ((source != destination) & ~joined,))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        size, start = state.node_segments.lengths, state.node_ptr[:-1]
        new = torch.stack([start + action // size, start + action % size])
        old = state.edge_index[:, state.links[0]]
        edited = from_edges(torch.cat([old, new], dim=1), size, undirected=True, nodes=state.nodes, graphs=state.graphs)
        step = self.after(edited, state.nodes["weight"][new].prod(0))
        stuck = segment_sum(self.observe(step.state).masks[0], self.actions.segments(step.state)) == 0
        return Step(step.state, step.reward, stuck, step.truncated & ~stuck)


@dataclass(frozen=True)
class Link(Timed):
    """Take two nodes, not both twice, for the product of their weights; the last two taken are marked."""

    features = Features(nodes={"weight": 1, "taken": 1})
    actions = ActionSpec(per_unordered_pair("link"))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        return super().reset(instances.with_nodes(taken=torch.zeros(instances.num_nodes, dtype=torch.bool)))

    def observe(self, state: GraphBatch) -> Observation:
        pairs = unordered_pair_segments(state)
        ends = torch.stack(unordered_pair_nodes(pairs.position)) + state.node_ptr[:-1][pairs.index]
        return Observation(in_scale(state), (~state.nodes["taken"][ends].all(0),))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        ends = torch.stack(unordered_pair_nodes(action)) + state.node_ptr[:-1]
        taken = torch.zeros_like(state.nodes["taken"]).index_fill(0, ends.flatten(), True)
        step = self.after(state.with_nodes(taken=taken), state.nodes["weight"][ends].prod(0))
        stuck = state.node_segments.lengths == 2
        return Step(step.state, step.reward, stuck, step.truncated & ~stuck)


@dataclass(frozen=True)
class Push(Timed):
    """Push every node but the heaviest of each graph to its weight, each by up to 1."""

    features = Features(nodes={"weight": 1, "place": 1})
    actions = ActionSpec(per_decider("push", continuous=1), decider="nodes")

    def reset(self, instances: GraphBatch) -> GraphBatch:
        return super().reset(instances.with_nodes(place=torch.zeros(instances.num_nodes)))

    def observe(self, state: GraphBatch) -> Observation:
        acts = _lighter(state)
        return Observation(in_scale(state).with_nodes(acts=acts), (torch.ones_like(acts[acts]),))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        place = state.nodes["place"] + torch.zeros(state.num_nodes).masked_scatter(_lighter(state), action.squeeze(1))
        miss = (place - state.nodes["weight"]).square()
        return self.after(state.with_nodes(place=place), -segment_sum(miss, state.node_segments))


@dataclass(frozen=True)
class Mixed(Timed):
    """Take a node for its weight, an edge for the weights of its ends, or stop."""

    features = Features(nodes={"weight": 1})
    actions = ActionSpec(per_node("node"), per_edge("edge"), per_graph("stop"))

    def observe(self, state: GraphBatch) -> Observation:
        rows = (state.num_nodes, state.links[0].numel(), state.num_graphs)
        return Observation(in_scale(state), tuple(torch.ones(count, dtype=torch.bool) for count in rows))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        weight = state.nodes["weight"]
        ends = weight[state.edge_index[:, state.links[0]]].sum(0)
        worth = self.actions.arrange(state, (weight, ends, torch.zeros(state.num_graphs)))
        step = self.after(state, worth[self.actions.segments(state).ptr[:-1] + action])
        stopped = self.actions.locate(state, action).block == 2
        return Step(step.state, step.reward, stopped, step.truncated & ~stopped)


def _lighter(state: GraphBatch) -> Tensor:
    """[N] bool: all nodes but the heaviest of each graph."""
    heaviest = segment_argmax(state.nodes["weight"], state.node_segments)
    return state.node_segments.position != heaviest[state.node_graph]


ENVIRONMENTS = {"vertex cover": VertexCover(), "walk": Walk()}
KINDS = {
    "neighbours": Hop(),
    "pairs": Join(),
    "unordered pairs": Link(),
    "continuous": Push(),
    "hybrid": Mixed(),
}
"""One environment for each kind of action that those have not."""
