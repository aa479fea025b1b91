"""Weighted maximum independent set, one node a step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import Features, GraphBatch, Observation
from graphwright.core.segment import segment_argmax, segment_max, segment_sum
from graphwright.envs.generative.tasks.node_sets import INDEPENDENT_SETS
from graphwright.envs.generators import uniform_weights, unit_weights
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Optimum, Problem, follow
from graphwright.envs.problems.independent_set.exact import exact_set
from graphwright.envs.problems.independent_set.max_product import claims
from graphwright.envs.problems.independent_set.maximal_set import MaximalSet, simple_graph


@dataclass(frozen=True)
class IndependentSet(MaximalSet):
    """Choose nodes of greatest total weight, no two of which are joined.

    Instance: an undirected simple graph with the node column `weight` [N] float32, non-negative.
    State, Action, Termination: those of `MaximalSet`.
    Observation: that of `MaximalSet`, weights over the graph column `scale` where an instance has one; and what is left
        of a node's weight w after the claims c of its free neighbours (`max_product`), as `margin` (w − c) / scale, at
        least −1, and `belief` (w − c) / (w + c).
    Reward: the weight of the node.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> path = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True,
    ...                   nodes={"weight": torch.ones(3)})
    >>> problem = IndependentSet()
    >>> step = problem.step(problem.reset(path), torch.tensor([0]))
    >>> problem.observe(step.state).masks[0].tolist(), step.reward.item()
    ([False, False, True], 1.0)
    """

    number = "weight"
    maximise = True

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The undirected simple graph with its weights, 1 where there are none; loops go, parallel edges are merged.

        The graph column `scale` keeps the largest weight, so that the unit of a user's weights changes no decision.
        """
        simple = simple_graph(graph, "weight", default=1.0)
        scale = segment_max(simple.nodes["weight"], simple.node_segments)
        return simple.with_graphs(scale=torch.where(scale > 0, scale, 1))

    def unit(self, state: GraphBatch) -> Tensor:
        """`scale`, where an instance has one."""
        return state.graphs["scale"] if "scale" in state.graphs else torch.ones(state.num_graphs, device=state.device)

    @property
    @override
    def features(self) -> Features:
        return Features(nodes={**super().features.nodes, "margin": 1, "belief": 1})

    @override
    def observe(self, state: GraphBatch) -> Observation:
        observation = super().observe(state)
        weight, free = observation.graph.nodes["weight"].double(), state.nodes["free"]
        claimed = claims(state, weight, free[state.edge_index].all(0))
        left = weight - claimed
        tiny = torch.finfo(torch.float32).tiny
        columns = {"margin": left.clamp(min=-1), "belief": left / (weight + claimed).clamp(min=tiny)}
        graph = observation.graph.with_nodes(**{name: column.float() for name, column in columns.items()})
        return Observation(graph, observation.masks)

    def node_reward(self, state: GraphBatch) -> Tensor:
        """The weight."""
        return state.nodes["weight"]

    def objective(self, state: GraphBatch) -> Tensor:
        """Total weight of the chosen nodes."""
        return segment_sum(state.nodes["selected"] * state.nodes["weight"].double(), state.node_segments)


def greedy(observation: Observation) -> Tensor:
    """[B] int64: the free node of greatest weight for each node that it takes away, the first of equals.

    GWMIN of Sakai, Togasaki, Yamazaki 2003, "A note on greedy algorithms for the maximum weighted independent set
    problem": its set has at least the weight Σ w(v) / (d(v) + 1).
    """
    graph, (free,) = observation.graph, observation.masks
    return segment_argmax(graph.nodes["per_node"].masked_fill(~free, -torch.inf), graph.node_segments)


def max_product(observation: Observation) -> Tensor:
    """[B] int64: the free node that keeps most of its weight after its neighbours' claims, the first of equals."""
    graph, (free,) = observation.graph, observation.masks
    return segment_argmax(graph.nodes["margin"].masked_fill(~free, -torch.inf), graph.node_segments)


def exact(environment: Optimization, instances: GraphBatch, seconds: float) -> Optimum:
    """The optimum by CP-SAT, begun from the greedy set."""
    assert isinstance(environment, MaximalSet)
    return exact_set(environment, instances, follow(greedy), time_limit=seconds)


INDEPENDENT_SET = Problem(
    name="independent-set",
    summary="choose nodes of greatest total weight, no two of them joined",
    objective="weight",
    environment=IndependentSet(),
    topology="erdos-renyi:p=0.15",
    sizes=(30, 40, 50),
    weights={"uniform": uniform_weights, "one": unit_weights},
    heuristics={"greedy": follow(greedy), "max-product": follow(max_product)},
    solve_exactly=exact,
    generation=INDEPENDENT_SETS,
    expert=lambda states, solutions: solutions.nodes["selected"] & states.nodes["free"],
    training={
        "algorithm": "reinforce",
        "collection": {"episodes": {"num_instances": 16}},
        "validation": {"sizes": (50, 80), "graphs": 24},  # the optima of larger ones take long to prove
    },
)
