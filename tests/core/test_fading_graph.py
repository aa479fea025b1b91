"""FadingGraph against networkx."""

from __future__ import annotations

import networkx as nx
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.core.fading_graph import FadingGraph


@st.composite
def graphs(draw: st.DrawFn) -> GraphBatch:
    size = draw(st.integers(1, 12))
    pairs = [(u, v) for v in range(size) for u in range(v)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=25)) if pairs else []
    ends = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
    return from_edges(ends, torch.tensor([size]), undirected=True)


def plain(graph: GraphBatch) -> nx.Graph:
    found = nx.empty_graph(graph.num_nodes)
    found.add_edges_from(graph.edge_index.T.tolist())
    return found


@given(graphs(), st.data())
def test_balls_and_induced_graphs_after_edges_are_gone(graph: GraphBatch, data: st.DataObject) -> None:
    around, nodes = FadingGraph(graph), st.integers(0, graph.num_nodes - 1)
    kept = torch.tensor(
        data.draw(st.lists(st.booleans(), min_size=graph.num_edges, max_size=graph.num_edges)), dtype=torch.bool
    )
    other = graph.edges["reverse"]
    fewer = graph.filter_edges(kept & kept[other])
    everything = torch.arange(graph.num_nodes)
    lost = around.keep_edges(everything, everything, fewer)
    assert lost.tolist() == (graph.in_degree != fewer.in_degree).nonzero().squeeze(1).tolist()
    assert around.degree.tolist() == fewer.in_degree.tolist()
    for _ in range(2):  # the second finds what the first has left behind
        seeds, radius = data.draw(st.lists(nodes, unique=True, min_size=1)), data.draw(st.integers(0, 3))
        rows, hops = around.ball(torch.tensor(seeds), radius)
        expected = nx.multi_source_dijkstra_path_length(plain(fewer), set(seeds), cutoff=radius)
        assert dict(zip(rows.tolist(), hops.tolist(), strict=True)) == expected
        assert rows.tolist() == sorted(rows.tolist())
        part = around.induced(rows, padding=2)
        part.validate()
        assert part.num_nodes == len(rows) + 2
        named = {(rows[u].item(), rows[v].item()) for u, v in part.edge_index.T.tolist()}
        assert named == {(u, v) for u, v in fewer.edge_index.T.tolist() if u in expected and v in expected}


@given(graphs(), st.data())
def test_the_best_around(graph: GraphBatch, data: st.DataObject) -> None:
    size, radius = graph.num_nodes, data.draw(st.integers(1, 3))
    scores = data.draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, -torch.inf]), min_size=size, max_size=size))
    able = [node for node in range(size) if scores[node] > -torch.inf]
    joined = plain(graph).subgraph(able)
    best = [
        node
        for node in able
        if all(
            (-scores[node], node) <= (-scores[other], other)
            for other in nx.single_source_shortest_path_length(joined, node, cutoff=radius)
        )
    ]
    found = FadingGraph(graph).best_around(torch.tensor(scores), torch.tensor(able, dtype=torch.int64), radius)
    assert found.tolist() == best
