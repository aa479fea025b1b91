"""Weighted minimum vertex cover, one node a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_node, simplify
from graphwright.core.segment import segment_argmax, segment_max, segment_sum
from graphwright.envs.generators import uniform_weights, unit_weights
from graphwright.envs.local import Local
from graphwright.envs.optimization import Optimization, Solution, chosen_nodes
from graphwright.envs.problem import Problem, follow
from graphwright.envs.problems.independent_set.local_search import heavier_set
from graphwright.envs.problems.independent_set.quick_bounds import cover_bound
from graphwright.envs.problems.vertex_cover.exact import exact_cover
from graphwright.envs.problems.vertex_cover.fast_greedy import greedy_cover
from graphwright.envs.problems.vertex_cover.regrets import regrets
from graphwright.envs.problems.vertex_cover.two_approximation import two_approximation
from graphwright.envs.problems.vertex_cover.verify import verify
from graphwright.envs.readable import Inputs
from graphwright.envs.rollouts import take_best
from graphwright.envs.undirected import require_undirected
from graphwright.envs.weights import node_numbers


@dataclass(frozen=True)
class VertexCover(Optimization, Local):
    """Choose nodes of least total weight such that every edge has a chosen end point.

    Instance: an undirected simple graph with the node column `weight` [N], non-negative; float64 from users.
    State: adds the node column `selected` [N] bool.
    Observation: the graph of the edges that are not covered yet, on which alone the rest of the episode depends; per
        node `selected`, `weight` (over `scale`, where an instance has that column), and its degree d there as
        `log_degree` log(1 + d) and `relative_degree` d over the graph's largest, which stay in range on larger graphs.
        With `view="all"` it is the published one: all edges, with `covered`, and per node `selected` and `weight`.
    Action: one unselected node. With `legal="useful"` it has to cover something; `legal="any"` is the published
        setting, in which a step may be wasted.
    Reward: minus the weight of the node.
    Termination: every edge is covered. An instance without edges is over before it begins, with the empty cover.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> path = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True,
    ...                   nodes={"weight": torch.ones(3)})
    >>> problem = VertexCover()
    >>> step = problem.step(problem.reset(path), torch.tensor([1]))
    >>> step.reward.item(), step.terminated.item()
    (-1.0, True)
    """

    legal: Literal["useful", "any"] = "useful"
    view: Literal["uncovered", "all"] = "uncovered"

    actions = ActionSpec(per_node("select"))
    inputs = Inputs(node_weight=("weight",))

    @property
    @override
    def features(self) -> Features:
        if self.view == "all":
            return Features(nodes={"selected": 1, "weight": 1}, edges={"covered": 1})
        return Features(nodes={"selected": 1, "weight": 1, "log_degree": 1, "relative_degree": 1})

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The undirected simple graph with its weights, 1 where there are none; loops go, parallel edges are merged.

        The graph column `scale` keeps the largest weight, so that the unit of a user's weights changes no decision.
        """
        require_undirected(graph, "a vertex cover needs an undirected one")
        weight = node_numbers(graph, "weight", 1.0, "weights are finite and not negative")
        scale = segment_max(weight, graph.node_segments)
        positive = torch.where(scale > 0, scale, 1)
        return simplify(graph.with_nodes(weight=weight).keep(nodes=["weight"]).with_graphs(scale=positive))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """No node is chosen."""
        return instances.with_nodes(selected=torch.zeros_like(instances.nodes["weight"], dtype=torch.bool))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        covered = _covered(state)
        seen = state.keep(nodes=["selected", "weight"]).with_nodes(weight=_in_scale(state))
        graph = seen.filter_edges(~covered)
        under_way = graph.edge_segments.lengths > 0
        useful = graph.in_degree > 0 if self.legal == "useful" else under_way.index_select(0, state.node_graph)
        mask = useful & ~state.nodes["selected"]
        if self.view == "all":
            return Observation(seen.with_edges(covered=covered), (mask,))
        degree = graph.in_degree.to(torch.float32)
        largest = state.graphs.get("largest_degree", segment_max(degree, graph.node_segments)).clamp(min=1)
        relative = degree / largest.index_select(0, state.node_graph)
        return Observation(graph.with_nodes(log_degree=degree.log1p(), relative_degree=relative), (mask,))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        node = state.node_ptr[:-1] + action
        following = self.decide(state, node)
        complete = self.is_complete(following)
        return Step(following, -state.nodes["weight"][node].float(), complete, torch.zeros_like(complete))

    @property
    @override
    def sight(self) -> int | None:
        return 1 if self.view == "uncovered" and self.legal == "useful" else None

    reach = 0

    @override
    def decide(self, state: GraphBatch, nodes: Tensor) -> GraphBatch:
        return state.with_nodes(selected=state.nodes["selected"].index_fill(0, nodes, True))

    @override
    def extremes(self, seen: GraphBatch) -> dict[str, Tensor]:
        return {"largest_degree": seen.in_degree.to(torch.float32)}

    def objective(self, state: GraphBatch) -> Tensor:
        """Total weight of the chosen nodes."""
        return segment_sum(state.nodes["selected"] * state.nodes["weight"].double(), state.node_segments)

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether every edge is covered."""
        return segment_sum(~_covered(state), state.edge_segments) == 0

    def solution(self, state: GraphBatch) -> Solution:
        """The chosen nodes."""
        return chosen_nodes(state, "selected")


def greedy(observation: Observation) -> Tensor:
    """[B] int64: the node of least weight per newly covered edge (Chvátal 1979), the first of equals."""
    graph, (legal,) = observation.graph, observation.masks
    if "covered" in graph.edges:
        graph = graph.filter_edges(~graph.edges["covered"])
    price = graph.nodes["weight"] / graph.in_degree
    useless = ~legal | (graph.in_degree == 0)
    return segment_argmax((-price).masked_fill(useless, -torch.inf), graph.node_segments)


def cheapest_first(observation: Observation) -> Tensor:
    """[B] int64: the legal node of least weight, whatever it covers; the baseline of the published table."""
    return take_best(observation, -observation.graph.nodes["weight"])


def _in_scale(state: GraphBatch) -> Tensor:
    """[N] float32: the weights, over the graph's `scale` where an instance has one."""
    weight = state.nodes["weight"]
    return (weight / state.graphs["scale"][state.node_graph] if "scale" in state.graphs else weight).float()


def _covered(state: GraphBatch) -> Tensor:
    """[E] bool: whether an end point of each edge is chosen."""
    selected = state.nodes["selected"]
    return selected[state.edge_index[0]] | selected[state.edge_index[1]]


def _cover_of(instances: GraphBatch, selected: Tensor) -> GraphBatch:
    return instances.with_nodes(selected=selected)


def _improve(environment: Optimization, states: GraphBatch, seconds: float, seed: int) -> GraphBatch:
    """What is left out of a cover is an independent set, and what the one gains the other does."""
    outside, weight = ~states.nodes["selected"], states.nodes["weight"]
    return states.with_nodes(selected=~heavier_set(states, weight, outside, seconds, seed))


def _of_the_cover(states: GraphBatch, covers: GraphBatch) -> Tensor:
    """[N] bool: the nodes of the given covers that would cover something new."""
    uncovered = segment_sum(~_covered(states), states.in_edges) > 0
    return covers.nodes["selected"] & ~states.nodes["selected"] & uncovered


def _regrets(environment: VertexCover, states: GraphBatch) -> Tensor:
    (legal,) = environment.observe(states).masks
    return regrets(states.filter_edges(~_covered(states)), states.nodes["weight"]).masked_fill(~legal, torch.inf)


VERTEX_COVER = Problem(
    name="vertex-cover",
    summary="choose nodes of least total weight that touch every edge",
    objective="weight",
    environment=VertexCover(),
    topology="watts-strogatz",
    sizes=(5, 10, 15),
    laws={"uniform": uniform_weights, "one": unit_weights},
    heuristics={
        "greedy": lambda _, instances: _cover_of(instances, greedy_cover(instances, _in_scale(instances))),
        "cheapest-first": follow(cheapest_first),
        "two-approximation": lambda _, instances: _cover_of(instances, two_approximation(instances)),
    },
    fast=("greedy", "two-approximation"),
    improve=_improve,
    bound_quickly=lambda _, instances: cover_bound(instances, instances.nodes["weight"]),
    solve_exactly=lambda environment, instances, seconds: exact_cover(instances, time_limit=seconds),
    verify=verify,
    expert=_of_the_cover,
    regrets=_regrets,
    training={
        "collection": {"demonstrations": {"expert": "regrets", "expert_share": 0.0, "settled_share": 0.03}},
        "imitation": {"learning_rate": 4e-3, "minibatch_size": 128, "passes": 4},
        "sac": {"target_rate": 0.05},  # a minute has four hundred gradient steps
    },
)
