"""Our layers are those of PyG with the same weights, plus the linear term where PyG would add a self-loop.

Each test gives both the very same weights as tensors that want gradients, so that values and all gradients (by nodes,
edges and weights) can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
import torch_geometric.nn as pyg
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call
from torch_geometric.utils import to_dense_batch

from graphwright.core import GraphBatch, from_edges
from graphwright.nn.layers import (
    GAT,
    GCN,
    GIN,
    EdgeGated,
    GATv2,
    GraphConv,
    GraphTransformer,
    Relational,
    Transformer,
)
from graphwright.nn.layers.graph_conv import neighbour_mean
from strategies import ragged_batches, seeded, seeds

WIDTH, EDGE_WIDTH, HEADS = 8, 2, 4
with_or_without_edges = pytest.mark.parametrize("edge_width", [0, EDGE_WIDTH])
aggregations = st.sampled_from(["sum", "mean", "max", "sum-mean-max"])
simple_graphs = ragged_batches(loops=False)


def inputs(graph: GraphBatch, seed: int) -> tuple[Tensor, Tensor]:
    """x [N, WIDTH] and edge features [E, EDGE_WIDTH], which want their gradients; and the weights to come."""
    torch.manual_seed(seed)
    x = torch.randn(graph.num_nodes, WIDTH, generator=seeded(seed)).requires_grad_()
    return x, graph.edges["w"].clone().requires_grad_()


def assert_agree(ours: Tensor, theirs: Tensor, leaves: Sequence[Tensor]) -> None:
    """The same values, and the same gradients by all leaves."""
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    weight = torch.linspace(-1, 1, ours.numel()).view_as(ours)
    one, other = (torch.autograd.grad((out * weight).sum(), leaves, materialize_grads=True) for out in (ours, theirs))
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def per_head(vector: Tensor) -> Tensor:
    """PyG's attention vector [1, HEADS, C] as a matrix on all heads side by side, [HEADS, HEADS · C]."""
    return torch.block_diag(*vector.squeeze(0))


@given(ragged_batches(), seeds, aggregations)
def test_graphconv_is_sage_conv(graph: GraphBatch, seed: int, aggregation: str) -> None:
    x, _ = inputs(graph, seed)
    ours = GraphConv(WIDTH, 0, aggregation)
    weights = {
        "lin_l.weight": ours.neighbours.weight,
        "lin_r.weight": ours.own.weight,
        "lin_l.bias": ours.own.bias,
    }
    theirs = functional_call(pyg.SAGEConv(WIDTH, WIDTH, aggregation.split("-")), weights, (x, graph.edge_index))
    assert_agree(ours(x, None, graph), theirs, [x, *ours.parameters()])


@given(ragged_batches(), seeds)
def test_graphconv_with_a_sum_is_the_k_gnn_layer(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    ours = GraphConv(WIDTH)
    weights = {
        "lin_rel.weight": ours.neighbours.weight,
        "lin_root.weight": ours.own.weight,
        "lin_rel.bias": ours.own.bias,
    }
    theirs = functional_call(pyg.GraphConv(WIDTH, WIDTH, aggr="add"), weights, (x, graph.edge_index))
    assert_agree(ours(x, None, graph), theirs, [x, *ours.parameters()])


@given(simple_graphs, seeds)
def test_gcn_is_gcn_conv_with_self_loops(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    ours = GCN(WIDTH)
    weights = {"lin.weight": ours.linear.weight, "bias": ours.linear.bias}
    theirs = functional_call(pyg.GCNConv(WIDTH, WIDTH), weights, (x, graph.edge_index))
    assert_agree(ours(x, None, graph), theirs, [x, *ours.parameters()])


@with_or_without_edges
@given(graph=ragged_batches(), seed=seeds)
def test_gin_is_gin_conv_and_with_edges_gine_conv(edge_width: int, graph: GraphBatch, seed: int) -> None:
    x, edges = inputs(graph, seed)
    ours = GIN(WIDTH, edge_width)
    nn.init.constant_(ours.epsilon, 0.3)
    mlp = {f"nn.{name}": parameter for name, parameter in ours.mlp.named_parameters()}
    weights = {"eps": ours.epsilon, **mlp}
    if edge_width:
        weights |= {"lin.weight": ours.edge.weight, "lin.bias": torch.zeros(WIDTH)}
        layer = pyg.GINEConv(ours.mlp, train_eps=True, edge_dim=EDGE_WIDTH)
        theirs = functional_call(layer, weights, (x, graph.edge_index, edges))
        assert_agree(ours(x, edges, graph), theirs, [x, edges, *ours.parameters()])
    else:
        theirs = functional_call(pyg.GINConv(ours.mlp, train_eps=True), weights, (x, graph.edge_index))
        assert_agree(ours(x, None, graph), theirs, [x, *ours.parameters()])


@with_or_without_edges
@given(graph=ragged_batches(), seed=seeds)
def test_gat_is_gat_conv_and_an_own_term(edge_width: int, graph: GraphBatch, seed: int) -> None:
    x, edges = inputs(graph, seed)
    edge = {"edge_dim": EDGE_WIDTH} if edge_width else {}
    theirs = pyg.GATConv(WIDTH, WIDTH // HEADS, HEADS, add_self_loops=False, bias=False, **edge)
    ours = GAT(WIDTH, edge_width)
    scores = torch.cat([per_head(theirs.att_src), per_head(theirs.att_dst)])
    weights = {"value.weight": theirs.lin.weight, "node_score.weight": scores}
    if edge_width:
        weights["edge_score.weight"] = per_head(theirs.att_edge) @ theirs.lin_edge.weight
    features = edges if edge_width else None
    out = functional_call(ours, weights, (x, features, graph))
    leaves = [x, edges, *ours.own.parameters(), *theirs.parameters()]
    assert_agree(out, ours.own(x) + theirs(x, graph.edge_index, features), leaves)


@with_or_without_edges
@given(graph=ragged_batches(), seed=seeds)
def test_gatv2_is_gatv2_conv_and_an_own_term(edge_width: int, graph: GraphBatch, seed: int) -> None:
    x, edges = inputs(graph, seed)
    ours = GATv2(WIDTH, edge_width)
    edge = {"edge_dim": EDGE_WIDTH} if edge_width else {}
    layer = pyg.GATv2Conv(WIDTH, WIDTH // HEADS, HEADS, add_self_loops=False, bias=False, **edge)
    weights = {"att": ours.score.unsqueeze(0)}
    for name, part in (("weight", ours.query_value.weight), ("bias", ours.query_value.bias)):
        weights[f"lin_r.{name}"], weights[f"lin_l.{name}"] = part.chunk(2)
    if edge_width:
        weights["lin_edge.weight"] = ours.edge.linear.weight
    features = edges if edge_width else None
    theirs = ours.own(x) + functional_call(layer, weights, (x, graph.edge_index, features))
    assert_agree(ours(x, features, graph), theirs, [x, edges, *ours.parameters()])


@with_or_without_edges
@given(graph=ragged_batches(), seed=seeds)
def test_transformer_is_transformer_conv(edge_width: int, graph: GraphBatch, seed: int) -> None:
    x, edges = inputs(graph, seed)
    ours = Transformer(WIDTH, edge_width)
    edge = {"edge_dim": EDGE_WIDTH} if edge_width else {}
    layer = pyg.TransformerConv(WIDTH, WIDTH // HEADS, HEADS, **edge)
    weights = {f"lin_skip.{name}": parameter for name, parameter in ours.own.named_parameters()}
    for name, parameter in ours.query_key_value.named_parameters():
        for part, share in zip(("query", "key", "value"), parameter.chunk(3), strict=True):
            weights[f"lin_{part}.{name}"] = share
    if edge_width:
        weights["lin_edge.weight"] = ours.edge.linear.weight
    features = edges if edge_width else None
    theirs = functional_call(layer, weights, (x, graph.edge_index, features))
    assert_agree(ours(x, features, graph), theirs, [x, edges, *ours.parameters()])


@with_or_without_edges
@given(graph=ragged_batches(), seed=seeds)
def test_graph_transformer_is_multi_head_attention_on_a_dense_batch(
    edge_width: int, graph: GraphBatch, seed: int
) -> None:
    assume(graph.num_nodes)
    x, edges = inputs(graph, seed)
    ours = GraphTransformer(WIDTH, edge_width)
    nn.init.normal_(ours.edge_constant)
    dense, present = to_dense_batch(x, graph.node_graph, batch_size=graph.num_graphs)
    bias = ours.edge_constant + (ours.edge_bias(edges) if edge_width else torch.zeros(graph.num_edges, HEADS))
    source, destination = graph.edge_index - graph.node_ptr[graph.edge_graph]
    mask = torch.zeros(*present.shape, present.shape[1], HEADS)
    mask = mask.index_put((graph.edge_graph, destination, source), bias, accumulate=True)
    mask = mask.masked_fill(~present[:, None, :, None], -1e9).permute(0, 3, 1, 2).flatten(0, 1)
    weights = {f"in_proj_{name}": parameter for name, parameter in ours.query_key_value.named_parameters()}
    weights |= {f"out_proj.{name}": parameter for name, parameter in ours.output.named_parameters()}
    layer = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    options = {"attn_mask": mask, "need_weights": False}
    theirs = ours.own(x) + functional_call(layer, weights, (dense, dense, dense), options)[0][present]
    assert_agree(ours(x, edges if edge_width else None, graph), theirs, [x, edges, *ours.parameters()])


@given(ragged_batches(), seeds, st.integers(1, 3))
def test_relational_is_rgcn_conv(graph: GraphBatch, seed: int, num_types: int) -> None:
    x, _ = inputs(graph, seed)
    types = torch.randint(num_types, (graph.num_edges,), generator=seeded(seed))
    ours = Relational(WIDTH, edge_types=num_types)
    weights = {"weight": ours.neighbours, "root": ours.own.weight.t(), "bias": ours.own.bias}
    theirs = functional_call(pyg.RGCNConv(WIDTH, WIDTH, num_types), weights, (x, graph.edge_index, types))
    assert_agree(ours(x, None, graph.with_edges(type=types)), theirs, [x, *ours.parameters()])


@given(ragged_batches(), seeds)
def test_relational_without_types_is_graphconv_with_a_mean(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    ours, theirs = Relational(WIDTH), GraphConv(WIDTH, 0, "mean")
    weights = {
        "own.weight": ours.own.weight,
        "own.bias": ours.own.bias,
        "neighbours.weight": ours.neighbours[0].t(),
    }
    assert_agree(ours(x, None, graph), functional_call(theirs, weights, (x, None, graph)), [x, *ours.parameters()])


@given(ragged_batches(), seeds)
def test_edge_gated_is_a_loop_over_nodes(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    states = torch.randn(graph.num_edges, WIDTH, generator=seeded(seed)).requires_grad_()
    ours = EdgeGated(WIDTH, WIDTH)
    nodes, edges = ours(x, states, graph)
    source, destination = graph.edge_index
    into, out_of, value = ours.gates_and_value(x).chunk(3, dim=1)
    gates = into[destination] + out_of[source] + ours.edge(states)
    messages = []
    for node in range(graph.num_nodes):
        weight = gates[destination == node].sigmoid()
        messages.append((weight * value[source[destination == node]]).sum(0) / (weight.sum(0) + 1e-6))
    expected = ours.own(x) + (torch.stack(messages) if messages else x.new_zeros(0, WIDTH))
    assert_agree(torch.cat([nodes, edges]), torch.cat([expected, gates]), [x, states, *ours.parameters()])


@given(ragged_batches(), seeds)
def test_the_mean_is_that_of_a_loop(graph: GraphBatch, seed: int) -> None:
    x, _ = inputs(graph, seed)
    source, destination = graph.edge_index
    for node, mean in enumerate(neighbour_mean(x, graph)):
        neighbours = x[source[destination == node]]
        torch.testing.assert_close(mean, neighbours.mean(0) if len(neighbours) else torch.zeros(WIDTH))


@pytest.mark.parametrize("layer", [GAT, GATv2, Transformer, GraphConv, Relational])
def test_a_node_that_no_edge_reaches_keeps_its_own_term(layer: type[GAT]) -> None:
    graph = from_edges(torch.tensor([[0], [1]]), torch.tensor([2, 1]), undirected=False)
    torch.manual_seed(0)
    ours, x = layer(WIDTH), torch.randn(3, WIDTH)
    alone = torch.tensor([0, 2])
    torch.testing.assert_close(ours(x, None, graph)[alone], ours.own(x)[alone])


def test_a_graph_of_one_node_attends_to_itself() -> None:
    graph = from_edges(torch.zeros(2, 0, dtype=torch.int64), torch.tensor([1]), undirected=False)
    torch.manual_seed(0)
    ours, x = GraphTransformer(WIDTH), torch.randn(1, WIDTH)
    value = ours.query_key_value(x)[:, 2 * WIDTH :]
    torch.testing.assert_close(ours(x, None, graph), ours.own(x) + ours.output(value))


@pytest.mark.parametrize("layer", [GAT, GATv2, Transformer, GraphTransformer])
def test_attention_needs_a_width_that_its_heads_divide(layer: type[GAT]) -> None:
    with pytest.raises(ValueError, match="encoder width 6 is not divisible by the 4 attention heads"):
        layer(6)
