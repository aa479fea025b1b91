"""Reducers of a team: from one row an agent to what a critic reads, all linear in the number of agents.

`graph` says which of the D rows belong to each of B graphs (D → B).
"""

from __future__ import annotations

from torch import Tensor

from graphwright.core.segment import Segments, segment_sum


def pool(h: Tensor, graph: Segments) -> Tensor:
    """[B, H]: Σ_{j in b} h_j of `h` [D, H]; 0 for a graph without agents."""
    return segment_sum(h, graph)


def others(m: Tensor, graph: Segments) -> Tensor:
    """[D, H]: Σ_{j ≠ i} m_j over the other agents of the same graph; no gradient comes to an agent's own row."""
    return pool(m, graph).index_select(0, graph.index) - m


def mean_of_others(m: Tensor, graph: Segments) -> Tensor:
    """[D]: mean of `m` [D] over the other agents of the same graph, what one of them drawn at random has; 0 alone."""
    return others(m, graph) / (graph.lengths[graph.index] - 1).clamp(min=1)


def own_gradient(m: Tensor, graph: Segments) -> Tensor:
    """[D, H]: Σ_j m_j, through which row i passes a gradient to m_i only.

    With it one pass gives ∂Q_i / ∂a_i of all agents at once, where a loop would hold the others' actions fixed
    (Lowe et al. 2017, "Multi-agent actor-critic for mixed cooperative-competitive environments", eq. 6).
    """
    fixed = m.detach()
    return pool(fixed, graph).index_select(0, graph.index) + (m - fixed)
