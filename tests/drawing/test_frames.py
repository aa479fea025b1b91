"""Frames of an episode: nodes keep their places whatever the legend says."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from graphwright.core import from_edges
from graphwright.drawing.frames import FrameRenderer


def test_nodes_keep_their_places_from_frame_to_frame() -> None:
    graph = from_edges(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([4]), undirected=True)
    place = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    renderer = FrameRenderer(graph, place, marks={"terminal": np.array([0, 3])})
    no_links, one_link = torch.zeros(2, 0, dtype=torch.int64), torch.tensor([[1], [2]])

    def frame(nodes: list[int], links: torch.Tensor) -> np.ndarray:
        solution = SimpleNamespace(nodes=torch.tensor(nodes, dtype=torch.int64), links=links)
        rules = SimpleNamespace(so_far=lambda state: solution, shows_edges=True)
        return renderer.draw(rules, graph, "title")  # type: ignore[arg-type]

    before, after = frame([0], no_links), frame([0, 1], one_link)
    assert before.shape == after.shape
    height, width, _ = before.shape
    left = slice(height // 8, int(0.8 * height)), slice(0, width // 4)  # nodes 0 and 3, which stay as they are
    assert (before[left] == after[left]).all()
    assert (before != after).any()
