"""Graphs, ragged groups, actions and time steps: what everything else is made of."""

from graphwright.core.actions import ActionBlock, ActionSpec, Choice, per_edge, per_graph, per_node
from graphwright.core.construction import from_edges, relabel, simplify
from graphwright.core.graph import GraphBatch, GraphError
from graphwright.core.segment import Segments
from graphwright.core.timestep import Decision, Features, Observation, Step

__all__ = [
    "ActionBlock",
    "ActionSpec",
    "Choice",
    "Decision",
    "Features",
    "GraphBatch",
    "GraphError",
    "Observation",
    "Segments",
    "Step",
    "from_edges",
    "per_edge",
    "per_graph",
    "per_node",
    "relabel",
    "simplify",
]
