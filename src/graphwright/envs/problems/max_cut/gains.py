"""What a flip changes: gains, and gains with what the neighbours can do about them."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_max, segment_sum


def coupling(state: GraphBatch, rows: Tensor | slice = slice(None)) -> Tensor:
    """What the cut gains by each edge of `rows` when one of its ends is flipped, c = w, or −w where it is cut; float64.

    state: with the node column `side` [N] bool and the edge column `weight` [E] float32.
    """
    source, destination = state.edge_index[:, rows]
    side, weight = state.nodes["side"], state.edges["weight"][rows]
    return torch.where(side[source] == side[destination], weight, -weight).double()


def gains(state: GraphBatch, coupled: Tensor) -> Tensor:
    """[N] float64: what the cut gains by flipping each node, g_i = Σ_j c_ij. coupled: [E], c of all edges."""
    return segment_sum(coupled, state.in_edges)


def pair_gains(state: GraphBatch, gain: Tensor, coupled: Tensor) -> Tensor:
    """[N]: by flipping each node and the best of its neighbours, g_i + max_j (g_j − 2 c_ij)."""
    return gain + segment_max(gain[state.edge_index[0]] - 2 * coupled, state.in_edges)


def answered_gains(state: GraphBatch, gain: Tensor, answer: Tensor, coupled: Tensor) -> Tensor:
    """[N]: by flipping each node if afterwards its neighbours flip where that gains.

    g_i + Σ_j (relu(a_j − 2 c_ij) − relu(a_j)): what neighbours gain with the flip less what they gain without it. With
    a = g, answers of one step; with the result as a once more, of two, as in max-sum message passing on a tree.
    """
    before = answer[state.edge_index[0]]
    return gain + segment_sum((before - 2 * coupled).relu() - before.relu(), state.in_edges)
