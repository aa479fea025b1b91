"""What has no place in a `GraphBatch` is said by name, and nothing is said where all of it has one."""

from __future__ import annotations

import warnings

import networkx as nx
import pytest
import torch
from torch_geometric.data import Data, HeteroData

from graphwright.adapters.left_out import LeftOut
from graphwright.adapters.networkx import from_networkx, to_networkx
from graphwright.adapters.pyg import from_pyg, to_pyg

EDGES = torch.tensor([[0, 1], [1, 0]])


def test_text_of_pyg_data_is_named() -> None:
    with pytest.warns(LeftOut, match="PyG data: 'smiles', 'title' make no column"):
        from_pyg(Data(edge_index=EDGES, smiles="CC", title=["a", "b"], num_nodes=2))
    data = HeteroData(paper={"x": torch.zeros(2, 1), "title": ["a", "b"]}, source="web")
    with pytest.warns(LeftOut, match="PyG data: 'paper.title', 'source' make no column"):
        from_pyg(data)


def test_attributes_of_networkx_that_are_no_numbers_are_named() -> None:
    graph = nx.Graph(name="club")
    graph.add_edge("a", "b", weight=1, road="A1")
    graph.nodes["a"]["colour"] = "red"
    message = "networkx graph: edge attribute 'road', graph attribute 'name', node attribute 'colour' make no column"
    with pytest.warns(LeftOut, match=message):
        from_networkx(graph)
    parallel = nx.MultiGraph()
    parallel.add_edge(0, 1, key="bus")
    with pytest.warns(LeftOut, match="key of parallel edges"):
        from_networkx(parallel)


def test_nothing_is_said_where_nothing_is_left_out() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = from_pyg(Data(edge_index=EDGES, x=torch.zeros(2, 1), y=1.5))
        from_pyg(to_pyg(graph))
        from_networkx(to_networkx(from_networkx(nx.path_graph(4)).graph))
        from_networkx(nx.path_graph(4, create_using=nx.MultiGraph))
        named = nx.path_graph(2)
        named.add_edge(0, 1, weight=1, road="A1")
        from_networkx(named, edge_columns=["weight"])
