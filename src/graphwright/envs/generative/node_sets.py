"""Sets of nodes of a given graph, chosen one after the other: independent sets and cuts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, per_graph, per_node
from graphwright.core.segment import segment_max, segment_sum
from graphwright.envs.generation import Reward
from graphwright.envs.generative.environment import GenerativeEnvironment
from graphwright.envs.reversible import STOP, Move, Reversible

CHOSEN, WEIGHT = "chosen", "weight"


class NodeSets(GenerativeEnvironment):
    """Chooses nodes of the instance, one a step; any of them may be taken back, so k! ways lead to a set of k.

    Instance: an undirected graph without loops or parallel edges. State: the instance with the node column `chosen` [N]
    bool. A step changes one number, and the topology never.
    """

    @property
    def backward_actions(self) -> ActionSpec:
        """A chosen node."""
        return ActionSpec(per_node("drop"))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """No node is chosen."""
        return instances.with_nodes(**{CHOSEN: torch.zeros_like(instances.node_graph, dtype=torch.bool)})

    def given(self, state: GraphBatch) -> GraphBatch:
        """The instance."""
        nodes = [name for name in state.nodes if name != CHOSEN]
        return state.keep(nodes=nodes, edges=list(state.edges), graphs=list(state.graphs))

    @override
    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        return (state.nodes[CHOSEN],)

    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        """Choose a node."""
        node = action - int(self.has_stop)
        return Move(_mark(state, node, True), node)

    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        """Drop a node."""
        return Move(_mark(state, action, False), action + int(self.has_stop))


@dataclass(frozen=True)
class IndependentSets(NodeSets):
    """Chooses nodes no two of which are joined, until no further one fits: every object is a maximal independent set.

    Instance and State: those of `NodeSets`. Actions: a node that is neither chosen nor next to a chosen one; there is
    no stop. Backward: a chosen node.
    Observation: which nodes are `chosen`, which are `free` to be chosen, the `weight` of each where the instances are
        `weighted`, the edges between free nodes, all that the rest depends on, `log_degree` log(1 + d) of the d that a
        node has, and `share` 1 / (1 + d) of free nodes, 0 of others, and there is a set at least as large as their sum.

    The published setting is that of Zhang et al. 2023, "Let the flows tell: solving graph combinatorial optimization
    problems with GFlowNets", and its code: instances of `ModelRB`, 4,000 to train on, 20 times each, and 500 to test;
    R(x) = exp(|x| / T) with 1 / T raised linearly from 1 to 500 over the first 40,000 instances, rewards of the states
    in between included (forward-looking detailed balance); a GIN of 5 layers and width 256 with sums; 8 instances a
    round, then 30 updates on 64 transitions each; learning rate 0.001; mean and best of 20 samples of each instance.
    """

    weighted: bool = False
    """Whether nodes count by their column `weight` [N] float32, and not each for 1."""

    @property
    @override
    def features(self) -> Features:
        columns = (CHOSEN, "free", "log_degree", "share", *((WEIGHT,) if self.weighted else ()))
        return Features(nodes=dict.fromkeys(columns, 1))

    @property
    @override
    def actions(self) -> ActionSpec:
        return ActionSpec(per_node("choose"))

    @override
    def view(self, state: GraphBatch) -> GraphBatch:
        (free,) = self.masks(state)
        seen = _among(state, free)
        share = torch.where(free, (1 + seen.in_degree).reciprocal(), 0)
        return seen.with_nodes(free=free, log_degree=_log_degree(seen), share=share)

    @override
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        chosen = state.nodes[CHOSEN]
        source, destination = state.edge_index
        return (~chosen.index_fill(0, destination[chosen[source]], True),)


@dataclass(frozen=True)
class Cuts(NodeSets):
    """Chooses any nodes until it stops: one side of a cut. The other side is the same cut, but another object.

    Instance and State: those of `NodeSets`, with the edge column `weight` [E] float32, alike in both directions, where
    the instances are `weighted`. Actions: stop, or a node that is not chosen. Backward: a chosen node.
    Observation: which nodes are `chosen`; `log_degree` log(1 + degree); what the cut would gain by moving the node to
        the other side, as `relative_gain` over the total of the node's |weights|, from -1 to 1, as `gain` g / 4 for
        the gain g over the largest |weight|, since log-probabilities are near linear in g, and as `log_gain`,
        sign(g) log(1 + |g|); the edges between nodes that are not chosen, all that the rest depends on beside the
        gains, and for each its weight.
    """

    weighted: bool = False
    """Whether edges count by their column `weight`, and not each for 1."""

    @property
    @override
    def features(self) -> Features:
        columns = (CHOSEN, "log_degree", "relative_gain", "gain", "log_gain")
        return Features(nodes=dict.fromkeys(columns, 1), edges={WEIGHT: 1} if self.weighted else {})

    @property
    @override
    def actions(self) -> ActionSpec:
        return ActionSpec(per_graph(STOP), per_node("choose"))

    @override
    def view(self, state: GraphBatch) -> GraphBatch:
        chosen, weight = state.nodes[CHOSEN], self.weight(state)
        strength, total, unit = state.in_degree.double(), state.in_degree, weight.new_ones(state.num_graphs)
        if self.weighted:
            strength, total = segment_sum(weight, state.in_edges), segment_sum(weight.abs(), state.in_edges)
            unit = segment_max(weight.abs(), state.edge_segments).clamp(min=torch.finfo(weight.dtype).tiny)
        rows = chosen[state.edge_index[0]].nonzero().squeeze(1)
        to_chosen = torch.zeros_like(strength).index_add(0, state.edge_index[1, rows], weight[rows])
        gain = torch.where(chosen, 2 * to_chosen - strength, strength - 2 * to_chosen)
        relative = torch.where(total > 0, gain / total, 0).to(torch.float32)
        gain = (gain / unit.index_select(0, state.node_graph)).to(torch.float32)
        log_gain = gain.sign() * gain.abs().log1p()
        seen = _among(state, ~chosen).with_nodes(log_degree=_log_degree(state))
        return seen.with_nodes(relative_gain=relative, gain=gain / 4, log_gain=log_gain)

    @override
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        stop = torch.ones(state.num_graphs, dtype=torch.bool, device=state.device)
        return stop, ~state.nodes[CHOSEN]

    def weight(self, state: GraphBatch) -> Tensor:
        """[E] float64: of each edge, in both directions."""
        if self.weighted:
            return state.edges[WEIGHT].double()
        return torch.ones(state.num_edges, dtype=torch.float64, device=state.device)


@dataclass(frozen=True)
class SetReward(Reward):
    """log R = Σ of the weights of the chosen nodes (their number, where instances are not weighted) / temperature."""

    temperature: float = 1.0
    """What the logarithm of the reward is divided by."""

    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B] float64."""
        assert isinstance(environment, IndependentSets)
        chosen = objects.nodes[CHOSEN].double()
        worth = chosen * objects.nodes[WEIGHT] if environment.weighted else chosen
        return segment_sum(worth, objects.node_segments) / self.temperature


@dataclass(frozen=True)
class CutReward(Reward):
    """log R = weight of the edges between chosen nodes and others / temperature."""

    temperature: float = 1.0
    """What the logarithm of the reward is divided by."""

    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B] float64."""
        assert isinstance(environment, Cuts)
        chosen = objects.nodes[CHOSEN]
        source, destination = objects.edge_index
        rows = (chosen[source] & ~chosen[destination]).nonzero().squeeze(1)  # of both directions of an edge one
        total = torch.zeros(objects.num_graphs, dtype=torch.float64, device=objects.device)
        total = total.index_add(0, objects.edge_graph[rows], environment.weight(objects)[rows])
        return total / self.temperature


def _among(state: GraphBatch, nodes: Tensor) -> GraphBatch:
    """`state` with the edges between `nodes` [N] bool alone."""
    source, destination = state.edge_index
    return state.filter_edges(nodes[source] & nodes[destination])


def _log_degree(state: GraphBatch) -> Tensor:
    return state.in_degree.to(torch.float32).log1p()


def _mark(state: GraphBatch, node: Tensor, value: bool) -> GraphBatch:
    """`state` with one node [B] of each graph, counted inside it, chosen or not."""
    return state.with_nodes(**{CHOSEN: state.nodes[CHOSEN].index_fill(0, state.node_ptr[:-1] + node, value)})
