"""Pictures of large graphs: cores against networkx, and a picture for any input."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from graphwright.drawing.large_graphs import core_numbers, draw_large

NONE = np.empty((0, 2), int)


@pytest.mark.parametrize("seed", range(4))
def test_core_numbers_are_those_of_networkx(seed: int) -> None:
    graph = nx.gnm_random_graph(60, 40 * (seed + 1), seed=seed)
    edges = np.array(graph.edges).reshape(-1, 2)
    loops = np.array([[0, 0], [5, 5]])
    found = core_numbers(np.concatenate([edges, loops]), 60)
    assert found.tolist() == [nx.core_number(graph)[node] for node in range(60)]


def test_a_picture_shows_how_many_are_chosen() -> None:
    edges = np.array(nx.barabasi_albert_graph(200, 2, seed=0).edges)
    position = np.random.default_rng(0).random((200, 2))
    for places in (None, position, np.full((200, 2), np.nan)):
        figure = draw_large(edges, np.arange(50), NONE, places, 200, "title")
        assert "chosen (50)" in [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert draw_large(np.empty((0, 2), int), np.array([], int), NONE, None, 3, "no links").axes
