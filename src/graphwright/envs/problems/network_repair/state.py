"""What a state of network repair says, and what a network sees of it."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_max, segment_sum
from graphwright.envs.problems.network_repair.supply import prospects, served_nodes

_ROUNDING = 1e-9  # of the scale: energies are sums
_DARKEST = 1e-30  # a share that float32 still tells from none


def working_nodes(state: GraphBatch) -> Tensor:
    """[N] bool: which nodes are not, or no longer, broken."""
    return ~state.nodes["broken"] | (state.nodes["repaired"] > 0)


def dark_share(state: GraphBatch) -> Tensor:
    """[B] float64: the share of the demand that is not served; 0 where there is none."""
    demand = state.nodes["demand"]
    total = segment_sum(demand, state.node_segments)
    return segment_sum(demand * ~state.nodes["served"], state.node_segments) / torch.where(total > 0, total, 1)


def with_served(state: GraphBatch) -> GraphBatch:
    """`state` with the node column `served` that follows from the others."""
    return state.with_nodes(served=served_nodes(state, working_nodes(state), state.edges["closed"]))


def view(state: GraphBatch, switching: float) -> GraphBatch:
    """`state` with what a network sees of it, and without units.

    Per node: `source`, `broken` (still), `served`, `demand` over the graph's mean, `repair_time` over `scale` (0 at
    working nodes), `ready` (broken, and the energy suffices), `gain` log(1 + demand that its repair would serve at
    once, over the mean demand), `rate` (that demand for each unit of time, over the graph's best), and, logarithms too,
    `tied_gain`, `way` and `behind` of `Prospects`. Per edge: `closed`, `useful` (it may be switched on), `gain` and
    `rate` likewise. Per graph: `energy` over `scale`, logarithms of the switchings that are left and of the number of
    broken nodes, and the share of demand that is `dark`.
    """
    nodes, node_graph, edge_graph = state.nodes, state.node_graph, state.edge_graph
    working, dark = working_nodes(state), dark_share(state)
    scale, mean = state.graphs["scale"], state.graphs["mean_demand"]
    found = prospects(state, working, state.edges["closed"], nodes["served"])
    effort = (nodes["repair_time"] / scale[node_graph]).masked_fill(working, 0)
    useful = (found.edge_gain >= 0) & ((dark > 0) & (state.graphs["switchings"] > 0))[edge_graph]
    node_gain, edge_gain = found.node_gain / mean[node_graph], found.edge_gain * useful / mean[edge_graph]
    node_rate, edge_rate = node_gain / effort.clamp(min=_ROUNDING), edge_gain / switching
    best = torch.maximum(segment_max(node_rate, state.node_segments), segment_max(edge_rate, state.edge_segments))
    best = torch.where(best > 0, best, 1)
    return (
        state.with_nodes(
            broken=~working,
            demand=(nodes["demand"] / mean[node_graph]).float(),
            repair_time=effort.float(),
            ready=~working & (effort <= (state.graphs["energy"] / scale)[node_graph] + _ROUNDING),
            gain=node_gain.log1p().float(),
            tied_gain=(found.tied_gain / mean[node_graph]).log1p().float(),
            rate=(node_rate / best[node_graph]).float(),
            way=(found.way / scale[node_graph]).log1p().float(),
            behind=(found.behind / mean[node_graph]).log1p().float(),
        )
        .with_edges(useful=useful, gain=edge_gain.log1p().float(), rate=(edge_rate / best[edge_graph]).float())
        .with_graphs(
            energy=(state.graphs["energy"] / scale).float(),
            log_switchings=state.graphs["switchings"].float().log1p(),
            log_broken=segment_sum(~working, state.node_segments).float().log1p(),
            dark=torch.where(dark > 0, dark.clamp(min=_DARKEST), 0).float(),
        )
    )
