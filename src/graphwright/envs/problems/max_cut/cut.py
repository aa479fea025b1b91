"""Cuts of weighted graphs: what the environments of this room share, however they come to two sides."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Segments
from graphwright.core.segment import segment_sum
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.problems.max_cut.weights import weighted_instance
from graphwright.envs.readable import Inputs
from graphwright.envs.weights import EDGE_WEIGHTS


class Cut(Optimization):
    """Put the nodes on two sides such that the edges between the sides weigh most.

    Instance: an undirected simple graph with the edge column `weight` [E], float64 from users, of any sign, and what
    `with_strength` adds to it: `strength` [N] and `scale` [B].
    """

    maximise = True
    inputs = Inputs(edge_weight=EDGE_WEIGHTS, parallel="add up")

    @abstractmethod
    def sides(self, state: GraphBatch) -> Tensor:
        """[N] bool: the side of each node in the cut that `state` stands for."""

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        return weighted_instance(graph)

    @override
    def objective(self, state: GraphBatch) -> Tensor:
        """[B] float64: total weight of the edges between the sides."""
        rows, links = self._crossing(state)
        return segment_sum(state.edges["weight"][rows].double(), links)

    @override
    def is_complete(self, state: GraphBatch) -> Tensor:
        """Always: any two sides make a cut."""
        return torch.ones(state.num_graphs, dtype=torch.bool, device=state.device)

    @override
    def solution(self, state: GraphBatch) -> Solution:
        """The nodes of the smaller side, and the edges of the cut."""
        side = self.sides(state)
        smaller = side if 2 * int(side.sum()) <= state.num_nodes else ~side
        return Solution(smaller.nonzero().squeeze(1), state.edge_index[:, self._crossing(state)[0]])

    def _crossing(self, state: GraphBatch) -> tuple[Tensor, Segments]:
        """One row for each edge between the sides, and each graph's share of them."""
        rows, _ = state.links
        side = self.sides(state)[state.edge_index[:, rows]]
        rows = rows[side[0] != side[1]]
        return rows, Segments.from_lengths(torch.bincount(state.edge_graph[rows], minlength=state.num_graphs))
