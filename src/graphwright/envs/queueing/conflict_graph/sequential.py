"""Links that are chosen one after the other, until none is left or the policy ends the slot."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_graph, per_node
from graphwright.core.segment import segment_sum
from graphwright.envs.queueing.conflict_graph.environment import ConflictNetwork


@dataclass(frozen=True)
class SequentialConflictGraph(ConflictNetwork):
    """Links that send are chosen one after the other, none that a chosen one disturbs; see `ConflictNetwork`.

    State: adds the node column `chosen` [N] bool.
    Observation: that of `ConflictGraph`, and per node `chosen` and `free`, whether it may still be chosen.
    Action: a free link that would send something, or `end`, after which those that are chosen send and a slot is over.
        A slot also ends where nothing is free any more.
    Reward: 0 until the slot ends.
    """

    actions = ActionSpec(per_node("send"), per_graph("end"))

    @property
    @override
    def features(self) -> Features:
        hidden = () if self.hide_capacity else ("able",)
        names = ("waiting", "weight", "arrival", "service", "chosen", "free", *hidden)
        return Features(nodes=dict.fromkeys(names, 1))

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        start = super().reset(instances)
        return start.with_nodes(chosen=torch.zeros_like(start.nodes["queue"], dtype=torch.bool))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        free = self._free(state, state.nodes["chosen"])
        graph = state.keep(nodes=["chosen"]).with_nodes(**self.shown(state), free=free)
        return Observation(graph, (free, torch.ones(state.num_graphs, dtype=torch.bool, device=state.device)))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        chosen = state.nodes["chosen"] | (state.node_segments.position == action[state.node_graph])
        ends = action == state.node_segments.lengths
        ends = ends | (segment_sum(self._free(state, chosen), state.node_segments) == 0)
        step = self.send(state, chosen)
        after, nodes = step.state, ends[state.node_graph]
        following = after.with_nodes(
            **{name: torch.where(nodes, after.nodes[name], state.nodes[name]) for name in ("queue", "capacity")},
            chosen=chosen & ~nodes,
        ).with_graphs(
            **{
                name: torch.where(ends, after.graphs[name], state.graphs[name])
                for name in ("slot", "backlog", "arrived", "departed")
            }
        )
        reward = step.reward.masked_fill(~ends, 0)
        return Step(following, reward, step.terminated, step.truncated & ends)

    def _free(self, state: GraphBatch, chosen: Tensor) -> Tensor:
        """[N] bool: what would send something, and neither is nor disturbs a node that is chosen."""
        near = segment_sum(chosen[state.edge_index[0]], state.in_edges) > 0
        return self.gives(state) & ~chosen & ~near
