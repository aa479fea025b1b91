"""Graph robustness: add links so that a network stays in one piece for longer while it loses nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    Observation,
    Step,
    pair_segments,
    per_pair,
    with_links,
)
from graphwright.core.segment import segment_max
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.problem import Follow, Optimum, Problem, follow
from graphwright.envs.problems.graph_robustness.exact import exact_links
from graphwright.envs.problems.graph_robustness.heuristics import fiedler, greedy, least_degree
from graphwright.envs.problems.graph_robustness.instances import as_instance, with_orders
from graphwright.envs.problems.graph_robustness.robustness import breaks
from graphwright.envs.problems.graph_robustness.verify import verify
from graphwright.envs.readable import Inputs


@dataclass(frozen=True)
class GraphRobustness(Optimization):
    """Add links to raise the critical fraction: the share of nodes that go before the rest is in two or more pieces.

    Darvariu, Hailes & Musolesi (2021), "Goal-directed graph construction using reinforcement learning". The fraction is
    a mean over removal orders, which an instance holds, so that it is the same number every time.

    Instance: an undirected simple graph with the node column `turn` [N, S] int32, the place of each node in each of S
        orders.
    State: the graph with the links added so far, edge column `added` [E] bool; node columns `removed` and `cut_off` [N]
        float32 (see `Breaks`); graph columns `left` [B] int64, how many links are still to be added, and `robustness`
        [B] float64.
    Observation: per node `removed`, `cut_off`, its degree d as `log_degree` log(1 + d) and `relative_degree` d over the
        graph's largest; per graph `log_left` log(1 + left).
    Action: an ordered pair of nodes that no link joins; both orders of a pair do the same.
    Reward: how much the critical fraction rises, which may be less than nothing.
    Termination: all links are added. A complete graph is over before it begins.

    removal: "targeted" removes nodes of larger degree first, ties in the order of `turn`; "random" all in that order.
    budget: links to add, as a share of those that an instance has; at least one, and no more than there is room for.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> path = from_edges(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.tensor([4]), undirected=True)
    >>> problem = GraphRobustness(budget=0.3)
    >>> state = problem.reset(problem.instance(path))
    >>> step = problem.step(state, torch.tensor([0 * 4 + 3]))
    >>> state.graphs["robustness"].item(), problem.objective(step.state).item() > 0.5, step.terminated.item()
    (0.25, True, True)
    """

    removal: Literal["targeted", "random"] = "targeted"
    budget: float = 0.1

    features = Features(
        nodes={"removed": 1, "cut_off": 1, "log_degree": 1, "relative_degree": 1}, graphs={"log_left": 1}
    )
    actions = ActionSpec(per_pair("connect"))
    inputs = Inputs(nodes=("turn",))
    maximise = True
    edits_graph = True

    def __post_init__(self) -> None:
        """Raise ValueError for a budget of nothing."""
        if not 0 < self.budget < float("inf"):
            raise ValueError(f"budget={self.budget}: give the share of links to add, such as 0.1")

    @property
    def targeted(self) -> bool:
        """Whether nodes of larger degree go first."""
        return self.removal == "targeted"

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        return as_instance(graph)

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """Nothing is added yet."""
        links, size = instances.edge_segments.lengths // 2, instances.node_segments.lengths
        budget = (self.budget * links).round().long().clamp(min=1)
        added = torch.zeros(instances.num_edges, dtype=torch.bool, device=instances.device)
        left = torch.minimum(budget, size * (size - 1) // 2 - links)
        return self._broken(instances.with_edges(added=added).with_graphs(left=left))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        degree = state.in_degree.to(torch.float32)
        largest = segment_max(degree, state.node_segments)[state.node_graph]
        graph = state.keep(nodes=["removed", "cut_off", "turn"])
        return Observation(
            graph.with_nodes(log_degree=degree.log1p(), relative_degree=degree / largest.clamp(min=1)).with_graphs(
                log_left=state.graphs["left"].to(torch.float32).log1p()
            ),
            (_open_pairs(state),),
        )

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        size = state.node_segments.lengths
        links = torch.stack([action // size, action % size]) + state.node_ptr[:-1]
        grown = with_links(state, links, {"added": torch.ones_like(action, dtype=torch.bool)})
        following = self._broken(grown.with_graphs(left=state.graphs["left"] - 1))
        gain = following.graphs["robustness"] - state.graphs["robustness"]
        complete = self.is_complete(following)
        return Step(following, gain.to(torch.float32), complete, torch.zeros_like(complete))

    def objective(self, state: GraphBatch) -> Tensor:
        """The critical fraction."""
        return state.graphs["robustness"]

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether all links are added."""
        return state.graphs["left"] == 0

    def solution(self, state: GraphBatch) -> Solution:
        """The added links."""
        rows, _ = state.links
        return Solution(rows[:0], state.edge_index[:, rows[state.edges["added"][rows]]])

    def _broken(self, state: GraphBatch) -> GraphBatch:
        """`state` with the columns that say how it breaks."""
        robustness, removed, cut_off = breaks(state, self.targeted)
        return state.with_nodes(removed=removed, cut_off=cut_off).with_graphs(robustness=robustness)


def _open_pairs(state: GraphBatch) -> Tensor:
    """[P] bool: the ordered pairs of different nodes that no link joins, in graphs that are not done."""
    pairs, size = pair_segments(state), state.node_segments.lengths
    wanted = torch.repeat_interleave(state.graphs["left"] > 0, pairs.lengths, output_size=pairs.num_rows)
    source, destination = state.node_segments.position[state.edge_index]
    wanted[pairs.ptr[:-1][state.edge_graph] + source * size[state.edge_graph] + destination] = False
    wanted[pairs.ptr[:-1][state.node_graph] + state.node_segments.position * (size[state.node_graph] + 1)] = False
    return wanted


def _exactly(environment: Optimization, instances: GraphBatch, seconds: float) -> Optimum:
    assert isinstance(environment, GraphRobustness)
    return exact_links(environment, instances, environment.targeted, seconds)


GRAPH_ROBUSTNESS = Problem(
    name="graph-robustness",
    summary="add links so that a network that loses nodes falls apart later",
    objective="robustness",
    environment=GraphRobustness(),
    topology="barabasi-albert:m=2",
    sizes=(20,),
    laws={"joined": with_orders(joined=True), "as-drawn": with_orders(joined=False)},
    heuristics={
        "greedy": Follow(lambda environment: greedy(environment.targeted)),
        "least-degree": follow(least_degree),
        "fiedler": follow(fiedler),
    },
    solve_exactly=_exactly,
    verify=verify,
    training={
        "algorithm": "reinforce",
        "heads": {"pairs": "ends"},
        "validation": {"sizes": (20, 50), "graphs": 32, "every": 5},
    },
)
