"""Environments, instances and policies for tests that hold for any."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, from_edges, per_node
from graphwright.core.segment import segment_sum
from graphwright.envs.covering.vertex_cover import VertexCover
from graphwright.envs.environment import Environment, Solution, chosen_nodes
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig

PAIR = from_edges(
    torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True, nodes={"weight": torch.tensor([0.5, 0.95])}
)
"""Two nodes and an edge: something to decide in every environment."""


def small_policy(environment: Environment) -> GraphPolicy:
    """The same one each time."""
    torch.manual_seed(0)
    return GraphPolicy(environment.features, environment.actions, EncoderConfig(width=8, depth=2), HeadsConfig())


@dataclass(frozen=True)
class Walk(Environment):
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
        return Observation(state, (torch.ones(state.num_nodes, dtype=torch.bool),))

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


def _with_used(state: GraphBatch) -> GraphBatch:
    return state.with_edges(used=state.nodes["visits"][state.edge_index[1]] > 0)


ENVIRONMENTS = {"vertex cover": VertexCover(), "walk": Walk()}
