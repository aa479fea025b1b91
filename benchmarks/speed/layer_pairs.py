"""Each layer of ours beside PyG's, once to be timed and once with one set of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch_geometric.nn as pyg
from torch import Tensor, nn
from torch.func import functional_call
from torch_geometric.utils import to_dense_batch

from graphwright.core import GraphBatch, from_edges
from graphwright.nn import layers
from graphwright.nn.layers.message_passing import AttentionLayer

HEADS = AttentionLayer.heads
OfEdges = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Setting:
    """A batch with random edges, node embeddings x [N, width] and edge features [E, D]."""

    graph: GraphBatch
    x: Tensor
    edges: Tensor

    @staticmethod
    def random(sizes: Sequence[int], degree: int, width: int, edge_width: int) -> Setting:
        """Graphs of the given sizes, `degree` edges for each node; some edges are parallel or self-loops."""
        generator = torch.Generator().manual_seed(0)
        size = torch.tensor(sizes)
        graph = torch.repeat_interleave(torch.arange(len(sizes)), degree * size)
        place = (torch.rand(2, len(graph), generator=generator, dtype=torch.float64) * size[graph]).long()
        types = torch.randint(4, (len(graph),), generator=generator)
        batch = from_edges(place + (size.cumsum(0) - size)[graph], size, undirected=False, edges={"type": types})
        x = torch.randn(batch.num_nodes, width, generator=generator).requires_grad_()
        return Setting(batch, x, torch.randn(batch.num_edges, edge_width, generator=generator).requires_grad_())


@dataclass(frozen=True)
class Pair:
    """Functions of the edge features. `timed`, ours and theirs, have weights of their own.

    `same`, ours and theirs, are given the same weights, which are among `leaves`.
    """

    name: str
    reference: str
    timed: tuple[OfEdges, OfEdges]
    parameters: tuple[Sequence[Tensor], Sequence[Tensor]]
    same: tuple[OfEdges, OfEdges]
    leaves: Sequence[Tensor]


def pair(
    name: str,
    ours: nn.Module,
    theirs: nn.Module,
    call: Callable[..., Tensor],
    weights: Mapping[str, Tensor],
    s: Setting,
) -> Pair:
    """`theirs` is called as call(theirs, edges) and, with the `weights` that follow from ours, is the same."""

    def run(edges: Tensor) -> Tensor:
        return ours.attend(s.x, edges, s.graph) if isinstance(ours, AttentionLayer) else ours(s.x, edges, s.graph)

    def with_weights(edges: Tensor) -> Tensor:
        return call(lambda *args: functional_call(theirs, dict(weights), args), edges)

    own = {id(parameter) for parameter in ours.own.parameters()} if isinstance(ours, AttentionLayer) else set()
    mine = [parameter for parameter in ours.parameters() if id(parameter) not in own]
    both = (run, lambda edges: call(theirs, edges))
    return Pair(name, type(theirs).__name__, both, (mine, [*theirs.parameters()]), (run, with_weights), mine)


def sums_and_means(s: Setting) -> Iterator[Pair]:
    """Layers that take sums or means over neighbours, without and with edges."""
    width, edge_index = s.x.shape[1], s.graph.edge_index
    sage = layers.GraphConv(width, 0, "mean")
    weights = {"lin_l.weight": sage.neighbours.weight, "lin_l.bias": sage.own.bias, "lin_r.weight": sage.own.weight}
    yield pair("sage", sage, pyg.SAGEConv(width, width), lambda conv, _: conv(s.x, edge_index), weights, s)
    gcn, loop = layers.GCN(width), edge_index[0] == edge_index[1]
    simple = replace(s, graph=s.graph.filter_edges(~loop))  # PyG adds no second self-loop, ours always one
    weights = {"lin.weight": gcn.linear.weight, "bias": gcn.linear.bias}
    conv = pyg.GCNConv(width, width)
    yield pair("gcn", gcn, conv, lambda conv, _: conv(s.x, simple.graph.edge_index), weights, simple)
    gin = layers.GIN(width)
    conv = pyg.GINConv(_mlp(width), train_eps=True)
    yield pair("gin", gin, conv, lambda conv, _: conv(s.x, edge_index), _gin_weights(gin), s)
    gine = layers.GIN(width, s.edges.shape[1])
    weights = _gin_weights(gine) | {"lin.weight": gine.edge.weight, "lin.bias": torch.zeros(width)}
    conv = pyg.GINEConv(_mlp(width), train_eps=True, edge_dim=s.edges.shape[1])
    yield pair("gin, edges", gine, conv, lambda conv, edges: conv(s.x, edge_index, edges), weights, s)
    relational, types = layers.Relational(width, edge_types=4), s.graph.edges["type"]
    weights = {"weight": relational.neighbours, "root": relational.own.weight.t(), "bias": relational.own.bias}
    conv = pyg.RGCNConv(width, width, 4)
    yield pair("relational, 4 types", relational, conv, lambda conv, _: conv(s.x, edge_index, types), weights, s)


def attention_over_edges(s: Setting) -> Iterator[Pair]:
    """Layers of four heads, with edge features, without the linear term of the node itself."""
    width, edge_index = s.x.shape[1], s.graph.edge_index
    sizes = {"in_channels": width, "out_channels": width // HEADS, "heads": HEADS, "edge_dim": s.edges.shape[1]}

    def call(conv: Callable[..., Tensor], edges: Tensor) -> Tensor:
        return conv(s.x, edge_index, edges)

    yield _gat(s, pyg.GATConv(**sizes, add_self_loops=False, bias=False))
    gatv2 = layers.GATv2(width, s.edges.shape[1])
    weights = {"att": gatv2.score[None], "lin_edge.weight": gatv2.edge.linear.weight}
    for name, parameter in gatv2.query_value.named_parameters():
        weights[f"lin_r.{name}"], weights[f"lin_l.{name}"] = parameter.chunk(2)
    yield pair("gatv2", gatv2, pyg.GATv2Conv(**sizes, add_self_loops=False, bias=False), call, weights, s)
    transformer = layers.Transformer(width, s.edges.shape[1])
    weights = {"lin_edge.weight": transformer.edge.linear.weight}
    for name, parameter in transformer.query_key_value.named_parameters():
        for part, share in zip(("query", "key", "value"), parameter.chunk(3), strict=True):
            weights[f"lin_{part}.{name}"] = share
    yield pair("transformer", transformer, pyg.TransformerConv(**sizes, root_weight=False), call, weights, s)


def _gat(s: Setting, theirs: pyg.GATConv) -> Pair:
    """Ours takes any linear map of features to scores, and PyG's is a special case: so the weights are PyG's."""
    ours = layers.GAT(s.x.shape[1], s.edges.shape[1])
    scores = torch.cat([torch.block_diag(*theirs.att_src[0]), torch.block_diag(*theirs.att_dst[0])])
    edge_scores = torch.block_diag(*theirs.att_edge[0]) @ theirs.lin_edge.weight
    weights = {"value.weight": theirs.lin.weight, "node_score.weight": scores, "edge_score.weight": edge_scores}
    plain = pair("gat", ours, theirs, lambda conv, edges: conv(s.x, s.graph.edge_index, edges), {}, s)

    def with_weights(edges: Tensor) -> Tensor:
        out = functional_call(ours, weights, (s.x, edges, s.graph))
        return out - ours.own(s.x)

    return replace(plain, same=(with_weights, plain.timed[1]), leaves=[*theirs.parameters()])


def attention_over_graphs(s: Setting, name: str) -> Pair:
    """Attention over all nodes of each graph."""
    ours = layers.GraphTransformer(s.x.shape[1], s.edges.shape[1])
    weights = {f"attention.in_proj_{name}": weight for name, weight in ours.query_key_value.named_parameters()}
    weights |= {f"attention.out_proj.{name}": weight for name, weight in ours.output.named_parameters()}
    weights |= {"edge_bias.weight": ours.edge_bias.weight, "edge_bias.bias": ours.edge_constant}
    theirs = DenseAttention(s.x.shape[1], s.edges.shape[1])
    name = f"graph-transformer, {name}"
    return pair(name, ours, theirs, lambda dense, edges: dense(s.x, s.graph, edges), weights, s)


class DenseAttention(nn.Module):
    """PyTorch's MultiheadAttention on a padded dense batch, as PyG's GPSConv has it, with a bias from edge features."""

    def __init__(self, width: int, edge_width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, HEADS, batch_first=True)
        self.edge_bias = nn.Linear(edge_width, HEADS)

    def forward(self, x: Tensor, graph: GraphBatch, edges: Tensor) -> Tensor:
        """x: [N, width] → [N, width]."""
        dense, present = to_dense_batch(x, graph.node_graph)
        source, destination = graph.edge_index - graph.node_ptr[graph.edge_graph]
        bias = x.new_zeros(*present.shape, present.shape[1], HEADS)
        bias = bias.index_put((graph.edge_graph, destination, source), self.edge_bias(edges), accumulate=True)
        bias = bias.masked_fill(~present[:, None, :, None], -1e9).permute(0, 3, 1, 2).flatten(0, 1)
        return self.attention(dense, dense, dense, attn_mask=bias, need_weights=False)[0][present]


def edge_states(s: Setting) -> Pair:
    """Edges with states [E, width] in place of features."""
    ours, theirs = layers.EdgeGated(s.x.shape[1]), GatedGCN(s.x.shape[1])
    weights = {f"own.{name}": weight for name, weight in ours.own.named_parameters()}
    weights["edge.weight"] = ours.edge.weight
    for name, parameter in ours.gates_and_value.named_parameters():
        for part, share in zip(("into", "out_of", "value"), parameter.chunk(3), strict=True):
            weights[f"{part}.{name}"] = share
    plain = pair("edge-gated", ours, theirs, lambda conv, states: conv(s.x, s.graph.edge_index, states), weights, s)

    def run(states: Tensor) -> Tensor:
        return torch.cat(ours(s.x, states, s.graph))

    return replace(plain, timed=(run, plain.timed[1]), same=(run, plain.same[1]))


class GatedGCN(pyg.MessagePassing):
    """GatedGCN written with PyG, which has no such layer; as in the code of GraphGPS (Rampášek et al. 2022)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.own, self.into, self.out_of, self.value = (nn.Linear(width, width) for _ in range(4))
        self.edge = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, edge_index: Tensor, states: Tensor) -> Tensor:
        """Nodes [N, width] on top of edge states [E, width]."""
        source, destination = edge_index
        gates = self.into(x)[destination] + self.out_of(x)[source] + self.edge(states)
        weight = gates.sigmoid()
        total = self.aggregate(weight, destination, dim_size=len(x))
        messages = self.propagate(edge_index, value=self.value(x), weight=weight) / (total + 1e-6)
        return torch.cat([self.own(x) + messages, gates])

    def message(self, value_j: Tensor, weight: Tensor) -> Tensor:
        """What passes along each edge."""
        return value_j * weight


def _mlp(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))


def _gin_weights(gin: layers.GIN) -> dict[str, Tensor]:
    return {"eps": gin.epsilon} | {f"nn.{name}": weight for name, weight in gin.mlp.named_parameters()}
