"""Decentralised path search: an agent that sees only its neighbours walks to a target whose attributes it knows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    GraphError,
    Observation,
    Step,
    out_edges,
    per_neighbour,
    simplify,
)
from graphwright.core.segment import segment_sum
from graphwright.envs.generators.geography import find_places, place_all
from graphwright.envs.optimization import PLACES, Solution
from graphwright.envs.planned import PlanStep, Sequential
from graphwright.envs.problem import Problem, follow
from graphwright.envs.problems.path_search.depth_first import greedy, high_degree
from graphwright.envs.problems.path_search.discovery import begin, discovery, go
from graphwright.envs.problems.path_search.hops import hops_from
from graphwright.envs.problems.path_search.marks import marked_node
from graphwright.envs.problems.path_search.searches import anywhere, around_a_ring, closed_edges, far_apart
from graphwright.envs.problems.path_search.shortest_paths import shortest_paths
from graphwright.envs.problems.path_search.surroundings import View, surroundings
from graphwright.envs.problems.path_search.verify import verify
from graphwright.envs.readable import Inputs
from graphwright.envs.undirected import require_undirected


@dataclass(frozen=True)
class PathSearch(Sequential):
    """Walk from a start to a target in few hops, along edges that show themselves only on the way.

    Decentralised search (Kleinberg 2000, "Navigation in a small world") by one agent that remembers where it has been,
    learned as by Pisacane, Darvariu and Musolesi (2024, "Reinforcement learning discovers efficient decentralized graph
    path search strategies").

    view: "local": the agent sees the node on which it stands, its neighbours and the edges between it and them;
        "memory": those of all nodes where it has been; "graph": all nodes and edges.
    limit: the search fails after limit · n hops on a graph of n nodes. Two are enough for a depth-first search.

    Instance: an undirected simple graph with the node columns `start` and `target` [N] bool, one node each, joined by a
        path, and, where there are any, attributes `position` [N, D] float32: near nodes are joined more often.
    State: adds the node columns `here` [N] bool, where the agent is; `found` [N] int32, after how many hops it was at
        a node first, -1 where it never was; `visits` [N] int32, how often; and the graph column `hops` [B] int32.
    Observation: the part of the graph that is in view, without the rest; the graph column `at` [B] int64, the node on
        which the agent stands; the node columns that `surroundings` describes.
    Action: a move to a neighbour: the place of the edge among the edges out of `at`.
    Reward: -1 / n.
    Termination: the target is reached, or the limit is.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> ends = {"start": torch.tensor([True, False, False]), "target": torch.tensor([False, False, True])}
    >>> path = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True, nodes=ends)
    >>> problem = PathSearch()
    >>> state = problem.step(problem.reset(path), torch.tensor([0])).state
    >>> problem.observe(state).graph.nodes["target"].tolist(), problem.step(state, torch.tensor([1])).terminated.item()
    ([False, False, True], True)
    """

    view: View = "local"
    """What the agent sees: its neighbours, those of all nodes where it has been, or all of the graph."""
    limit: float = 2.0
    """A search fails after so many hops for each node of its graph."""

    features = Features(
        nodes={
            "here": 1,
            "target": 1,
            "visited": 1,
            "visits": 1,
            "way_back": 1,
            "unexplored": 1,
            "log_degree": 1,
            "relative_degree": 1,
            "distance": 1,
            "progress": 1,
            "cosine": 1,
        }
    )
    actions = ActionSpec(per_neighbour("move"))
    inputs = Inputs(nodes=PLACES, marks=("start", "target"))

    def __post_init__(self) -> None:
        """Raise ValueError for a limit that may forbid the shortest path."""
        if not 1 <= self.limit < float("inf"):
            raise ValueError(f"limit={self.limit}: give at least one hop for each node")

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The undirected simple graph with its two marks, and its places as `position` where it has any.

        Places are found as for the lengths of edges (`envs.network.geography`): `position`, `x` and `y`, or `Longitude`
        and `Latitude`, which become points of the unit sphere.
        """
        require_undirected(graph, "path search needs an undirected one")
        ends = {name: marked_node(graph, name) for name in ("start", "target")}
        places = find_places(graph)
        where = {} if places is None else {"position": place_all(graph, places).to(torch.float32)}
        instances = simplify(graph.keep().with_nodes(**ends, **where))
        apart = (hops_from(instances, ends["target"])[ends["start"]] < 0).nonzero()
        if apart.numel():
            raise GraphError(
                f"no path joins the start and the target of graph {int(apart[0])}; mark two nodes of one connected part"
            )
        return instances

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """The agent stands at the start."""
        start = instances.nodes["start"]
        none = torch.zeros(instances.num_graphs, dtype=torch.int32, device=instances.device)
        return instances.with_nodes(here=start, **begin(start)).with_graphs(hops=none)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        graph = surroundings(_placed(state), self.view)
        rows, _ = out_edges(graph)
        return Observation(graph, (~self._is_over(state)[graph.edge_graph[rows]],))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        rows, edges = out_edges(_placed(state))
        node = state.edge_index[1, rows[edges.ptr[:-1] + action]]
        hops = state.graphs["hops"] + 1
        here = torch.zeros_like(state.nodes["here"])
        here[node] = True
        following = state.with_nodes(here=here, **go(state, node, hops)).with_graphs(hops=hops)
        terminated = self._is_over(following)
        reward = -1 / state.node_segments.lengths.to(torch.float32)
        return Step(following, reward, terminated, torch.zeros_like(terminated))

    def objective(self, state: GraphBatch) -> Tensor:
        """The number of hops; the limit, where the target was not reached."""
        return torch.where(self.is_complete(state), state.graphs["hops"], self._limit(state)).double()

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether the agent stands on the target."""
        return segment_sum(state.nodes["here"] & state.nodes["target"], state.node_segments) > 0

    def solution(self, state: GraphBatch) -> Solution:
        """The nodes in the order in which they were found; the links of the way that was found to the last of them."""
        return discovery(state)

    @override
    def beginning(self, start: GraphBatch) -> list[PlanStep]:
        return [PlanStep("start", 0.0, 0.0, node=_where(start, "here"))]

    @override
    def told(self, before: GraphBatch, action: Tensor, after: GraphBatch, time: float) -> PlanStep:
        return PlanStep("go", time + 1, float(after.graphs["hops"]), node=_where(after, "here"))

    def _limit(self, state: GraphBatch) -> Tensor:
        """[B] int64: the number of hops after which a search fails."""
        return (state.node_segments.lengths * self.limit).ceil().long()

    def _is_over(self, state: GraphBatch) -> Tensor:
        return self.is_complete(state) | (state.graphs["hops"] >= self._limit(state))


def _placed(state: GraphBatch) -> GraphBatch:
    """`state` with the graph column `at` [B] int64: the node where the agent is."""
    return state.with_graphs(at=state.nodes["here"].nonzero().squeeze(1) - state.node_ptr[:-1])


def _where(state: GraphBatch, column: str) -> int:
    """The node of one graph where a bool column is true."""
    return int(state.nodes[column].nonzero())


PATH_SEARCH = Problem(
    name="path-search",
    summary="walk to a target whose neighbourhood shows itself only on the way",
    objective="hops",
    environment=PathSearch(),
    topology="gabriel",
    sizes=(30, 50),
    laws={"closed": closed_edges, "anywhere": anywhere, "ring": around_a_ring, "far": far_apart},
    heuristics={"greedy": follow(greedy), "high-degree": follow(high_degree)},
    solve_exactly=lambda environment, instances, seconds: shortest_paths(environment, instances),
    verify=verify,
    training={"algorithm": "reinforce"},
)
