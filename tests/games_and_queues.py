"""A game and an endless task, small enough for arithmetic: Node Kayles, and buckets that fill up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_node
from graphwright.core.segment import segment_sum
from graphwright.envs.endless import Endless
from graphwright.envs.game import Game


@dataclass(frozen=True)
class Kayles(Game):
    """Node Kayles: the sides take turns to remove a node with its neighbours; who cannot has lost (Schaefer 1978).

    State: adds the node column `gone` [N] bool and the graph column `player` [B] int64.
    """

    features = Features(nodes={"gone": 1})
    actions = ActionSpec(per_node("remove"))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        gone = torch.zeros(instances.num_nodes, dtype=torch.bool)
        return instances.with_nodes(gone=gone).with_graphs(player=torch.zeros(instances.num_graphs, dtype=torch.int64))

    def observe(self, state: GraphBatch) -> Observation:
        return Observation(state.keep(nodes=["gone"]), (~state.nodes["gone"],))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        chosen = torch.zeros_like(state.nodes["gone"])
        chosen[state.node_ptr[:-1] + action] = True
        gone = state.nodes["gone"] | chosen | (segment_sum(chosen[state.edge_index[0]], state.in_edges) > 0)
        over = segment_sum(~gone, state.node_segments) == 0
        following = state.with_nodes(gone=gone).with_graphs(player=1 - state.graphs["player"])
        return Step(following, over.float(), over, torch.zeros_like(over))

    def player(self, state: GraphBatch) -> Tensor:
        return state.graphs["player"]

    def outcome(self, state: GraphBatch) -> Tensor:
        return 2.0 * state.graphs["player"].float() - 1

    def swapped(self, state: GraphBatch) -> GraphBatch:
        return state.with_graphs(player=1 - state.graphs["player"])


@dataclass(frozen=True)
class Buckets(Endless):
    """A drop falls into every bucket at every step, and one bucket is emptied; the reward is minus what is in them.

    State: adds the node column `drops` [N] float32.
    """

    features = Features(nodes={"share": 1})
    actions = ActionSpec(per_node("empty"))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        return instances.with_nodes(drops=torch.ones(instances.num_nodes))

    def observe(self, state: GraphBatch) -> Observation:
        drops = state.nodes["drops"]
        share = drops / segment_sum(drops, state.node_segments)[state.node_graph]
        return Observation(state.with_nodes(share=share).keep(nodes=["share"]), (torch.ones_like(drops).bool(),))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        drops = state.nodes["drops"].index_fill(0, state.node_ptr[:-1] + action, 0.0) + 1
        following = state.with_nodes(drops=drops)
        never = torch.zeros(state.num_graphs, dtype=torch.bool)
        return Step(following, -segment_sum(drops, state.node_segments), never, never)

    def averages(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"backlog": segment_sum(state.nodes["drops"].double(), state.node_segments)}
