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


class GPS(pyg.GPSConv):
    def __init__(self, in_channels: int, out_channels: int, edge_dim: int, norm: str = "layer_norm") -> None:
        local = pyg.GINEConv(torch.nn.Linear(in_channels, out_channels), edge_dim=edge_dim)
        super().__init__(in_channels, local, heads=2, norm=norm)


class BatchNormed(GPS):
    def __init__(self, in_channels: int, out_channels: int, edge_dim: int) -> None:
        super().__init__(in_channels, out_channels, edge_dim, norm="batch_norm")


class Centred(pyg.GraphConv):
    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        return super().forward(x - x.mean(0), edge_index)


@given(ragged_batches(), seeds)
def test_a_layer_that_attends_to_a_whole_graph_is_told_where_graphs_begin(graph: GraphBatch, seed: int) -> None:
    torch.manual_seed(seed)
    layer = PyGLayer(f"{__name__}:GPS", WIDTH, EDGE_WIDTH).eval()
    x = torch.randn(graph.num_nodes, WIDTH)
    together = layer(x, graph.edges["w"], graph)
    for place in range(graph.num_graphs):
        one = graph.select(torch.tensor([place]))
        if one.num_nodes:
            own = x[graph.node_ptr[place] : graph.node_ptr[place + 1]]
            torch.testing.assert_close(
                layer(own, one.edges["w"], one), together[graph.node_graph == place], rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"{__name__}:BatchNormed", "batch normalisation mixes the graphs of a batch; take LayerNorm"),
        (f"{__name__}:Centred", "what it makes of a graph depends on the others of the batch"),
        ("torch_geometric.nn:GPSConv", r"is made of channels, conv, heads; write a subclass"),
        ("torch_geometric.nn:GatedGraphConv", "is made of out_channels, num_layers"),  # a width taken for a number
        ("torch_geometric.nn:APPNP", "is made of K, alpha"),
        ("torch_geometric.nn:DynamicEdgeConv", "is made of nn, k"),
        ("torch_geometric.nn:SignedConv", "takes x, pos_edge_index, neg_edge_index; it must take x and edge_index"),
    ],
)
def test_layers_that_mix_graphs_or_are_made_of_other_things_are_refused(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PyGLayer(path, WIDTH, EDGE_WIDTH)
