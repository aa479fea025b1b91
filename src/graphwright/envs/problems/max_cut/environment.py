"""Weighted maximum cut, one flip a step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_node
from graphwright.core.segment import segment_max, segment_mean, segment_sum
from graphwright.envs.gradual import Gradual
from graphwright.envs.problems.max_cut.cut import Cut
from graphwright.envs.problems.max_cut.gains import answered_gains, coupling, gains, pair_gains
from graphwright.envs.simultaneous import Simultaneous

_REST = 0.1  # flips for each node of its graph, for which a node rests after its own
_MEMORY = 8  # flips for which a node is seen to have been flipped
_TINY = 1e-9  # of `scale`: gains below are rounding


@dataclass(frozen=True)
class MaxCut(Cut, Simultaneous, Gradual):
    """Put the nodes on two sides such that the edges between the sides weigh most.

    Exploratory, after ECO-DQN (Barrett et al. 2020, "Exploratory combinatorial optimization with reinforcement
    learning"): a node may be flipped back, and the best cut on the way counts.

    Instance: that of `Cut`.
    State: adds the node columns `side` and `best_side` [N] bool and `flipped` [N] int32 (the flip that was its last,
    counted from 1; −1: none), and the graph columns `cut` and `best_cut` [B] float64 and `time` [B] int32, flips so
    far.
    Observation: nothing depends on the unit of the weights or on which side is called which. Per node, asinh of the
    following over `scale`, since gains grow with the degree: `gain` of flipping it, `pair_gain` with the best
    neighbour, `answered` and `answered_twice`, with one and two rounds of answers of all neighbours; `relative_gain`
    over `strength`; `recent`, whether it was among the last 8 to be flipped;
    `moved`, whether it is not where the best cut has it; `improves`, whether flipping it makes a new best cut. Per
    graph: `behind` log(1 + distance from the best cut / scale), `uphill` the share of nodes with a gain, `remaining`
    the share of flips left.
    Action: one node that `may_flip`: it has an edge, and was not among the last n / 10 to be flipped. Without this
    rest, a policy that takes the likeliest node may flip one to and fro for ever.
    Reward: by how much the best cut becomes larger, over `scale`; 0 where it does not.
    Termination: after `flips` · n flips. An instance without edges is over before it begins, with the empty cut.

    Raises ValueError for options that make no environment.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> path = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True)
    >>> problem = MaxCut()
    >>> step = problem.step(problem.reset(problem.instance(path)), torch.tensor([1]))
    >>> step.state.graphs["best_cut"].item(), step.terminated.item()
    (2.0, False)
    """

    flips: float = 2.0
    """An episode has so many flips for each node."""

    share = 0.01

    features = Features(
        nodes={
            **{"gain": 1, "pair_gain": 1, "answered": 1, "answered_twice": 1, "relative_gain": 1},
            **{"recent": 1, "moved": 1, "improves": 1},
        },
        graphs={"behind": 1, "uphill": 1, "remaining": 1},
    )
    actions = ActionSpec(per_node("flip"))

    def __post_init__(self) -> None:
        if not 0 < self.flips < float("inf"):
            raise ValueError(f"flips={self.flips}: give a number above 0")

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """All nodes are on one side."""
        side = torch.zeros(instances.num_nodes, dtype=torch.bool, device=instances.device)
        cut = torch.zeros(instances.num_graphs, dtype=torch.float64, device=instances.device)
        flipped = torch.full_like(side, -1, dtype=torch.int32)
        return instances.with_nodes(side=side, best_side=side.clone(), flipped=flipped).with_graphs(
            cut=cut, best_cut=cut.clone(), time=cut.to(torch.int32)
        )

    @override
    def observe(self, state: GraphBatch) -> Observation:
        nodes, graphs, of_node = state.nodes, state.graphs, state.node_graph
        scale, behind = graphs["scale"].double(), graphs["best_cut"] - graphs["cut"]
        unit = scale[of_node]
        coupled = coupling(state)
        gain = gains(state, coupled)
        answered = answered_gains(state, gain, gain, coupled)
        twice = answered_gains(state, gain, answered, coupled)
        seen = state.keep().with_nodes(
            gain=(gain / unit).asinh().float(),
            pair_gain=(pair_gains(state, gain, coupled) / unit).asinh().float(),
            answered=(answered / unit).asinh().float(),
            answered_twice=(twice / unit).asinh().float(),
            relative_gain=(gain / nodes["strength"].double().clamp(min=_TINY * unit)).float(),
            recent=(nodes["flipped"] > 0) & (_waited(state) < _MEMORY),
            moved=nodes["side"] != nodes["best_side"],
            improves=gain > (behind + _TINY * scale)[of_node],
        )
        uphill = segment_mean((gain > _TINY * unit).float(), state.node_segments)
        num_flips = self._num_flips(state)
        legal = may_flip(state) & (graphs["time"] < num_flips)[of_node]
        remaining = 1 - graphs["time"] / num_flips
        behind = (behind / scale).log1p().float()
        return Observation(seen.with_graphs(behind=behind, uphill=uphill, remaining=remaining), (legal,))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        following = self.decide(state, state.node_ptr[:-1] + action)
        gained = following.graphs["best_cut"] - state.graphs["best_cut"]
        over = following.graphs["time"] >= self._num_flips(state)
        return Step(following, (gained / state.graphs["scale"]).float(), over, torch.zeros_like(over))

    @override
    def decide(self, state: GraphBatch, nodes: Tensor) -> GraphBatch:
        """Flips all `nodes` at once: as many flips, after which one cut is looked at, and all of them rest."""
        graphs, of_node = state.graphs, state.node_graph[nodes]
        around, rows = state.in_edges.select(nodes)
        cut = graphs["cut"].index_add(0, of_node, segment_sum(coupling(state, rows), around))
        time = graphs["time"] + torch.bincount(of_node, minlength=state.num_graphs).to(torch.int32)
        best_cut = torch.maximum(cut, graphs["best_cut"])
        better = best_cut > graphs["best_cut"]
        side = state.nodes["side"].index_put((nodes,), ~state.nodes["side"][nodes])
        return state.with_nodes(
            side=side,
            best_side=torch.where(better[state.node_graph], side, state.nodes["best_side"]),
            flipped=state.nodes["flipped"].index_put((nodes,), time[of_node]),
        ).with_graphs(cut=cut, best_cut=best_cut, time=time)

    @override
    def sides(self, state: GraphBatch) -> Tensor:
        return state.nodes["best_side"]

    def _num_flips(self, state: GraphBatch) -> Tensor:
        """[B] float32: how many flips an episode has."""
        return (self.flips * state.node_segments.lengths).ceil()


def may_flip(state: GraphBatch) -> Tensor:
    """[N] bool: nodes that have an edge and have rested; all that have an edge, in graphs where none has rested."""
    of_node, joined = state.node_graph, state.in_degree > 0
    needed = (_REST * state.node_segments.lengths)[of_node]
    rested = joined & ((state.nodes["flipped"] < 0) | (_waited(state) >= needed))
    some = segment_max(rested.float(), state.node_segments) > 0
    return torch.where(some[of_node], rested, joined)


def _waited(state: GraphBatch) -> Tensor:
    """[N] int32: flips since each node's own; meaningless where it was never flipped."""
    return state.graphs["time"][state.node_graph] - state.nodes["flipped"]
