"""States of the Steiner tree problem: what a set of chosen edges means."""

from __future__ import annotations

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.steiner_tree.instances import away_from
from graphwright.envs.problems.steiner_tree.paths import shortest_distance, without_dead_branches


def tree_state(instances: GraphBatch, chosen: Tensor) -> GraphBatch:
    """The state of each instance when the tree consists of the edges `chosen` [E] bool, in both directions."""
    in_tree = (segment_sum(chosen, instances.in_edges) > 0) | (instances.nodes["number"] == 0)
    return instances.with_edges(chosen=chosen).with_nodes(
        in_tree=in_tree,
        to_tree=shortest_distance(instances, away_from(in_tree)),
        to_terminal=shortest_distance(instances, away_from(instances.nodes["terminal"] & ~in_tree)),
    )


def live_edges(state: GraphBatch) -> Tensor:
    """[E] bool: the chosen edges without dead branches: the least tree that joins the terminals reached so far."""
    return without_dead_branches(state, state.edges["chosen"], state.nodes["terminal"] & state.nodes["in_tree"])


def total_length(graph: GraphBatch, edges: Tensor) -> Tensor:
    """[B] float64: the length of `edges` [E] bool, which are in it in both directions."""
    return segment_sum(edges * graph.edges["length"].double(), graph.edge_segments) / 2
