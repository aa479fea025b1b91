"""An MLP on named nodes: the same numbers as an MLP by hand, whatever their order, zeros for those that are missing."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, per_edge, per_graph, per_node, relabel
from graphwright.core.one_hot import one_hot
from graphwright.nn import Encoder, EncoderConfig, HeadsConfig
from graphwright.nn.actors import CategoricalActor
from graphwright.nn.vectors import PlaceScore, VectorEncoder, make_encoder

MLP = EncoderConfig("mlp", width=8, depth=2)
FEATURES = Features(nodes={"axis": 3, "x": 2}, graphs={"goal": 1}, named_by="axis")
ACTIONS = ActionSpec(per_graph("stop"), per_node("move", 2))


def example() -> GraphBatch:
    """A graph of all three named nodes in another order, one of the last alone, and one without nodes."""
    axis = torch.tensor([1, 2, 0, 2])
    x, goal = torch.arange(8.0).view(4, 2), torch.tensor([1.0, -1.0, 0.5])
    nothing = torch.empty(2, 0, dtype=torch.int64)
    return GraphBatch(
        nothing, torch.tensor([0, 3, 4, 4]), torch.zeros(4, dtype=torch.int64), {"axis": one_hot(axis, 3), "x": x}, {},
        {"goal": goal},
    )  # fmt: skip


def test_it_is_an_mlp_on_the_columns_side_by_side() -> None:
    torch.manual_seed(0)
    encoder, graph = VectorEncoder(FEATURES, MLP), example()
    vectors = torch.tensor([[4.0, 5, 0, 1, 2, 3, 1.0], [0, 0, 0, 0, 6, 7, -1.0], [0, 0, 0, 0, 0, 0, 0.5]])
    first, second = encoder.layers
    expected = second(first(vectors).relu()).relu()
    embedding = encoder(graph)
    torch.testing.assert_close(embedding.whole, expected)
    head = PlaceScore(8, 3, 2)
    scores = head.score(expected).view(3, 3, 2)
    found = head(embedding, graph, torch.ones(4, 2, dtype=torch.bool))
    torch.testing.assert_close(found, torch.stack([scores[0, 1], scores[0, 2], scores[0, 0], scores[1, 2]]))


def test_the_order_of_the_nodes_changes_nothing() -> None:
    torch.manual_seed(0)
    encoder, graph = make_encoder(FEATURES, MLP), example()
    actor = CategoricalActor(ACTIONS, encoder, HeadsConfig(graph_columns=True))
    order = torch.tensor([2, 0, 1, 3])

    def probs(graph: GraphBatch) -> torch.Tensor:
        masks = torch.ones(3, dtype=torch.bool), torch.ones(4, 2, dtype=torch.bool)
        return actor(encoder(graph), Observation(graph, masks)).probs

    moved = probs(relabel(graph, order))
    before = probs(graph)
    of_nodes = before[1:7].view(3, 2)
    place = torch.empty(3, dtype=torch.int64).index_copy(0, order[:3], torch.arange(3))
    torch.testing.assert_close(moved[1:7].view(3, 2), of_nodes[place])
    torch.testing.assert_close(moved[7:], before[7:])


def test_what_it_cannot_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"encoder.kind.*no names here"):
        make_encoder(Features(nodes={"x": 1}), MLP)
    with pytest.raises(ValueError, match=r"encoder.kind.*passes no messages"):
        Encoder(FEATURES, MLP)
    with pytest.raises(ValueError, match="'cut' is tied to edges"):
        CategoricalActor(ActionSpec(per_edge("cut")), make_encoder(FEATURES, MLP), HeadsConfig())
    with pytest.raises(ValueError, match=r"encoder\.depth"):
        make_encoder(FEATURES, EncoderConfig("mlp", depth=0))


@pytest.mark.parametrize("kind", ["mlp", "gin"])
def test_what_no_team_plays_has_no_networks_of_agents(kind: Any) -> None:
    """A network of flows once ignored the option."""
    with pytest.raises(ValueError, match=r"--encoder\.individual: only agents of a team"):
        make_encoder(FEATURES, EncoderConfig(kind, individual=True))
