"""Any PyG layer is a layer of ours, or the error names it."""

from __future__ import annotations

import pytest
import torch
import torch_geometric.nn as pyg
from hypothesis import given

from graphwright.core import GraphBatch
from graphwright.nn.pyg import PyGLayer
from strategies import ragged_batches, seeds

WIDTH, EDGE_WIDTH = 8, 2


@given(ragged_batches(), seeds)
def test_a_layer_with_edge_dim_is_given_the_edge_features(graph: GraphBatch, seed: int) -> None:
    torch.manual_seed(seed)
    ours, theirs = PyGLayer("torch_geometric.nn:GATv2Conv", WIDTH, EDGE_WIDTH), pyg.GATv2Conv(WIDTH, WIDTH, edge_dim=2)
    theirs.load_state_dict(ours.layer.state_dict())
    x, edges = torch.randn(graph.num_nodes, WIDTH), graph.edges["w"]
    assert ours.reads_edges
    torch.testing.assert_close(ours(x, edges, graph), theirs(x, graph.edge_index, edges))


@pytest.mark.parametrize("name", ["GCNConv", "SAGEConv", "LEConv"])
def test_a_layer_without_edge_dim_is_given_none(name: str) -> None:
    graph = GraphBatch(torch.tensor([[1], [0]]), torch.tensor([0, 2]), torch.tensor([0, 1]))
    layer, x = PyGLayer(f"torch_geometric.nn:{name}", WIDTH, EDGE_WIDTH), torch.randn(2, WIDTH)
    assert not layer.reads_edges
    torch.testing.assert_close(layer(x, torch.ones(1, EDGE_WIDTH), graph), layer.layer(x, graph.edge_index))


@pytest.mark.parametrize("path", ["torch_geometric.nn:GATConv", "torch_geometric.nn.conv.gat_conv.GATConv"])
def test_without_edge_features_there_is_no_edge_dim(path: str) -> None:
    layer = PyGLayer(path, WIDTH, 0)
    assert isinstance(layer.layer, pyg.GATConv)
    assert not layer.reads_edges
    assert layer.layer.lin_edge is None


@pytest.mark.parametrize(
    "path",
    [
        "torch_geometric.nn:NoSuchConv",
        "no_such_module:GATConv",
        "GATConv",
        "",
        ":",
        "torch.nn:Linear",
        "torch_geometric.nn:global_add_pool",
        "torch_geometric.nn:ChebConv",  # needs K
        "torch_geometric.nn:EdgeConv",  # takes a network, not widths
        "torch_geometric.nn:GINConv",  # the same, and is built without complaint
    ],
)
def test_what_is_no_layer_is_refused_by_name(path: str) -> None:
    with pytest.raises(ValueError, match="encoder layer '" + path.replace(".", r"\.")):
        PyGLayer(path, WIDTH, 0)
