"""Graphs, ragged groups, actions and time steps: what everything else is made of."""

from graphwright.core.action_blocks import (
    ActionBlock,
    per_decider,
    per_edge,
    per_graph,
    per_neighbour,
    per_node,
    per_pair,
    per_unordered_pair,
)
from graphwright.core.actions import ActionSpec, Choice, Decisions
from graphwright.core.construction import from_edges, relabel, simplify, with_links
from graphwright.core.graph import GraphBatch
from graphwright.core.graph_rules import GraphError
from graphwright.core.pairs import (
    pair_ends,
    pair_segments,
    unordered_pair_nodes,
    unordered_pair_row,
    unordered_pair_segments,
)
from graphwright.core.rows import RowKind, out_edges
from graphwright.core.segment import Segments
from graphwright.core.timestep import Chosen, Features, Observation, Step

__all__ = [
    "ActionBlock",
    "ActionSpec",
    "Choice",
    "Chosen",
    "Decisions",
    "Features",
    "GraphBatch",
    "GraphError",
    "Observation",
    "RowKind",
    "Segments",
    "Step",
    "from_edges",
    "out_edges",
    "pair_ends",
    "pair_segments",
    "per_decider",
    "per_edge",
    "per_graph",
    "per_neighbour",
    "per_node",
    "per_pair",
    "per_unordered_pair",
    "relabel",
    "simplify",
    "unordered_pair_nodes",
    "unordered_pair_row",
    "unordered_pair_segments",
    "with_links",
]
