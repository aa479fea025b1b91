"""Arrays of a row an object: cells of grids, and matrices of edges between named nodes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graphwright.core import GraphBatch
from graphwright.envs.generative.edge_sets import EdgeSets
from graphwright.envs.generative.grid import COORDINATE, HyperGrid
from graphwright.envs.generative.reading.graphs import Edges, chosen_edges
from graphwright.envs.generative.reading.lines import Made


def cells(environment: HyperGrid, start: GraphBatch, path: Path, data: bytes) -> Made:
    """Those whose coordinates are the rows of `states`."""
    return _of_rows(data, "states", partial(_cell, environment, start))


def matrices(environment: EdgeSets, start: GraphBatch, path: Path, data: bytes) -> Made:
    """Edges, from row to column, by the matrices of `adjacency`."""

    def make(matrix: Any) -> GraphBatch:
        return chosen_edges(environment, start, _edges(environment.num_nodes, matrix))

    return _of_rows(data, "adjacency", make)


def _of_rows(data: bytes, name: str, make: Callable[[Any], GraphBatch]) -> Made:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            names = list(arrays)
            rows = arrays[name] if name in names else None
    except (AttributeError, TypeError, OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise ValueError(f"is no .npz file with an array {name!r}") from None
    if rows is None:
        raise ValueError(f"has no array {name!r}, only {', '.join(names) or 'none at all'}; name the array so")
    if rows.ndim < 2:
        raise ValueError(f"{name!r} has no row for each object")
    return ((f"object {place}", partial(make, row)) for place, row in enumerate(rows))


def _cell(environment: HyperGrid, start: GraphBatch, row: Any) -> GraphBatch:
    if row.shape != (environment.dimensions,) or row.dtype.kind not in "iu":
        raise ValueError(f"is no row of {environment.dimensions} whole numbers")
    if not ((row >= 0) & (row < environment.side)).all():
        raise ValueError(f"lies outside the grid: {row.tolist()}, of 0 to {environment.side - 1} each")
    return start.with_nodes(**{COORDINATE: torch.tensor(row.astype(np.int64))})


def _edges(size: int, matrix: Any) -> Edges:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isin(matrix, (0, 1)).all():
        raise ValueError("is no square matrix of zeros and ones")
    if len(matrix) != size:
        raise ValueError(f"is a matrix of {len(matrix)} nodes; what is built has {size}, so give {size} × {size}")
    return [(int(one), int(other)) for one, other in zip(*matrix.nonzero(), strict=True)]
