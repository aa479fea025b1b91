"""Priority rules of servers."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import lexsort, segment_argmax
from graphwright.envs.environment import Environment
from graphwright.envs.queueing.multiclass.instances import ROUTES, SERVES


def c_mu(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: the class of largest cost · rate (Cox & Smith 1961), the first of equals by number."""
    return _largest(state, state.nodes["cost"][state.edge_index[1]] * state.edges["service"])


def last_buffer_first(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: the class whose jobs are nearest to leaving (LBFS)."""
    return _largest(state, -state.nodes["stages"][state.edge_index[1]])


def first_buffer_first(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: the class whose jobs are furthest from leaving (FBFS)."""
    return _largest(state, state.nodes["stages"][state.edge_index[1]])


def max_weight(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: the class of largest rate · (cost · queue − what the job would be worth where it goes).

    Tassiulas & Ephremides (1992), with costs as Mandelbaum & Stolyar (2004) have them.
    """
    source, end = state.edge_index
    worth = state.nodes["cost"] * state.nodes["queue"]
    routes = state.edges["type"] == ROUTES
    later = torch.zeros_like(worth).index_add(0, source[routes], (state.edges["chance"] * worth[end])[routes])
    return _largest(state, state.edges["service"] * (worth - later)[end])


def _largest(state: GraphBatch, value: Tensor) -> Tensor:
    """[D] int64: of each server, the class that is not empty of largest `value` [E]; to idle where there is none."""
    rows, out = state.out_edges
    own, chosen = out.select(state.nodes["server"].nonzero().squeeze(1))
    edge = rows[chosen]
    end = state.edge_index[1][edge]
    able = (state.edges["type"][edge] == SERVES) & (state.nodes["queue"][end] > 0)
    value = value[edge].masked_fill(~able, -torch.inf)
    order = lexsort(state.nodes["number"][end], own.index)
    best = segment_argmax(value[order], own)
    place = own.position[order][(own.ptr[:-1] + best).clamp(min=0, max=max(order.numel() - 1, 0))]
    return torch.where(best < 0, own.lengths, place)
