"""Cuts to be sampled: the nodes of one side, chosen one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Step, per_graph, per_node
from graphwright.core.segment import segment_max
from graphwright.envs.generative.environment import GenerativeEnvironment
from graphwright.envs.problems.max_cut.cut import Cut
from graphwright.envs.problems.max_cut.gains import coupling, gains
from graphwright.envs.reversible import STOP, Move


@dataclass(frozen=True)
class OneSide(Cut, GenerativeEnvironment):
    """Chooses any nodes until it stops: one side of a cut. The other side is the same cut, but another object.

    Instance: that of `Cut`. State: the instance with the node column `side` [N] bool, which nodes are chosen; any of
    them may be taken back, so k! ways lead to a side of k nodes.
    Actions: stop, or a node that is not chosen. Backward: a chosen node.
    Reward: by how much the cut becomes larger, over `scale`.
    Observation: `side`; `log_degree` log(1 + degree); what the cut would gain by moving the node to the other side, as
        `relative_gain` over the total of the node's |weights|, from -1 to 1, as `gain` g / 4 for the gain g over the
        largest |weight|, since log-probabilities are near linear in g, and as `log_gain`, sign(g) log(1 + |g|); the
        edges between nodes that are not chosen, all that the rest depends on beside the gains, and where `weighted`
        the `weight` of each over the largest.
    """

    weighted: bool = False
    """Whether the weights of edges are seen, which says nothing where all are alike."""

    actions = ActionSpec(per_graph(STOP), per_node("choose"))
    backward_actions = ActionSpec(per_node("drop"))
    edits_graph = False

    @property
    @override
    def features(self) -> Features:
        columns = ("side", "log_degree", "relative_gain", "gain", "log_gain")
        return Features(nodes=dict.fromkeys(columns, 1), edges={"weight": 1} if self.weighted else {})

    @override
    def sides(self, state: GraphBatch) -> Tensor:
        return state.nodes["side"]

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        return instances.with_nodes(side=torch.zeros_like(instances.node_graph, dtype=torch.bool))

    @override
    def given(self, state: GraphBatch) -> GraphBatch:
        nodes = [name for name in state.nodes if name != "side"]
        return state.keep(nodes=nodes, edges=list(state.edges), graphs=list(state.graphs))

    @override
    def view(self, state: GraphBatch) -> GraphBatch:
        left, weight = ~state.nodes["side"], state.edges["weight"]
        unit = segment_max(weight.abs(), state.edge_segments).clamp(min=torch.finfo(weight.dtype).tiny)
        gain = gains(state, coupling(state))
        strength = state.nodes["strength"].double()
        relative = torch.where(strength > 0, gain / strength, 0).float()
        gain = (gain / unit[state.node_graph]).float()
        seen = state.with_edges(weight=(weight / unit[state.edge_graph]).float()) if self.weighted else state
        source, destination = state.edge_index
        return seen.filter_edges(left[source] & left[destination]).with_nodes(
            log_degree=state.in_degree.to(torch.float32).log1p(),
            relative_gain=relative,
            gain=gain / 4,
            log_gain=gain.sign() * gain.abs().log1p(),
        )

    @override
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        stop = torch.ones(state.num_graphs, dtype=torch.bool, device=state.device)
        return stop, ~state.nodes["side"]

    @override
    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        return (state.nodes["side"],)

    @override
    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        return Move(_mark(state, action - 1, True), action - 1)

    @override
    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        return Move(_mark(state, action, False), action + 1)

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        gained = self.objective(step.state) - self.objective(state)
        return replace(step, reward=(gained / state.graphs["scale"]).float())


def _mark(state: GraphBatch, node: Tensor, value: bool) -> GraphBatch:
    """`state` with one node [B] of each graph, counted inside it, on that side."""
    return state.with_nodes(side=state.nodes["side"].index_fill(0, state.node_ptr[:-1] + node, value))
