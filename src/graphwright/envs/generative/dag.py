"""Directed acyclic graphs on named nodes: structures of Bayesian networks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.envs.generative.edge_sets import PRESENT, EdgeSets


@dataclass(frozen=True)
class Dags(EdgeSets):
    """Adds directed edges that close no cycle, until it stops; any edge may be taken back.

    Instance, State and Observation: those of `EdgeSets`, on directed graphs (`complete_graphs`, directed). Actions:
    stop, or an edge (u, v) that is not present while no path leads from v to u. Backward: an edge that is present.
    As every part of an acyclic set of edges is acyclic, k! ways lead to a graph of k edges.

    Deleu et al. 2022, "Bayesian structure learning with generative flow networks".

    >>> import torch
    >>> from graphwright.envs.generative.edge_sets import complete_graphs
    >>> environment = Dags(num_nodes=2)
    >>> state = environment.reset(complete_graphs(1, 2, directed=True))
    >>> environment.observe(environment.advance(state, torch.tensor([1])).state).masks[1].tolist()
    [False, False]
    """

    @override
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        stop, absent = super().masks(state)
        source, destination = state.edge_index - state.node_ptr[:-1][state.edge_graph]
        return stop, absent & ~self.reachable(state)[state.edge_graph, destination, source]

    def reachable(self, state: GraphBatch) -> Tensor:
        """[B, num_nodes, num_nodes] bool: whether a path leads from one node to the other; each reaches itself.

        By squaring: paths of 1, 2, 4, ... edges at most, up to num_nodes - 1.
        """
        graph = state.edge_graph
        source, destination = state.edge_index - state.node_ptr[:-1][graph]
        reach = torch.eye(self.num_nodes, device=state.device).repeat(state.num_graphs, 1, 1)
        reach[graph, source, destination] = state.edges[PRESENT].to(reach.dtype)
        for _ in range(max(self.num_nodes - 2, 0).bit_length()):
            reach = (reach @ reach).clamp(max=1)
        return reach > 0
