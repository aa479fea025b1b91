"""Walks: their numbers, and that with them no two actions look alike which no symmetry of the graph exchanges."""

from __future__ import annotations

from itertools import combinations, permutations

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    Observation,
    from_edges,
    per_edge,
    per_node,
    per_pair,
    per_unordered_pair,
    unordered_pair_nodes,
    unordered_pair_segments,
)
from graphwright.core.pairs import pair_ends
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.nn.kernels import (
    random_walks,
    random_walks_along_edges,
    random_walks_either_way,
    random_walks_reference,
)
from strategies import ragged_batches

SEEN = Features(nodes={"degree": 1})


@given(graph=ragged_batches())
@settings(max_examples=20, deadline=None)
def test_walks_are_powers_of_the_normalised_adjacency(graph: GraphBatch) -> None:
    ends = torch.stack(pair_ends(graph))
    assert torch.allclose(random_walks(ends, graph, 3), random_walks_reference(ends, graph, 3), atol=1e-6)
    assert torch.allclose(
        random_walks_along_edges(graph, 3), random_walks_reference(graph.edge_index, graph, 3), atol=1e-6
    )


def test_walks_of_a_path_by_hand() -> None:
    """0 - 1 - 2: from an end a walk must go to the middle (1/√2 · 1/√2 ... of two steps: 1/2 to either end)."""
    path = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True)
    found = random_walks(torch.tensor([[0, 0, 0], [0, 1, 2]]), path, 2)
    assert torch.allclose(found, torch.tensor([[0, 0.5], [0.5**0.5, 0], [0, 0.5]]))


def small_graphs() -> list[np.ndarray]:
    """Adjacency matrices of all connected graphs of 3 to 6 nodes."""
    atlas = [graph for graph in nx.graph_atlas_g() if 3 <= len(graph) <= 6 and nx.is_connected(graph)]
    return [nx.to_numpy_array(graph, nodelist=range(len(graph)), dtype=int) for graph in atlas]


def orbit(adjacency: np.ndarray) -> np.ndarray:
    """[n, n]: the least n · i + j that a symmetry of the graph takes each ordered pair to."""
    n = len(adjacency)
    order = np.array(list(permutations(range(n))))
    moved = adjacency[order[:, :, None], order[:, None, :]]
    order = order[(moved == adjacency).all((1, 2))]
    return (order[:, :, None] * n + order[:, None, :]).min(0)


def batch_of(matrices: list[np.ndarray]) -> GraphBatch:
    graphs = [
        from_edges(torch.tensor(np.array(np.triu(each).nonzero())), torch.tensor([len(each)]), undirected=True)
        for each in matrices
    ]
    batch = GraphBatch.concat(graphs)
    return batch.with_nodes(degree=batch.in_degree / 4)


def ends_of(kind: str, graph: GraphBatch) -> Tensor:
    """[2, rows]: the two nodes of every row, inside its graph; twice the same of a node."""
    start = graph.node_ptr[:-1]
    if kind == "nodes":
        return graph.node_segments.position.expand(2, -1)
    if kind == "edges":
        rows = graph.links[0]
        return graph.edge_index[:, rows] - start[graph.edge_graph[rows]]
    if kind == "pairs":
        return torch.stack(pair_ends(graph)) - start[graph.node_graph[pair_ends(graph)[0]]]
    return torch.stack(unordered_pair_nodes(unordered_pair_segments(graph).position))


def alike(spec: ActionSpec, heads: HeadsConfig, encoder: EncoderConfig) -> int:
    """How many pairs of actions on one graph have the same score under random weights, though no symmetry of the graph
    exchanges them, over `small_graphs`, (u, v) and (v, u) being one. That symmetric actions have the same is asserted.
    """
    matrices = small_graphs()
    graph = batch_of(matrices)
    block = spec.blocks[0]
    torch.manual_seed(0)
    policy = GraphPolicy(SEEN, spec, encoder, heads)
    torch.nn.init.normal_(next(p for n, p in policy.actor.named_parameters() if n.endswith("score.weight")))
    mask = torch.ones(block.rows.segments(graph).num_rows, dtype=torch.bool)
    with torch.no_grad():
        scores = policy.distribution(Observation(graph, (mask,))).log_probs
    ends, rows = ends_of(block.rows.name, graph).numpy(), spec.segments(graph)
    found = 0
    for place, adjacency in enumerate(matrices):
        part = slice(*rows.ptr[place : place + 2].tolist())
        u, v = ends[:, part]
        orbits = orbit(adjacency)
        one, either = orbits[u, v], np.minimum(orbits[u, v], orbits[v, u])
        score = scores[part].numpy()
        rows_of_two = np.arange(len(u)) if block.rows.name == "nodes" else (u != v).nonzero()[0]
        for i, j in combinations(rows_of_two, 2):
            same = abs(score[i] - score[j]) < 1e-5
            assert same or np.ptp((one if block.rows.name == "pairs" else either)[[i, j]])
            found += bool(same and either[i] != either[j])
    return found


SPECS = {
    "nodes": (per_node("add"), HeadsConfig()),
    "edges": (per_edge("cut"), HeadsConfig()),
    "pairs": (per_pair("join"), HeadsConfig(pairs="ends")),
    "unordered pairs": (per_unordered_pair("join"), HeadsConfig()),
}


@pytest.mark.parametrize("kind", SPECS)
def test_actions_that_no_symmetry_exchanges_have_different_scores(kind: str) -> None:
    block, heads = SPECS[kind]
    assert alike(ActionSpec(block), heads, EncoderConfig(kind="gin", width=32, depth=3, walks=4)) == 0


def test_without_walks_messages_do_not_tell_pairs_apart() -> None:
    """Two leaves of one node look like leaves of different nodes: what walks are for."""
    blind = HeadsConfig(walks=0)
    assert alike(ActionSpec(per_unordered_pair("join")), blind, EncoderConfig(kind="gin", width=16, depth=3)) > 0


def test_an_undirected_graph_need_not_say_that_it_is_one() -> None:
    """Other libraries bring both directions without the column `reverse`."""
    links, sizes = torch.tensor([[0, 1, 1], [1, 2, 3]]), torch.tensor([4])
    graph = from_edges(links, sizes, undirected=True)
    unsaid = from_edges(torch.cat([links, links.flip(0)], dim=1), sizes, undirected=False)
    assert "reverse" not in unsaid.edges
    ends = torch.combinations(torch.arange(4)).T
    torch.testing.assert_close(random_walks_either_way(ends, unsaid, 5), random_walks_either_way(ends, graph, 5))
