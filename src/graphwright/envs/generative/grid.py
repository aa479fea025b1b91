"""The hyper-grid: a walk from a corner of a d-dimensional grid that only ever goes outward."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, from_edges, per_graph, per_node
from graphwright.core.numbers import require_each
from graphwright.core.one_hot import one_hot
from graphwright.core.segment import Segments, segment_sum
from graphwright.envs.generative.environment import GenerativeEnvironment
from graphwright.envs.reversible import STOP, Move

COORDINATE = "coordinate"


@dataclass(frozen=True)
class HyperGrid(GenerativeEnvironment):
    """Cells of a grid with `side` cells along each of `dimensions` axes (Bengio et al. 2021, section 4.1).

    Instance: `axes`. State: a node for each axis, with the column `coordinate` [N] int64 from 0 to side - 1.
    Actions: stop, or one step along an axis. Backward: one step back along an axis.
    Observation: which axis a node is and its coordinate, both one-hot.
    """

    dimensions: int = 2
    """Axes."""
    side: int = 8
    """Cells along each axis."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, for a grid without cells."""
        require_each(self, "environment", ("dimensions", "side"))

    @property
    @override
    def features(self) -> Features:
        return Features(nodes={"axis": self.dimensions, COORDINATE: self.side}, named_by="axis")

    @property
    @override
    def actions(self) -> ActionSpec:
        return ActionSpec(per_graph(STOP), per_node("forth"))

    @property
    @override
    def backward_actions(self) -> ActionSpec:
        return ActionSpec(per_node("back"))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """The corner where all coordinates are 0."""
        return instances.with_nodes(**{COORDINATE: torch.zeros_like(instances.node_graph)})

    @override
    def view(self, state: GraphBatch) -> GraphBatch:
        axis = one_hot(state.nodes["axis"], self.dimensions)
        return state.with_nodes(axis=axis, **{COORDINATE: one_hot(state.nodes[COORDINATE], self.side)})

    @override
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        stop = torch.ones(state.num_graphs, dtype=torch.bool, device=state.device)
        return stop, state.nodes[COORDINATE] < self.side - 1

    @override
    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        return (state.nodes[COORDINATE] > 0,)

    @override
    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        axis = action - 1  # after stop
        return Move(_shift(state, axis, 1), axis)

    @override
    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        return Move(_shift(state, action, -1), action + 1)


def axes(count: int, dimensions: int) -> GraphBatch:
    """`count` complete graphs with a node for each axis, which its column `axis` [N] int64 numbers."""
    return _axes_of_one(dimensions).select(torch.zeros(count, dtype=torch.int64))


@cache
def _axes_of_one(dimensions: int) -> GraphBatch:
    v, u = torch.tril_indices(dimensions, dimensions, -1)
    axis = {"axis": torch.arange(dimensions)}
    return from_edges(torch.stack([u, v]), torch.tensor([dimensions]), undirected=True, nodes=axis)


def log_grid_reward(
    coordinate: Tensor, segments: Segments, side: int, *, low: float = 0.1, plateau: float = 0.5, peak: float = 2.0
) -> Tensor:
    """[B] float64: log(low + plateau · [outer] + peak · [ring]) (Bengio et al. 2021, eq. 12).

    With x the coordinate over side - 1 and d = |x - 1/2|: outer, if d > 1/4 on every axis; ring, if 0.3 < d < 0.4 on
    every axis. Compared in integers, so that a coordinate on a boundary is never on the wrong side of it.
    """
    distance, whole = (2 * coordinate - (side - 1)).abs(), side - 1  # d = distance / (2 · whole)
    outer = segment_sum(2 * distance > whole, segments) == segments.lengths
    ring = segment_sum((10 * distance > 6 * whole) & (10 * distance < 8 * whole), segments) == segments.lengths
    return (low + plateau * outer.double() + peak * ring).log()


def _shift(state: GraphBatch, axis: Tensor, by: int) -> GraphBatch:
    rows = state.node_ptr[:-1] + axis
    return state.with_nodes(**{COORDINATE: state.nodes[COORDINATE].index_add(0, rows, torch.full_like(rows, by))})
