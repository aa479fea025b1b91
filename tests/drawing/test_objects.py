"""Every node, link and picture is drawn once, where it belongs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from graphwright.core import from_edges
from graphwright.drawing.objects import draw_graphs, draw_molecules


@pytest.mark.parametrize("undirected", [True, False])
@pytest.mark.parametrize("numbered", [True, False])
def test_sheets_draw_each_node_and_link_once(undirected: bool, numbered: bool) -> None:
    """Graphs with a loop, in two parts, and without nodes."""
    states = from_edges(
        torch.tensor([[0, 1, 2, 2, 4], [1, 2, 0, 2, 5]]),
        torch.tensor([4, 0, 3]),
        undirected=undirected,
        nodes={"kind": torch.tensor([0, 1, 0, 1, 2, 0, 0])},
    )
    figure = draw_graphs(states, ["a", "b", "c"], node_type="kind", numbered=numbered)
    first, empty, last = figure.axes
    for axes, nodes in ((first, 4), (last, 3)):
        position = np.asarray(axes.collections[-1].get_offsets())
        assert position.shape == (nodes, 2)
        assert np.linalg.norm(position[:, None] - position, axis=2)[~np.eye(nodes, dtype=bool)].min() > 0.3
        arrows = [text for text in axes.texts if not text.get_text()]
        links = [path for lines in axes.collections for path in lines.get_paths() if len(path.vertices) == 2]
        assert len(arrows if not undirected else links) == {4: 3, 3: 1}[nodes]
    assert [text.get_text() for text in empty.texts] == ["empty"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["kind 0", "kind 1", "kind 2"]
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c"]


def test_words_are_written_from_left_to_right() -> None:
    """Undirected paths stand in a row, whatever their numbers; a star and a cycle do not."""
    links = torch.tensor([[0, 1, 2, 5, 4, 7], [1, 2, 3, 4, 6, 8]])
    for axes, order in zip(
        draw_graphs(from_edges(links, torch.tensor([4, 3, 2]), undirected=True)).axes,
        ([0, 1, 2, 3], [1, 0, 2], [0, 1]),
        strict=True,
    ):
        position = np.asarray(axes.collections[-1].get_offsets())
        assert not position[:, 1].any()
        np.testing.assert_allclose(position[order, 0], np.linspace(-1, 1, len(order)))
    others = torch.tensor([[0, 0, 0, 4, 5, 6], [1, 2, 3, 5, 6, 4]])
    for axes in draw_graphs(from_edges(others, torch.tensor([4, 3]), undirected=True)).axes:
        assert np.ptp(np.asarray(axes.collections[-1].get_offsets())[:, 1]) > 0.5


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (3, 3), (7, 4), (20, 5), (23, 6), (24, 6), (25, 5)])
def test_sheets_leave_few_cells_empty(count: int, columns: int) -> None:
    figure = draw_molecules([np.zeros((2, 2, 3), np.uint8)] * count)
    assert figure.axes[0].get_subplotspec().get_gridspec().ncols == columns


def test_molecules_stand_row_by_row() -> None:
    shades = list(range(7))
    figure = draw_molecules([np.full((8, 8, 3), shade, np.uint8) for shade in shades], list("abcdefg"))
    found = [axes.images[0].get_array()[0, 0, 0] if axes.images else None for axes in figure.axes]
    assert found == [*shades, None]
