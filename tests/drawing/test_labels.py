"""Where names stand in a picture of a graph, and what its legend names."""

from __future__ import annotations

import numpy as np

from graphwright.drawing.graphs import draw_solution
from graphwright.drawing.labels import Labels, crossed


def test_a_line_that_goes_through_a_box() -> None:
    box, middle = (1.0, 1.0, 2.0, 2.0), np.zeros(2)
    assert crossed(box, middle, np.array([[-3.0, 0.0], [3.0, 3.0]]))
    assert crossed(box, middle, np.array([[1.5, 1.5]]))  # ends inside
    assert not crossed(box, middle, np.array([[0.9, 0.9], [3.0, 0.0], [-2.0, -2.0], [0.0, 5.0]]))
    assert not crossed(box, middle, np.zeros((0, 2)))


def test_names_stand_where_no_link_of_their_node_goes() -> None:
    position = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    edges, none = np.array([[0, 1], [0, 2]]), np.zeros((0, 2), int)
    figure = draw_solution(edges, np.array([0]), none, position, "three", labels=Labels(nodes=["one", "two", "three"]))
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert places["one"][1] < 0  # one link goes up, one to the right
    assert places["two"][1] > 1
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["not chosen (2)", "chosen (1)"]


def test_a_legend_names_nothing_that_is_not_there() -> None:
    position, tour = np.eye(3)[:, :2], np.array([[0, 1], [1, 2], [2, 0]])
    for nodes, word in ((np.arange(3), "chosen (3)"), (np.zeros(0, int), "not chosen (3)")):
        figure = draw_solution(tour[:0], nodes, tour, position, "tour")
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["chosen links (3)", word]
