"""What each side of the switching game still needs, and where its current flows."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays
from graphwright.envs.games.shannon.circuits import currents, level_cuts
from graphwright.envs.games.shannon.kernels import FAR, needed

_DIGITS = 1e5


class Measures(NamedTuple):
    """Of both sides, Short first. need: [2, N] int64, how many stones complete its best connection, or cut, through
    each empty node, `FAR` elsewhere. current: [2, N] float64, the part of its current that flows through each empty
    node. lead: [B] float64, the logarithm of the conductance of Short over that of Cut.

    Of graphs without dual terminals, which Cut would join, what Cut needs is the smallest of the cuts that a potential
    of Short's circuit makes, and its current that of the dual circuit: the drop of that potential from end to end of a
    node. Its conductance is then one over Short's.
    """

    need: Tensor
    current: Tensor
    lead: Tensor


def measured(state: GraphBatch) -> Measures:
    """Of states of the switching game."""
    batch = state.to("cpu")
    short = batch.graphs["connector"]
    rows, owner = (batch.node_ptr, batch.in_edges.ptr, batch.edge_index[0]), batch.nodes["owner"]
    need = torch.empty((2, batch.num_nodes), dtype=torch.int64)
    current, low, high = torch.empty((3, 2, batch.num_nodes), dtype=torch.float64)
    conductance = torch.empty((2, batch.num_graphs), dtype=torch.float64)
    ends = (batch.nodes["terminal"], batch.nodes["dual_terminal"])
    for place, (of, side) in enumerate(zip(ends, (short, 1 - short), strict=True)):
        needed(*arrays(*rows, owner, of, side, need[place]))
        currents(*arrays(*rows, owner, of, side, current[place], low[place], high[place], conductance[place]))
    without = ~_any(ends[1], batch)
    if bool(without.any()):
        inside = without[batch.node_graph]
        cuts = torch.empty(batch.num_nodes, dtype=torch.int64)
        level_cuts(*arrays(batch.node_ptr, low[0], high[0], cuts))
        need[1] = torch.where(inside, torch.where(cuts > 0, cuts, FAR), need[1])
        current[1] = torch.where(inside, high[0] - low[0], current[1])
        conductance[1] = torch.where(without, 1 / conductance[0].clamp(min=1e-9), conductance[1])
    logarithm = conductance.clamp(min=1e-9).log()
    parts = (need, _rounded(current), _rounded(logarithm[0] - logarithm[1]))
    return Measures(*(part.to(state.device) for part in parts))


def _rounded(numbers: Tensor) -> Tensor:
    """To what they are exact to, so that what is alike by symmetry is equal, and nothing depends on numbering."""
    return (numbers * _DIGITS).round() / _DIGITS


def _any(column: Tensor, batch: GraphBatch) -> Tensor:
    found = torch.zeros(batch.num_graphs, dtype=torch.bool)
    found[batch.node_graph[column]] = True
    return found
