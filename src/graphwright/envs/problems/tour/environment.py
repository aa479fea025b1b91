"""The Euclidean travelling salesman problem, one node a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_node
from graphwright.core.segment import segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.gradual import Gradual
from graphwright.envs.optimization import PLACES, Solution
from graphwright.envs.planned import Planned, PlanStep
from graphwright.envs.problem import Follow, Problem, random_choice
from graphwright.envs.problems.tour import append, insertion
from graphwright.envs.problems.tour.exact import exact_tour
from graphwright.envs.problems.tour.iterated import shorten
from graphwright.envs.problems.tour.local_search import improve
from graphwright.envs.problems.tour.plane import distance
from graphwright.envs.problems.tour.points import draw_near_points, near_points, points_of
from graphwright.envs.problems.tour.quick import greedy_edges, space_filling
from graphwright.envs.problems.tour.quick_bound import held_karp_bound
from graphwright.envs.problems.tour.sequence import empty_tour, insertion_cost, share, tour_length, tour_order
from graphwright.envs.problems.tour.verify import verify
from graphwright.envs.readable import Inputs
from graphwright.envs.rollouts import play, take_best

_CONSTRUCTIONS = {"insertion": insertion, "append": append}


@dataclass(frozen=True)
class Tour(Planned, Gradual):
    """Visit all points of the plane on the shortest closed tour.

    Instance: an undirected graph of points that are near each other, with the node column `position` [N, 2] float64,
        the edge column `distance` [E] float64, and the graph columns `rounding` [B] int64 (of distances: 0 none, 1
        to 4 as TSPLIB's EUC_2D, CEIL_2D, ATT and GEO) and `scale` [B] float64, a typical
        distance between neighbours. Any two nodes may follow each other in a tour, whether an edge joins them or not.
    State: adds the node column `successor` [N] int64, the next node of the closed tour, -1 outside, and what the
        construction remembers of each node.
    Observation: the graph of the nodes outside the tour; per edge `distance` over `scale`; per node `visited`, and with
        `construction="insertion"` its distance to the tour `gap`, its cheapest insertion `cost` and by how much the
        second cheapest is dearer, `regret`, as logarithms; with "append" its
        distances `from_end` and `to_start`; per graph the `share` of nodes in the tour, and with "insertion"
        `largest_gap`, `largest_cost` and the `spacing` of the tour's nodes. What matters of the tour is in
        these columns. No coordinates: turned and shifted points look the same.
    Action: a node outside the tour. "insertion" puts it where it lengthens the tour least (Khalil et al. 2017,
        "Learning combinatorial optimization algorithms over graphs"); "append" after the last one (Bello et al. 2016,
        "Neural combinatorial optimization with reinforcement learning").
    Reward: minus what it adds to the closed tour, over `scale`.
    Termination: all nodes are in the tour.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> square = from_edges(torch.zeros(2, 0, dtype=torch.int64), torch.tensor([4]), undirected=True,
    ...                     nodes={"position": torch.tensor([[0.0, 0], [1, 1], [1, 0], [0, 1]])})
    >>> problem = Tour()
    >>> state = problem.reset(problem.instance(square))
    >>> for node in range(4):
    ...     state = problem.step(state, torch.tensor([node])).state
    >>> problem.solution(state).nodes.tolist(), problem.objective(state).item()
    ([0, 2, 1, 3], 4.0)
    """

    construction: Literal["insertion", "append"] = "insertion"
    """Where a node goes: to its cheapest place in the tour, or after the last one."""
    neighbours: int = 10
    """How many nearest nodes each node is joined with when a user's points become an instance; 0 for all."""

    actions = ActionSpec(per_node("visit"))
    inputs = Inputs(nodes=PLACES, edges=("distance",), graphs=("rounding",))

    def __post_init__(self) -> None:
        """Raise ValueError for options that make no environment."""
        if self.neighbours < 0:
            raise ValueError(f"neighbours={self.neighbours}; give a number of nearest nodes, or 0 for all")

    @property
    @override
    def shows_edges(self) -> bool:
        return False

    @property
    @override
    def features(self) -> Features:
        construction = _CONSTRUCTIONS[self.construction]
        names, wide = ("visited", *construction.NODE_FEATURES), ("share", *construction.GRAPH_FEATURES)
        return Features(nodes=dict.fromkeys(names, 1), edges={"distance": 1}, graphs=dict.fromkeys(wide, 1))

    @property
    @override
    def gradual(self) -> bool:
        return self.construction == "insertion"  # with "append" all distances are to the last node

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The points `position`, or `x` and `y`, with their nearest neighbours; other edges and columns go."""
        if "position" in graph.nodes and "distance" in graph.edges and {"rounding", "scale"} <= graph.graphs.keys():
            return graph
        return near_points(points_of(graph), self.neighbours)

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """No node is in the tour."""
        return _CONSTRUCTIONS[self.construction].begin(empty_tour(instances))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        outside, construction = state.nodes["successor"] < 0, _CONSTRUCTIONS[self.construction]
        seen = (
            state.with_nodes(visited=~outside, **construction.look(state))
            .with_edges(distance=(state.edges["distance"] / state.graphs["scale"][state.edge_graph]).float())
            .with_graphs(share=share(state).float(), **construction.look_at_all(state))
        )
        features = self.features
        seen = seen.keep(*map(list, (features.nodes, features.edges, features.graphs)))
        return Observation(seen.filter_edges(outside[seen.edge_index].all(0)), (outside,))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        construction = _CONSTRUCTIONS[self.construction]
        node = state.node_ptr[:-1] + action
        added = insertion_cost(state, node, construction.place(state, node))
        following = construction.extend(state, node)
        complete = self.is_complete(following)
        reward = -(added / state.graphs["scale"]).float()
        return Step(following, reward, complete, torch.zeros_like(complete))

    def objective(self, state: GraphBatch) -> Tensor:
        """The length of the closed tour."""
        return tour_length(state)

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether all nodes are in the tour."""
        return segment_sum(state.nodes["successor"] < 0, state.node_segments) == 0

    def solution(self, state: GraphBatch) -> Solution:
        """The nodes in the order of the tour, and the pairs that follow each other."""
        order = tour_order(state)
        return Solution(order, torch.stack([order, order.roll(-1)]) if order.numel() > 1 else order.new_empty(2, 0))

    @override
    def plan(self, state: GraphBatch) -> list[PlanStep]:
        """From the first node of the tour round to it again; time is the length of the way."""
        order = tour_order(state)
        if not order.numel():
            return []
        way = torch.cat([order[1:], order[:1]]) if order.numel() > 1 else order[:0]
        length = distance(state, order[: way.numel()], way).cumsum(0).tolist()
        start = PlanStep("start", 0.0, 0.0, node=int(order[0]))
        return [start, *(PlanStep("go", far, far, node) for node, far in zip(way.tolist(), length, strict=True))]


def _by(construction: Literal["insertion", "append"]) -> Callable[[Environment], Environment]:
    """The environment that a rule for one construction plays."""
    return lambda given: replace(given, construction=construction) if isinstance(given, Tour) else Tour(construction)


def farthest(observation: Observation) -> Tensor:
    """[B] int64: the node that is farthest from the tour."""
    return take_best(observation, observation.graph.nodes["gap"])


def nearest(observation: Observation) -> Tensor:
    """[B] int64: the node that is nearest to the tour."""
    return take_best(observation, -observation.graph.nodes["gap"])


def next_nearest(observation: Observation) -> Tensor:
    """[B] int64: the node that is nearest to the end of the tour."""
    return take_best(observation, -observation.graph.nodes["from_end"])


def _local_search(instances: GraphBatch) -> GraphBatch:
    """Farthest insertion, then 2-opt and Or-opt."""
    return improve(play(Tour(), instances, farthest))


TOUR = Problem(
    name="tour",
    summary="visit all points on the shortest closed tour",
    objective="length",
    environment=Tour(),
    topology="points",
    sizes=tuple(range(10, 31)),
    laws={"nearest": draw_near_points(10), "complete": draw_near_points(0)},
    heuristics={
        "farthest-insertion": Follow(lambda _: farthest, _by("insertion")),
        "nearest-insertion": Follow(lambda _: nearest, _by("insertion")),
        "random-insertion": lambda _, instances: play(
            Tour(), instances, random_choice(Tour(), torch.Generator().manual_seed(0))
        ),
        "nearest-neighbour": Follow(lambda _: next_nearest, _by("append")),
        "local-search": lambda _, instances: _local_search(instances),
        "space-filling": lambda _, instances: space_filling(instances),
        "greedy-edges": lambda _, instances: greedy_edges(instances),
    },
    fast=("greedy-edges", "space-filling"),
    bound_quickly=lambda _, instances: (held_karp_bound(instances), "Held-Karp"),
    improve=lambda _, states, seconds, seed: shorten(states, seconds, seed),
    solve_exactly=lambda _, instances, seconds: exact_tour(_local_search(instances), time_limit=seconds),
    verify=verify,
    training={
        "algorithm": "reinforce",
        "encoder": {"kind": "gat", "graph_columns": False},
        "collection": {  # whole episodes: a far node pays late
            "steps": {"num_envs": 64, "num_steps": 64},
            "replay": {"num_envs": 16, "num_steps": 64, "n_step": 64, "num_minibatches": 64, "minibatch_size": 64},
            "exploring-replay": {"num_envs": 16, "num_steps": 64, "n_step": 64, "num_minibatches": 64},
        },
        "dqn": {"target_rate": 0.05},  # a minute has only hundreds of gradient steps
        "sac": {"target_rate": 0.05, "learning_rate": 5e-4},
        "validation": {"sizes": (20, 50), "graphs": 32},
    },
)
