"""Rules for repairing a network: the most demand for the time, and the shortest repair first."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import ActionSpec, Observation
from graphwright.core.segment import segment_argmax, segment_max
from graphwright.envs.rollouts import Choose


def greedy(actions: ActionSpec, switching: float, rest: float, recovery: float) -> Choose:
    """What serves the most demand for its time at once; the time includes the rest that a tired crew needs before.

    Where nothing serves any at once, the broken node with the most demand behind it for all repairs on its way.
    """

    def choose(observation: Observation) -> Tensor:
        """[B] int64; the observation is that of `NetworkRepair`."""
        graph = observation.graph
        nodes = graph.nodes
        missing = nodes["repair_time"] - graph.graphs["energy"][graph.node_graph]
        delay = torch.where(nodes["ready"], 0, (missing / (rest * recovery)).ceil() * rest)
        at_once = nodes["gain"].expm1() / (nodes["repair_time"] + delay).clamp(min=1e-9)
        links = graph.edges["gain"][graph.links[0]].expm1() / switching
        best = torch.maximum(segment_max(at_once, graph.node_segments), segment_max(links, graph.links[1]))
        later = nodes["behind"].expm1() / (nodes["way"].expm1() + delay).clamp(min=1e-9)
        return _take(actions, observation, torch.where((best > 0)[graph.node_graph], at_once, later), links)

    return choose


def shortest_repair(actions: ActionSpec) -> Choose:
    """Of the broken nodes with unserved demand behind them, that of the shortest repair; switches nothing."""

    def choose(observation: Observation) -> Tensor:
        """[B] int64; the observation is that of `NetworkRepair`."""
        graph = observation.graph
        shortness = 1 / graph.nodes["repair_time"].clamp(min=1e-9)
        never = torch.full_like(graph.links[0], -1, dtype=torch.float32)
        return _take(actions, observation, torch.where(graph.nodes["behind"] > 0, shortness, 0), never)

    return choose


def _take(actions: ActionSpec, observation: Observation, nodes: Tensor, links: Tensor) -> Tensor:
    """[B] int64: the legal action of the largest score, the first of equals; nodes: [N], links: [L], at least -1.

    To wait scores as the best of the broken nodes for which the crew is too tired.
    """
    graph, masks = observation.graph, observation.masks
    tired = graph.nodes["broken"] & ~graph.nodes["ready"]
    wait = segment_max(nodes.masked_fill(~tired, -1), graph.node_segments)
    scores = actions.arrange(graph, (nodes, links, wait))
    legal = actions.arrange(graph, masks)
    return segment_argmax(scores.masked_fill(~legal, -torch.inf), actions.segments(graph))
