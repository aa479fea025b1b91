"""Our layers are those of PyG with the same weights, plus the linear term where PyG would add a self-loop."""

from __future__ import annotations

import pytest
import torch
import torch_geometric.nn as pyg
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.layers import GAT, GCN, GIN, GATv2, GraphConv, neighbour_mean
from strategies import ragged_batches, seeded, seeds

WIDTH, EDGE_WIDTH, HEADS = 8, 2, 4
aggregations = st.sampled_from(["sum", "mean", "max", "sum-mean-max"])
simple_graphs = ragged_batches(loops=False)


def inputs(graph: GraphBatch, seed: int) -> tuple[Tensor, Tensor]:
    """x [N, WIDTH], which wants its gradient, and edge features [E, EDGE_WIDTH]; and the weights to come."""
    torch.manual_seed(seed)
    x = torch.randn(graph.num_nodes, WIDTH, generator=seeded(seed)).requires_grad_()
    return x, graph.edges["w"]


def assert_agree(ours: Tensor, theirs: Tensor, x: Tensor) -> None:
    """The same values, and the same gradients by x."""
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    weight = torch.linspace(-1, 1, ours.numel()).view_as(ours)
    gradients = [torch.autograd.grad((out * weight).sum(), x)[0] for out in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)


def copy(into: nn.Parameter, *, of: Tensor) -> None:
    assert into.shape == of.shape
    into.data.copy_(of)


def per_head(vector: Tensor) -> Tensor:
    """PyG's attention vector [1, HEADS, C] as a matrix on all heads side by side, [HEADS, HEADS · C]."""
    return torch.block_diag(*vector.squeeze(0))


@given(ragged_batches(), seeds, aggregations)
def test_graphconv_is_graph_conv_of_pyg(graph: GraphBatch, seed: int, aggregation: str) -> None:
    x, _ = inputs(graph, seed)
    ours, theirs = GraphConv(WIDTH, 0, aggregation), pyg.SAGEConv(WIDTH, WIDTH, aggregation.split("-"))
    copy(theirs.lin_l.weight, of=ours.neighbours.weight)
    copy(theirs.lin_r.weight, of=ours.own.weight)
    copy(theirs.lin_l.bias, of=ours.own.bias)
    assert_agree(ours(x, None, graph), theirs(x, graph.edge_index), x)


@given(ragged_batches(), seeds)
def test_graphconv_with_a_sum_is_the_k_gnn_layer(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    ours, theirs = GraphConv(WIDTH, 0, "sum"), pyg.GraphConv(WIDTH, WIDTH, aggr="add")
    copy(theirs.lin_rel.weight, of=ours.neighbours.weight)
    copy(theirs.lin_root.weight, of=ours.own.weight)
    copy(theirs.lin_rel.bias, of=ours.own.bias)
    assert_agree(ours(x, None, graph), theirs(x, graph.edge_index), x)


@given(simple_graphs, seeds)
def test_gcn_is_gcn_conv_with_self_loops(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    ours, theirs = GCN(WIDTH, 0, "sum"), pyg.GCNConv(WIDTH, WIDTH)
    copy(theirs.lin.weight, of=ours.linear.weight)
    copy(theirs.bias, of=ours.linear.bias)
    assert_agree(ours(x, None, graph), theirs(x, graph.edge_index), x)


@given(ragged_batches(), seeds)
def test_gin_is_gin_conv(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    ours = GIN(WIDTH, 0, "sum")
    copy(ours.epsilon, of=torch.tensor(0.3))
    theirs = pyg.GINConv(ours.mlp, eps=0.3)
    assert_agree(ours(x, None, graph), theirs(x, graph.edge_index), x)


@given(ragged_batches(), seeds)
def test_gin_with_edges_is_gine_conv(graph: GraphBatch, seed: int) -> None:
    x, edges = inputs(graph, seed)
    ours = GIN(WIDTH, EDGE_WIDTH, "sum")
    copy(ours.epsilon, of=torch.tensor(0.3))
    theirs = pyg.GINEConv(ours.mlp, eps=0.3, edge_dim=EDGE_WIDTH)
    copy(theirs.lin.weight, of=ours.edge.weight)
    nn.init.zeros_(theirs.lin.bias)
    assert_agree(ours(x, edges, graph), theirs(x, graph.edge_index, edges), x)


@pytest.mark.parametrize("edge_width", [0, EDGE_WIDTH])
@given(graph=ragged_batches(), seed=seeds)
def test_gat_is_gat_conv_and_an_own_term(edge_width: int, graph: GraphBatch, seed: int) -> None:
    x, edges = inputs(graph, seed)
    ours = GAT(WIDTH, edge_width, "sum")
    edge = {"edge_dim": EDGE_WIDTH} if edge_width else {}
    theirs = pyg.GATConv(WIDTH, WIDTH // HEADS, HEADS, add_self_loops=False, bias=False, **edge)
    copy(ours.value.weight, of=theirs.lin.weight)
    copy(ours.score_source.weight, of=per_head(theirs.att_src))
    copy(ours.score_destination.weight, of=per_head(theirs.att_dst))
    if edge_width:
        copy(ours.score_edge.weight, of=per_head(theirs.att_edge) @ theirs.lin_edge.weight)
    edges = edges if edge_width else None
    assert_agree(ours(x, edges, graph), ours.own(x) + theirs(x, graph.edge_index, edges), x)


@pytest.mark.parametrize("edge_width", [0, EDGE_WIDTH])
@given(graph=ragged_batches(), seed=seeds)
def test_gatv2_is_gatv2_conv_and_an_own_term(edge_width: int, graph: GraphBatch, seed: int) -> None:
    x, edges = inputs(graph, seed)
    ours = GATv2(WIDTH, edge_width, "sum")
    edge = {"edge_dim": EDGE_WIDTH} if edge_width else {}
    theirs = pyg.GATv2Conv(WIDTH, WIDTH // HEADS, HEADS, add_self_loops=False, **edge)
    copy(ours.value.weight, of=theirs.lin_l.weight)
    copy(ours.query.weight, of=theirs.lin_r.weight)
    copy(ours.score, of=theirs.att.squeeze(0))
    nn.init.zeros_(theirs.lin_l.bias)
    nn.init.zeros_(theirs.bias)
    copy(theirs.lin_r.bias, of=ours.query.bias)
    if edge_width:
        copy(ours.edge.weight, of=theirs.lin_edge.weight)
    edges = edges if edge_width else None
    assert_agree(ours(x, edges, graph), ours.own(x) + theirs(x, graph.edge_index, edges), x)


@given(ragged_batches(), seeds)
def test_the_mean_is_that_of_a_loop(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    source, destination = graph.edge_index
    for node, mean in enumerate(neighbour_mean(x, graph)):
        neighbours = x[source[destination == node]]
        torch.testing.assert_close(mean, neighbours.mean(0) if len(neighbours) else torch.zeros(WIDTH))


@pytest.mark.parametrize("layer", [GAT, GATv2])
def test_attention_needs_a_width_that_its_heads_divide(layer: type[GAT] | type[GATv2]) -> None:
    with pytest.raises(ValueError, match="encoder width 6 is not divisible by the 4 attention heads"):
        layer(6, 0, "sum")
