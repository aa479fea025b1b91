"""Encoders of every kind: batching changes nothing, relabelling permutes, and every declared column is read."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from hypothesis import given, settings

from graphwright.core import Features, GraphBatch, from_edges
from graphwright.nn import Encoder, EncoderConfig
from graphwright.nn.encoders import Kind
from strategies import alone, ragged_batches, relabelled, seeded, seeds

FEATURES = Features(nodes={"x": 3, "kind": 1, "mass": 2}, edges={"w": 2, "open": 1}, graphs={"g": 1, "code": 2})
CONFIGS = {kind: EncoderConfig(kind=kind, width=8, depth=2) for kind in get_args(Kind)} | {
    "sum-mean-max": EncoderConfig(aggregation="sum-mean-max", width=8, depth=2),
    "plain": EncoderConfig(width=8, depth=2, residual=False, norm=False),
    "no rounds": EncoderConfig(width=8, depth=0),
    "pyg": EncoderConfig(layer="torch_geometric.nn:TransformerConv", width=8, depth=2),
}
READS_EDGES = ("gat", "gatv2", "gin", "pyg")
few = settings(max_examples=15)


def make(name: str) -> Encoder:
    torch.manual_seed(0)
    return Encoder(FEATURES, CONFIGS[name])


def random_graph() -> GraphBatch:
    """One undirected graph of 20 nodes and 40 edges, with all columns at random."""
    generator = seeded()
    rows = {"nodes": 20, "edges": 40, "graphs": 1}
    columns = {
        table: {
            name: torch.randn(count, width, generator=generator) for name, width in getattr(FEATURES, table).items()
        }
        for table, count in rows.items()
    }
    return from_edges(torch.randint(20, (2, 40), generator=generator), torch.tensor([20]), undirected=True, **columns)


@pytest.mark.parametrize("name", CONFIGS)
@given(graph=ragged_batches())
@few
def test_batching_changes_nothing(name: str, graph: GraphBatch) -> None:
    encoder = make(name)
    together = encoder(graph)
    assert together.shape == (graph.num_nodes, 8)
    for index in range(graph.num_graphs):
        single = encoder(alone(graph, index))
        torch.testing.assert_close(together[graph.node_graph == index], single, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
@given(graph=ragged_batches(), seed=seeds)
@few
def test_relabelling_permutes_the_embeddings(name: str, graph: GraphBatch, seed: int) -> None:
    encoder = make(name)
    moved, place = relabelled(graph, seeded(seed))
    torch.testing.assert_close(encoder(moved)[place], encoder(graph), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", sorted(CONFIGS.keys() - {"pyg"}))
def test_every_parameter_has_a_gradient(name: str) -> None:
    encoder = make(name)
    (encoder(random_graph()) * torch.randn(20, 8)).sum().backward()
    for parameter_name, parameter in encoder.named_parameters():
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().max() > 1e-4, parameter_name


@pytest.mark.parametrize("name", CONFIGS)
def test_every_declared_column_is_read(name: str) -> None:
    encoder, graph = make(name), random_graph()
    tables = [("nodes", graph.with_nodes), ("graphs", graph.with_graphs)]
    tables += [("edges", graph.with_edges)] if name in READS_EDGES else []
    for table, change in tables:
        for column in getattr(FEATURES, table):
            changed = change(**{column: getattr(graph, table)[column] + 1})
            assert not torch.allclose(encoder(changed), encoder(graph), atol=1e-4), f"{column} of {table}"


def test_columns_of_any_type_and_shape_are_laid_flat() -> None:
    encoder, graph = make("graphconv"), random_graph()
    whole = graph.with_nodes(kind=torch.arange(20) % 3 == 0, mass=torch.ones(20, 2, 1).double())
    flat = graph.with_nodes(kind=(torch.arange(20)[:, None] % 3 == 0).float(), mass=torch.ones(20, 2))
    torch.testing.assert_close(encoder(whole), encoder(flat))


def test_depth_bounds_how_far_a_node_sees() -> None:
    path = from_edges(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([4]), undirected=True)
    encoder = Encoder(Features(nodes={"x": 1}), EncoderConfig(width=8, depth=2, norm=False))
    x = torch.zeros(4, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(encoder(path.with_nodes(x=x))[3].sum(), x)
    assert gradient[0] == 0
    assert gradient[1] != 0


@pytest.mark.parametrize("sizes", [{"width": 0}, {"depth": -1}])
def test_sizes_that_make_no_network_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"--encoder\.width"):
        EncoderConfig(**sizes)
