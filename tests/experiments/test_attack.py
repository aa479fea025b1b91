"""The attack: what may be changed leaves the components as they are, and all attacks are at least as good as greedy."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest
import torch

from graphwright.core import GraphError, from_edges, pair_segments
from graphwright.envs.conformance import check_environment
from graphwright.experiments.components import (
    SMALLEST,
    Classifier,
    draw_graphs,
    number_of_pieces,
    save_classifier,
    train_classifier,
)
from graphwright.experiments.edge_attack import (
    EDGE_ATTACK,
    EdgeAttack,
    after,
    best_of_all,
    candidates,
    harmless,
)
from strategies import seeded


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> EdgeAttack:
    """Against a classifier that has learned a little."""
    path = tmp_path_factory.mktemp("attack") / "classifier.safetensors"
    save_classifier(train_classifier((8, 10), 40, seed=0, batch=32), path)
    return EdgeAttack(str(path), budget=2)


def test_graphs_have_as_many_components_as_it_is_said() -> None:
    graph = draw_graphs((8, 12), 60, seeded(0))
    graph.validate()
    for number, pieces in enumerate(number_of_pieces(graph).tolist()):
        one = graph.select(torch.tensor([number]))
        whole = nx.Graph(one.edge_index.T.tolist())
        whole.add_nodes_from(range(one.num_nodes))
        sizes = [len(part) for part in nx.connected_components(whole)]
        assert len(sizes) == pieces <= 3
        assert min(sizes) >= SMALLEST


def test_a_pair_may_change_where_networkx_counts_as_many_components_afterwards() -> None:
    graph = draw_graphs((5, 9), 12, seeded(1))
    legal, pairs = harmless(graph), pair_segments(graph)
    for number in range(graph.num_graphs):
        begin, end = pairs.ptr[number], pairs.ptr[number + 1]
        one = graph.select(torch.tensor([number]))
        whole = nx.Graph(one.edge_index.T.tolist())
        whole.add_nodes_from(range(one.num_nodes))
        before = nx.number_connected_components(whole)
        for place, may in enumerate(legal[begin:end].tolist()):
            ends = divmod(place, one.num_nodes)
            changed = whole.copy()
            (changed.remove_edge if changed.has_edge(*ends) else changed.add_edge)(*ends)
            assert may == (ends[0] != ends[1] and nx.number_connected_components(changed) == before)


def test_an_edge_goes_or_comes_and_all_else_stays() -> None:
    graph = from_edges(torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([4]), undirected=True)
    size = graph.num_nodes
    without, beside = (
        after(graph, torch.tensor([0 * size + 1, 2 * size + 3])).select(torch.tensor([0])),
        after(graph, torch.tensor([2 * size + 3])),
    )
    assert {tuple(edge) for edge in without.edge_index.T.tolist()} == {(1, 2), (2, 1), (2, 0), (0, 2)}
    assert beside.num_edges == 8
    beside.validate()


@pytest.mark.parametrize("seed", [0, 1, 2])  # some of which failed by a classifier in float32
def test_it_keeps_the_contract(environment: EdgeAttack, seed: int) -> None:
    check_environment(environment, draw_graphs((8, 10), 4, seeded(2 + seed)), seed=seed)


def test_all_attacks_reach_what_greedy_does_and_one_change_is_the_best_of_all(environment: EdgeAttack) -> None:
    instances = draw_graphs((8, 10), 6, seeded(3))
    greedy = environment.objective(EDGE_ATTACK.heuristics["greedy"](environment, instances))
    every = best_of_all(environment, instances)
    assert bool((every >= greedy - 1e-4).all())
    assert bool((every >= environment.reset(instances).graphs["margin"] - 1e-4).all())
    one = EdgeAttack(environment.classifier, budget=1)
    state = one.reset(instances)
    rows = candidates(state, harmless(state))
    margins = one.margin(after(state.keep(graphs=["label"]), rows))
    owner = pair_segments(state).index[rows]
    best = torch.stack([margins[owner == number].max() for number in range(instances.num_graphs)])
    assert torch.allclose(best_of_all(one, instances), torch.maximum(best, state.graphs["margin"]), atol=1e-4)


def test_what_is_no_classifier_is_one_line(tmp_path: Path) -> None:
    instances = draw_graphs((8,), 1, seeded(0))
    with pytest.raises(GraphError, match="name the classifier"):
        EdgeAttack().reset(instances)
    (tmp_path / "other").write_text("no tensors")
    with pytest.raises(GraphError, match="holds no classifier"):
        EdgeAttack(str(tmp_path / "other")).reset(instances)
    assert Classifier()(instances).shape == (1, 3)
