"""One graph decided step by step: its environment looks at all of it, its network at what is seen anew."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.fading_graph import FadingGraph
from graphwright.envs.environment import Environment
from graphwright.nn import GraphPolicy
from graphwright.nn.columns import edge_columns, node_columns
from graphwright.nn.local_policy import LocalPolicy


class ComparedPlay:
    """An episode of one graph. A decision costs one look at the graph, and the network what that has changed.

    Each observation is compared with the one before, column by column and edge by edge; the network computes again
    what lies around the differences.
    """

    def __init__(self, policy: GraphPolicy, environment: Environment, instance: GraphBatch) -> None:
        """instance: one graph. `why_not_local` of `policy` is None."""
        self._environment, self._encoder = environment, policy.encoder
        self.state = environment.reset(instance)
        seen = environment.observe(self.state)
        self._seen, self._columns = seen.graph, node_columns(self._encoder.read, seen.graph)
        self._nodes, self._candidates = torch.arange(instance.num_nodes), torch.arange(seen.masks[0].numel())
        self._fading = FadingGraph(seen.graph)
        self._policy = LocalPolicy(policy, self._fading, seen.graph, seen.masks[0])

    def best(self) -> Tensor:
        """[1] int64: the candidate that the policy would choose; [0] where the episode is over."""
        candidate = self._policy.best()
        return torch.tensor([candidate] if candidate >= 0 else [], dtype=torch.int64)

    def decide(self, action: Tensor) -> None:
        """Take the step `action` [1] int64, a legal candidate."""
        self.state = self._environment.step(self.state, action).state
        seen = self._environment.observe(self.state)
        columns = node_columns(self._encoder.read, seen.graph)
        same_edges, differs = self._of_edges(seen.graph)
        differs |= (columns != self._columns).any(1)
        if not same_edges:
            self._fading = FadingGraph(seen.graph)
        self._seen, self._columns = seen.graph, columns
        self._policy.show(self._fading, seen.graph)
        self._policy.update(self._nodes, columns, differs.nonzero().squeeze(1))
        self._policy.permit(self._candidates, seen.masks[0])

    def _of_edges(self, graph: GraphBatch) -> tuple[bool, Tensor]:
        """Whether all edges are those of before, and the nodes [N] bool at which some edge, or its columns, is not."""
        before = self._seen
        old, new = (edge_columns(self._encoder.features, each) for each in (before, graph))
        if torch.equal(before.edge_index, graph.edge_index):
            changed = torch.zeros(graph.num_nodes, dtype=torch.bool)
            if old is not None and new is not None:
                changed[graph.edge_index[1][(old != new).any(1)]] = True
            return True, changed
        changed = before.in_degree != graph.in_degree
        if before.num_edges:
            source, node = graph.edge_index
            place = before.in_edges.ptr[node] + torch.arange(graph.num_edges) - graph.in_edges.ptr[node]
            place = place.clamp(max=before.num_edges - 1)
            differs = before.edge_index[0][place] != source
            if old is not None and new is not None:
                differs |= (old[place] != new).any(1)
            changed[node[differs]] = True
        return False, changed


def play_compared(policy: GraphPolicy, environment: Environment, instance: GraphBatch) -> GraphBatch:
    """The last state of one graph when the policy's best is decided in every step."""
    play = ComparedPlay(policy, environment, instance)
    while (action := play.best()).numel():
        play.decide(action)
    return play.state
