"""Grids drawn with characters, for examples and tests."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from graphwright.core import GraphBatch, GraphError, from_edges

_OBSTACLES = {"^": 1, ">": 2, "v": 3, "<": 4}


def from_map(lines: Sequence[str]) -> GraphBatch:
    """The graph of a map, northern row first: `R` robot, `G` goal, `#` wall, `.` free, `^>v<` an obstacle's direction.

    Node columns `x`, `y`, `wall`, `obstacle`, `start` and `goal`; cells are numbered from the south-west corner row by
    row. Raises GraphError for lines of different lengths and other characters.
    """
    rows = list(reversed(lines))
    width = len(rows[0]) if rows else 0
    text = "".join(rows)
    odd = set(text) - {"R", "G", "#", ".", *_OBSTACLES}
    if odd or any(len(row) != width for row in rows):
        raise GraphError(f"a map has lines of one length of the characters R G # . ^ > v <; found {sorted(odd)}")
    number = torch.arange(len(text)).view(len(rows), width)
    edges = torch.cat(
        [
            torch.stack([number[:, :-1].flatten(), number[:, 1:].flatten()]),
            torch.stack([number[:-1].flatten(), number[1:].flatten()]),
        ],
        dim=1,
    )
    columns = {
        "x": (number % width).flatten(),
        "y": (number // width).flatten(),
        "wall": torch.tensor([cell == "#" for cell in text]),
        "obstacle": torch.tensor([_OBSTACLES.get(cell, 0) for cell in text]),
        "start": torch.tensor([cell == "R" for cell in text]),
        "goal": torch.tensor([cell == "G" for cell in text]),
    }
    return from_edges(edges, torch.tensor([len(text)]), undirected=True, nodes=columns)
