"""Encoders of every kind: batching changes nothing, relabelling permutes, and every declared column is read."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from graphwright.core import Features, GraphBatch, from_edges
from graphwright.nn import Encoder, EncoderConfig
from graphwright.nn.encoders import EdgeFeaturesIgnored, Embedding, MessageKind
from strategies import alone, ragged_batches, relabelled, seeded, seeds

FEATURES = Features(nodes={"x": 3, "kind": 1, "mass": 2}, edges={"w": 2, "open": 1}, graphs={"g": 1, "code": 2})
TYPED = replace(FEATURES, node_types=3, edge_types=2)
KINDS = {kind: EncoderConfig(kind=kind, width=8, depth=2) for kind in get_args(MessageKind)}
CONFIGS = KINDS | {
    "sum-mean-max": EncoderConfig(aggregation="sum-mean-max", width=8, depth=2),
    "plain": EncoderConfig(width=8, depth=2, residual=False, norm=False),
    "jumping, virtual node": EncoderConfig(width=8, depth=2, jumping=True, virtual_node=True),
    "edges, jumping, virtual node": EncoderConfig("edge-gated", width=8, depth=2, jumping=True, virtual_node=True),
    "no rounds": EncoderConfig(width=8, depth=0),
    "pyg": EncoderConfig(layer="torch_geometric.nn:TransformerConv", width=8, depth=2),
}
VARIANTS = {
    "default": {},
    "no residual": {"residual": False},
    "no norm": {"norm": False},
    "neither": {"residual": False, "norm": False},
    "jumping": {"jumping": True},
    "virtual node": {"virtual_node": True},
    "all": {"jumping": True, "virtual_node": True},
    "plain with all": {"residual": False, "norm": False, "jumping": True, "virtual_node": True},
}
READS_EDGES = ("gat", "gatv2", "gin", "edge-gated", "transformer", "graph-transformer")
few = settings(max_examples=12)
quiet = pytest.mark.filterwarnings("ignore::graphwright.nn.encoders.EdgeFeaturesIgnored")


def make(config: EncoderConfig, features: Features = TYPED) -> Encoder:
    torch.manual_seed(0)
    return Encoder(features, config)


def with_types(graph: GraphBatch) -> GraphBatch:
    """The graph with types that follow from its columns, so that they move with them."""
    return graph.with_nodes(type=(3 * graph.nodes["x"][:, 0].sigmoid()).long()).with_edges(
        type=(graph.edges["w"][:, 0] > 0).long()
    )


def random_graph() -> GraphBatch:
    """Three undirected graphs with 20 nodes and 40 edges together, and all columns at random."""
    generator, sizes = seeded(), torch.tensor([8, 7, 5])
    rows = {"nodes": 20, "edges": 40, "graphs": 3}
    columns = {
        table: {
            name: torch.randn(count, width, generator=generator) for name, width in getattr(FEATURES, table).items()
        }
        for table, count in rows.items()
    }
    graph = torch.arange(40) % 3
    edge_index = torch.tensor([0, 8, 15])[graph] + torch.randint(100, (2, 40), generator=generator) % sizes[graph]
    return with_types(from_edges(edge_index, sizes, undirected=True, **columns))


def assert_close(left: Embedding, right: Embedding) -> None:
    torch.testing.assert_close(left.nodes, right.nodes, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(left.edges, right.edges, rtol=1e-5, atol=1e-5)


@quiet
@pytest.mark.parametrize("name", CONFIGS)
@given(graph=ragged_batches())
@few
def test_batching_changes_nothing(name: str, graph: GraphBatch) -> None:
    encoder, graph = make(CONFIGS[name]), with_types(graph)
    together = encoder(graph)
    assert together.nodes.shape == (graph.num_nodes, encoder.width)
    assert together.edges.shape == (graph.num_edges, encoder.edge_width)
    for index in range(graph.num_graphs):
        mine = Embedding(together.nodes[graph.node_graph == index], together.edges[graph.edge_graph == index])
        assert_close(encoder(alone(graph, index)), mine)


@quiet
@pytest.mark.parametrize("name", CONFIGS)
@given(graph=ragged_batches(parallels=False), seed=seeds)
@few
def test_relabelling_permutes_the_embeddings(name: str, graph: GraphBatch, seed: int) -> None:
    encoder, graph = make(CONFIGS[name]), with_types(graph)
    moved, place = relabelled(graph, seeded(seed))
    key = moved.edge_index[1] * moved.num_nodes + moved.edge_index[0]
    edges = torch.searchsorted(key, place[graph.edge_index[1]] * graph.num_nodes + place[graph.edge_index[0]])
    there = encoder(moved)
    assert_close(Embedding(there.nodes[place], there.edges[edges]), encoder(graph))


@quiet
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_has_a_gradient_from_the_nodes(kind: str, variant: str) -> None:
    encoder = make(replace(KINDS[kind], **VARIANTS[variant]))
    (encoder(random_graph()).nodes * torch.randn(20, 8)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 1e-5, name


@quiet
@pytest.mark.parametrize("name", CONFIGS)
def test_every_declared_column_is_read(name: str) -> None:
    encoder, graph = make(CONFIGS[name]), random_graph()
    before = encoder(graph).nodes
    changes: dict[str, GraphBatch] = {"node type": graph.with_nodes(type=(graph.nodes["type"] + 1) % 3)}
    changes |= {column: graph.with_nodes(**{column: graph.nodes[column] + 1}) for column in FEATURES.nodes}
    changes |= {column: graph.with_graphs(**{column: graph.graphs[column] + 1}) for column in FEATURES.graphs}
    if CONFIGS[name].kind in (*READS_EDGES, "relational") or name == "pyg":
        changes["edge type"] = graph.with_edges(type=1 - graph.edges["type"])
    if CONFIGS[name].kind in READS_EDGES or name == "pyg":
        changes |= {column: graph.with_edges(**{column: graph.edges[column] + 1}) for column in FEATURES.edges}
    for column, changed in changes.items():
        assert not torch.allclose(encoder(changed).nodes, before, atol=1e-5), column


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in READS_EDGES])
def test_a_layer_that_drops_edge_features_says_so(kind: str) -> None:
    dropped = "w, open" if kind == "relational" else "w, open, type"
    with pytest.warns(EdgeFeaturesIgnored, match=f"layer {kind} drops the edge columns {dropped};.*gatv2") as caught:
        make(KINDS[kind])
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_pyg_layer_that_drops_edge_features_says_so() -> None:
    with pytest.warns(EdgeFeaturesIgnored, match=r"torch_geometric\.nn:SAGEConv drops"):
        make(EncoderConfig(layer="torch_geometric.nn:SAGEConv", width=8))


@pytest.mark.parametrize("name", [*READS_EDGES, "pyg", "no rounds"])
def test_a_layer_that_reads_all_says_nothing(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(CONFIGS[name])


@pytest.mark.parametrize("kind", KINDS)
def test_without_edge_features_there_is_nothing_to_say(kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder = make(KINDS[kind], Features(nodes={"x": 3}))
    embedding = encoder(random_graph())
    assert embedding.nodes.shape == (20, 8)
    if kind == "edge-gated":
        assert encoder.carries_edges
        assert embedding.edges.shape == (80 - loops(random_graph()), encoder.edge_width)
    else:
        assert (embedding.edges, encoder.edge_width, encoder.carries_edges) == (None, 0, False)


def loops(graph: GraphBatch) -> int:
    """Self-loops, of which an undirected graph holds one direction."""
    return int((graph.edge_index[0] == graph.edge_index[1]).sum())


@quiet
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"edge-gated"}))
def test_edges_without_states_keep_their_columns(kind: str) -> None:
    graph = random_graph()
    columns = torch.cat([graph.edges["w"], graph.edges["open"]], dim=1)
    torch.testing.assert_close(make(KINDS[kind])(graph).edges, columns, rtol=0, atol=0)


def test_edge_states_pass_their_gradient() -> None:
    encoder, graph = make(KINDS["edge-gated"]), random_graph()
    w = graph.edges["w"].clone().requires_grad_()
    states = encoder(graph.with_edges(w=w)).edges
    (gradient,) = torch.autograd.grad((states * torch.randn(states.shape)).sum(), w)
    assert (gradient.abs().sum(1) > 0).all()


def test_types_alone_make_an_embedding() -> None:
    graph = random_graph()
    encoder = make(EncoderConfig(width=8, depth=0), Features(nodes={}, node_types=3))
    x = encoder(graph).nodes
    assert len(x.unique(dim=0)) == len(graph.nodes["type"].unique()) == 3


def test_columns_of_any_type_and_shape_are_laid_flat() -> None:
    encoder, graph = make(EncoderConfig(width=8), Features(nodes=FEATURES.nodes)), random_graph()
    whole = graph.with_nodes(kind=torch.arange(20) % 3 == 0, mass=torch.ones(20, 2, 1).double())
    flat = graph.with_nodes(kind=(torch.arange(20)[:, None] % 3 == 0).float(), mass=torch.ones(20, 2))
    torch.testing.assert_close(encoder(whole).nodes, encoder(flat).nodes)


@pytest.mark.parametrize("virtual_node", [False, True])
def test_depth_bounds_how_far_a_node_sees_unless_there_is_a_virtual_node(virtual_node: bool) -> None:
    path = from_edges(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([4, 1]), undirected=True)
    config = EncoderConfig(width=8, depth=2, norm=False, virtual_node=virtual_node)
    torch.manual_seed(0)
    x = torch.zeros(5, 1, requires_grad=True)
    nodes: Tensor = Encoder(Features(nodes={"x": 1}), config)(path.with_nodes(x=x)).nodes
    (gradient,) = torch.autograd.grad(nodes[3].sum(), x)
    assert (gradient[0] != 0) == virtual_node
    assert gradient[1] != 0
    assert gradient[4] == 0  # another graph


def test_jumping_joins_all_rounds() -> None:
    encoder, graph = make(EncoderConfig(width=8, depth=3, jumping=True), Features(nodes={"x": 3})), random_graph()
    for first in range(3):
        encoder.jumping.weight.data[:] = 0
        encoder.jumping.weight.data[:, 8 * first : 8 * first + 8] = torch.eye(8)
        encoder.jumping.bias.data[:] = 0
        shallow = make(EncoderConfig(width=8, depth=first + 1), Features(nodes={"x": 3}))
        shallow.load_state_dict(encoder.state_dict(), strict=False)
        torch.testing.assert_close(encoder(graph).nodes, shallow(graph).nodes)


@pytest.mark.parametrize("sizes", [{"width": 0}, {"depth": -1}])
def test_sizes_that_make_no_network_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"--encoder\.width"):
        EncoderConfig(**sizes)


def test_jumping_without_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"--encoder\.jumping"):
        EncoderConfig(depth=0, jumping=True)
