"""What an agent sees of a Steiner tree that grows: distances to what is left, and what detours are worth."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import Features, GraphBatch
from graphwright.core.segment import segment_max, segment_sum
from graphwright.envs.problems.steiner_tree.gain import best_beyond, insertion_gain

FEATURES = Features(
    nodes={
        **{"terminal": 1, "in_tree": 1, "open": 1, "log_degree": 1},
        **{"to_tree": 1, "to_terminal": 1, "gain": 1, "promise": 1},
    },
    edges={
        **{"length": 1, "chosen": 1, "boundary": 1, "way": 1},
        **{"detour": 1, "nearest": 1, "promise": 1, "promising": 1},
    },
    graphs={"left": 1},
)
_FAR = 1e4  # in mean lengths: farther than any path
_TINY = 1e-6  # of the mean length: a gain that is more than rounding


class Surroundings(NamedTuple):
    """What the columns of an observation are made of, in the unit of the lengths.

    open: [N] bool, terminals that are not reached. boundary: [E] bool, edges with one end in the tree, none where all
    are reached. way: [E], the length of an edge and from its end outside the tree to the nearest open terminal.
    gain: [N], see `insertion_gain`. promise: [N], the largest gain, 0 if there is none, of the nodes
    beyond this one that are nearer to the tree than every open terminal.
    """

    open: Tensor
    boundary: Tensor
    way: Tensor
    gain: Tensor
    promise: Tensor


def surroundings(state: GraphBatch) -> Surroundings:
    """The surroundings of the tree of each graph."""
    in_tree, to_tree = state.nodes["in_tree"], state.nodes["to_tree"]
    source, destination = state.edge_index
    is_open = state.nodes["terminal"] & ~in_tree
    unfinished = segment_sum(is_open, state.node_segments) > 0
    boundary = (in_tree[source] != in_tree[destination]) & unfinished[state.edge_graph]
    beyond = state.nodes["to_terminal"].masked_fill(in_tree, torch.inf)
    way = state.edges["length"] + torch.minimum(beyond[source], beyond[destination])
    gain = insertion_gain(state)
    reach = -segment_max(-to_tree.masked_fill(~is_open, torch.inf), state.node_segments)
    in_reach = gain.clamp(min=0).masked_fill(in_tree | (to_tree > reach[state.node_graph]), 0)
    return Surroundings(is_open, boundary, way, gain, best_beyond(state, in_reach).masked_fill(in_tree, 0))


def observed(state: GraphBatch, around: Surroundings) -> GraphBatch:
    """`state` with the columns of `FEATURES`; lengths are over `scale`, and where they can be long, logarithms."""
    nodes, edges = state.nodes, state.edges
    node_unit, edge_unit = state.graphs["scale"][state.node_graph], state.graphs["scale"][state.edge_graph]
    source, destination = state.edge_index
    boundary, way = around.boundary, around.way
    shortest = -segment_max(-way.masked_fill(~boundary, torch.inf), state.edge_segments)[state.edge_graph]
    detour = torch.where(boundary, way - shortest, 0) / edge_unit
    promise = torch.maximum(around.promise[source], around.promise[destination]).masked_fill(~boundary, 0) / edge_unit
    most = segment_max(promise, state.edge_segments)[state.edge_graph]
    terminals = segment_sum(nodes["terminal"], state.node_segments).clamp(min=1)
    return (
        state.with_nodes(
            open=around.open,
            log_degree=state.in_degree.to(torch.float32).log1p(),
            to_tree=_log(nodes["to_tree"] / node_unit),
            to_terminal=_log(nodes["to_terminal"] / node_unit),
            gain=(around.gain / node_unit).clamp(min=-_FAR).asinh().float(),
            promise=_log(around.promise / node_unit),
        )
        .with_edges(
            length=_log(edges["length"] / edge_unit),
            boundary=boundary,
            way=_log(way / edge_unit),
            detour=_log(detour),
            nearest=boundary & (detour <= 0),
            promise=_log(promise),
            promising=boundary & (promise >= most) & (promise > _TINY),
        )
        .with_graphs(left=segment_sum(around.open, state.node_segments) / terminals)
    )


def _log(ratio: Tensor) -> Tensor:
    """log(1 + ratio), 0 where there is no path at all."""
    return ratio.log1p().nan_to_num(posinf=0.0).float()
