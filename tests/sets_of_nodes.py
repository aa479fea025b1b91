"""Small graphs whose sets of nodes are counted one by one."""

from __future__ import annotations

from collections import defaultdict

import networkx as nx
import pytest
import torch

from flow_exact import ExactFlows, uniform_backward
from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generation import ObjectiveReward
from graphwright.envs.generative.enumeration import enumerate_states
from graphwright.envs.reversible import Reversible

GRAPHS = {
    "path": nx.path_graph(5),
    "cycle": nx.cycle_graph(6),
    "star": nx.star_graph(4),
    "isolated": nx.empty_graph(3),
    "one": nx.empty_graph(1),
    "random": nx.gnp_random_graph(7, 0.4, seed=1),
}
graphs = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


def weighted_graph(graph: nx.Graph) -> GraphBatch:
    """With weights of nodes and edges that are different and exact."""
    edges = torch.tensor(list(graph.edges), dtype=torch.int64).reshape(-1, 2).T
    return from_edges(
        edges,
        torch.tensor([len(graph)]),
        undirected=True,
        nodes={"weight": 1 + torch.arange(len(graph)) / 4},
        edges={"weight": edge_weights(graph)},
    )


def edge_weights(graph: nx.Graph) -> torch.Tensor:
    """[L] float32, in the order of the edges."""
    return torch.arange(len(graph.edges)) / 8 - 0.5


def sets(states: GraphBatch, column: str) -> list[frozenset[int]]:
    """The nodes of each graph where a bool column is true."""
    parts = states.nodes[column].split(states.node_segments.lengths.tolist())
    return [frozenset(part.nonzero().squeeze(1).tolist()) for part in parts]


def assert_rest_depends_on_what_is_seen(environment: Reversible, graph: GraphBatch, chosen: str) -> None:
    """What leads on from a state, its flow over its reward, is a function of what is seen of nodes not `chosen` yet."""
    reward = ObjectiveReward(0.5)
    space = enumerate_states(environment, graph)
    flows = ExactFlows(environment, space, lambda states: reward(environment, states), uniform_backward(environment))
    rest, alike = flows.log_flow - flows.log_reward(space.states), defaultdict(list)
    for row in range(space.num_states):
        state = space.states.select(torch.tensor([row]))
        seen, left = environment.observe(state).graph, ~state.nodes[chosen]
        columns = torch.stack([seen.nodes[name][left].float() for name in environment.features.nodes])
        edges = (left.cumsum(0) - 1)[seen.edge_index]
        alike[(*columns.flatten().tolist(), *edges.flatten().tolist())].append(float(rest[row]))
    assert 2 * len(alike) <= space.num_states
    assert all(max(values) - min(values) < 1e-9 for values in alike.values())
