"""Rewards that are one function: what it is given, what it may give, and that others can be sent it."""

from __future__ import annotations

import pickle

import networkx as nx
import pytest
import torch

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generation import Generation
from graphwright.envs.generative.edge_sets import EdgeSets, complete_graphs
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.rewards import RewardOf, networkx_graphs, reward_of_graphs
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.training.config import TrainConfig
from graphwright.training.config_json import from_json, to_json

ENVIRONMENT = GraphBuilding()


def num_edges(graphs: list[nx.Graph]) -> list[int]:
    return [graph.number_of_edges() for graph in graphs]


def num_links(objects: GraphBatch) -> torch.Tensor:
    return objects.links[1].lengths


OWN = Problem(
    f"{__name__}:OWN", "Many edges", ENVIRONMENT, generation=Generation(reward_of_graphs(num_edges, floor=0.5))
)


def path_and_triangle() -> GraphBatch:
    return from_edges(
        torch.tensor([[0, 1, 3, 4, 3], [1, 2, 4, 5, 5]]),
        torch.tensor([3, 3]),
        undirected=True,
        nodes={"type": torch.arange(6)},
        edges={"bond": torch.tensor([0, 0, 1, 1, 2])},
    )


def test_the_same_reward_as_a_function_of_graphs_and_of_a_batch() -> None:
    of_graphs = reward_of_graphs(num_edges)(ENVIRONMENT, path_and_triangle())
    of_batch = pickle.loads(pickle.dumps(RewardOf(num_links)))(ENVIRONMENT, path_and_triangle())
    assert of_graphs.dtype == of_batch.dtype == torch.float64
    assert of_graphs.exp().tolist() == pytest.approx([2, 3])
    assert torch.equal(of_graphs, of_batch)


def test_networkx_graphs_have_the_columns() -> None:
    path, triangle = networkx_graphs(ENVIRONMENT, path_and_triangle())
    assert nx.utils.graphs_equal(nx.Graph(path.edges), nx.path_graph(3))
    assert dict(triangle.nodes(data="type")) == {0: 3, 1: 4, 2: 5}
    assert {frozenset(ends): bond for *ends, bond in triangle.edges(data="bond")} == {
        frozenset({0, 1}): 1, frozenset({1, 2}): 1, frozenset({0, 2}): 2
    }  # fmt: skip


@pytest.mark.parametrize("directed", [True, False])
def test_only_edges_that_are_present_are_edges(directed: bool) -> None:
    environment = EdgeSets(3)
    state = environment.reset(complete_graphs(2, 3, directed=directed))
    state = environment.advance(state, torch.tensor([1, 2])).state
    for graph in networkx_graphs(environment, state):
        assert graph.is_directed() == directed
        assert (len(graph), graph.number_of_edges()) == (3, 1)
        assert all(not data for *_, data in graph.edges(data=True))


def test_what_a_function_may_give() -> None:
    objects = path_and_triangle()
    for value in ([0, 2], torch.tensor([0, 2]), [False, 2.0]):
        assert RewardOf(lambda _, value=value: value)(ENVIRONMENT, objects).exp().tolist() == pytest.approx([1e-8, 2])
    with pytest.raises(ValueError, match=r"2 objects has shape \(3,\)"):
        RewardOf(lambda _: [1, 2, 3])(ENVIRONMENT, objects)
    with pytest.raises(ValueError, match="not log R"):
        RewardOf(lambda _: [1, -2])(ENVIRONMENT, objects)
    with pytest.raises(ValueError, match="floor=0"):
        RewardOf(num_links, floor=0)


def test_a_problem_of_ones_own_is_found_by_its_name() -> None:
    assert find_problem(OWN.name) == OWN
    with pytest.raises(
        ValueError, match=r"choose one of vertex-cover, .*hyper-grid, .*one of your own: module:PROBLEM"
    ):
        find_problem("none")
    with pytest.raises(ValueError, match=r"is of type .*, no Problem; write MINE = Problem\(name"):
        find_problem(f"{__name__}:ENVIRONMENT")


def test_a_file_of_settings_names_the_function() -> None:
    config = TrainConfig.for_problem(OWN, steps=10)
    text = to_json(OWN.name, config)
    assert f'"{__name__}:num_edges"' in text
    assert from_json(text, trust=True) == (OWN, config)
