"""Pictures of queueing networks are written, and show what they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from graphwright.drawing.queues import draw_network, plot_backlogs, plot_loads

PNG = b"\x89PNG"


def test_they_are_pictures(tmp_path: Path) -> None:
    plot_backlogs({"one": np.arange(1000.0), "other": np.zeros(3)}, tmp_path / "backlog.png", "title")
    plot_loads([0.5, 0.9], {"one": [1.0, 10.0]}, tmp_path / "load.png")
    draw_network(np.array([[0, 1], [1, 2]]), np.array([0, 3, 5]), np.array([1.0, 4.0]), tmp_path / "network.png")
    draw_network(np.zeros((0, 2), dtype=int), np.array([0]), None, tmp_path / "alone.png")
    for name in ("backlog", "load", "network", "alone"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(PNG)
