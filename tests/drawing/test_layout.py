"""Where nodes stand: parts apart, distances those of the graph; what is written stands nowhere on something else."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from graphwright.drawing.graphs import draw_solution
from graphwright.drawing.labels import Labels
from graphwright.drawing.layout import EXACT, lay_out, lay_out_roughly, place_nodes

NONE = np.empty((0, 2), int)
PARTS = nx.disjoint_union_all([nx.cycle_graph(12), nx.star_graph(7), nx.path_graph(5), nx.empty_graph(6)])


def edges_of(graph: nx.Graph) -> np.ndarray:
    return np.array(graph.edges, int).reshape(-1, 2)


@pytest.mark.parametrize("layout", [lay_out, lay_out_roughly])
def test_parts_stand_apart(layout: object) -> None:
    assert callable(layout)
    place = layout(edges_of(PARTS), len(PARTS))
    boxes = [(place[list(part)].min(0), place[list(part)].max(0)) for part in nx.connected_components(PARTS)]
    large = boxes if layout is lay_out else boxes[:1]
    for number, (low, high) in enumerate(large):
        for other_low, other_high in boxes[number + 1 :]:
            assert (high < other_low).any() or (other_high < low).any()
    assert layout(NONE, 0).shape == (0, 2)
    assert np.isfinite(layout(NONE, 3)).all()


@pytest.mark.parametrize("side", [6, int(EXACT**0.5) + 2])
def test_distances_are_those_of_the_graph(side: int) -> None:
    """On a grid, few nodes or many; a second call gives the same places."""
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(side, side))
    place = lay_out(edges_of(grid), len(grid))
    wanted = np.array(
        [[far[other] for other in range(len(grid))] for _, far in nx.all_pairs_shortest_path_length(grid)]
    )
    found = np.linalg.norm(place[:, None] - place, axis=2)
    upper = np.triu_indices(len(grid), 1)
    assert np.corrcoef(found[upper], wanted[upper])[0, 1] > 0.95
    assert (place == lay_out(edges_of(grid), len(grid))).all()


def test_what_has_no_position_stands_beside_its_neighbours() -> None:
    given = np.array([[0.0, 0], [np.nan, np.nan], [2, 2]])
    place, placed = place_nodes(np.array([[0, 1], [1, 2]]), 3, given)
    assert placed.tolist() == [True, False, True]
    assert place[1].tolist() == [1, 1]


def test_names_do_not_cover_each_other() -> None:
    graph = nx.watts_strogatz_graph(50, 4, 0.2, seed=0)
    labels = Labels(nodes=[f"station {node}" for node in graph], links=["1.25"] * graph.number_of_edges())
    figure = draw_solution(
        edges_of(graph), np.arange(5), NONE, lay_out(edges_of(graph), 50), "a title " * 40, labels=labels
    )
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text().startswith("station")]
    assert len(boxes) > 25
    for number, box in enumerate(boxes):
        assert not any(box.shrunk(0.9, 0.8).overlaps(other.shrunk(0.9, 0.8)) for other in boxes[number + 1 :])
    heading = figure._suptitle.get_window_extent()
    assert heading.x1 <= figure.bbox.x1
    assert heading.y1 <= figure.bbox.y1


def test_a_plan_is_numbered_in_its_order() -> None:
    steps = {0: "1", 1: "2", 2: "3"}
    labels = Labels(steps=steps, ways=np.array([[0, 1], [1, 2]]))
    edges = np.array([[0, 1], [1, 2]])
    figure = draw_solution(edges, np.arange(3), edges, lay_out(edges, 3), "plan", labels=labels)
    numbers = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts if text.get_text()}
    assert list(numbers) == ["1", "2", "3"]
    assert len([text for text in figure.axes[0].texts if not text.get_text()]) == 2  # arrows
