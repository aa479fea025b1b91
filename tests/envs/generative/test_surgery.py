"""Edits give what `from_edges` makes of the edited lists of nodes and edges."""

from __future__ import annotations

import torch
from hypothesis import given
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generative.surgery import append_nodes, keep_edges, keep_nodes
from strategies import NODE_COLUMNS, assert_same, assert_same_batch, ragged_batches, random_columns, seeded, seeds

simple = ragged_batches(parallels=False)


def rebuilt(graph: GraphBatch, sizes: Tensor, place: Tensor, nodes: dict[str, Tensor], links: Tensor) -> GraphBatch:
    """From lists: graphs of `sizes`, the nodes' new places [N], and the rows of the edges that stay."""
    return from_edges(
        place[graph.edge_index[:, links]],
        sizes,
        undirected="reverse" in graph.edges,
        nodes=nodes,
        edges={name: column[links] for name, column in graph.edges.items() if name != "reverse"},
        graphs=graph.graphs,
    )


def some(count: int, seed: int) -> Tensor:
    """[count] bool."""
    return torch.rand(count, generator=seeded(seed)) < 0.5


@given(simple, seeds)
def test_new_nodes_are_the_last_of_their_graphs(graph: GraphBatch, seed: int) -> None:
    before = {name: tensor.clone() for name, tensor in graph.to_tensors().items()}
    chosen = some(graph.num_graphs, seed)
    new = random_columns(NODE_COLUMNS, int(chosen.sum()), seeded(seed))
    found = append_nodes(graph, chosen, new)
    found.validate()

    sizes = graph.node_segments.lengths + chosen
    start = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])[:-1]
    place = start[graph.node_graph] + graph.node_segments.position
    nodes = {}
    for name, column in graph.nodes.items():
        rows, number = [], 0
        for part, is_chosen in zip(column.split(graph.node_segments.lengths.tolist()), chosen.tolist(), strict=True):
            rows.append(part)
            if is_chosen:
                rows.append(new[name][number : number + 1])
                number += 1
        nodes[name] = torch.cat(rows) if rows else column
    assert_same_batch(found, rebuilt(graph, sizes, place, nodes, graph.links[0]))
    assert_fresh(found)
    assert all(torch.equal(tensor, before[name]) for name, tensor in graph.to_tensors().items())


@given(simple, seeds)
def test_nodes_that_are_kept_span_what_is_left(graph: GraphBatch, seed: int) -> None:
    kept = some(graph.num_nodes, seed)
    found = keep_nodes(graph, kept)
    found.validate()
    sizes = torch.tensor(
        [int(part.sum()) for part in kept.split(graph.node_segments.lengths.tolist())], dtype=torch.int64
    )
    links = graph.links[0]
    links = links[kept[graph.edge_index[:, links]].all(0)]
    nodes = {name: column[kept] for name, column in graph.nodes.items()}
    assert_same_batch(found, rebuilt(graph, sizes, kept.cumsum(0) - 1, nodes, links))
    assert_fresh(found)


@given(simple, seeds)
def test_edges_that_are_kept_stay_in_order(graph: GraphBatch, seed: int) -> None:
    links = graph.links[0]
    links = links[some(links.numel(), seed)]
    kept = torch.zeros(graph.num_edges, dtype=torch.bool)
    kept[links] = True
    if "reverse" in graph.edges:
        kept[graph.edges["reverse"][links] + graph.edge_ptr[:-1][graph.edge_graph[links]]] = True
    found = keep_edges(graph, kept)
    found.validate()
    everywhere = torch.arange(graph.num_nodes)
    assert_same_batch(found, rebuilt(graph, graph.node_segments.lengths, everywhere, graph.nodes, links))
    assert_fresh(found)


@given(simple)
def test_what_is_added_and_taken_out_again_was_never_there(graph: GraphBatch) -> None:
    chosen = torch.ones(graph.num_graphs, dtype=torch.bool)
    larger = append_nodes(graph, chosen, random_columns(NODE_COLUMNS, graph.num_graphs, seeded()))
    last = torch.zeros(larger.num_nodes, dtype=torch.bool)
    last[larger.node_ptr[1:] - 1] = True
    assert_same_batch(keep_nodes(larger, ~last), graph)


def assert_fresh(graph: GraphBatch) -> None:
    """What a batch knows of itself from an edit is what it would count."""
    counted = GraphBatch.from_tensors(graph.to_tensors())
    assert_same(graph.node_segments.index, counted.node_segments.index)
    assert_same(graph.node_segments.lengths, counted.node_segments.lengths)
    assert_same(graph.edge_segments.index, counted.edge_segments.index)
    assert_same(graph.in_degree, counted.in_degree)
    assert_same(graph.links[0], counted.links[0])
    assert_same(graph.links[1].ptr, counted.links[1].ptr)
