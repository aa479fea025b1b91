"""Weighted maximum independent set, one node a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Observation
from graphwright.core.segment import segment_max, segment_sum
from graphwright.envs.generation import Generation, ObjectiveReward, drawn
from graphwright.envs.generative.exports import chosen_lines
from graphwright.envs.generators import InstanceGenerator, uniform_weights, unit_weights
from graphwright.envs.generators.rb import SMALL_RB_SIZES, TINY_RB, TINY_RB_SIZES, ModelRB
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Heuristic, Optimum, Problem
from graphwright.envs.problems.independent_set.exact import exact_set
from graphwright.envs.problems.independent_set.fast_greedy import greedy_set
from graphwright.envs.problems.independent_set.local_search import heavier_set
from graphwright.envs.problems.independent_set.max_product import ROUNDS, claims
from graphwright.envs.problems.independent_set.maximal_set import MaximalSet, simple_graph
from graphwright.envs.problems.independent_set.quick_bounds import cover_bound
from graphwright.envs.problems.independent_set.verify import verify
from graphwright.envs.readable import Inputs
from graphwright.envs.rollouts import Choose, play, take_best

Column = Literal["selected", "free", "weight", "log_degree", "relative_degree", "per_node", "share", "margin", "belief"]
"""What a network may see of a node."""


@dataclass(frozen=True)
class IndependentSet(MaximalSet):
    """Choose nodes of greatest total weight, no two of which are joined; or draw sets, heavy ones more often.

    Instance: an undirected simple graph with the node column `weight` [N], non-negative; float64 from users.
    State, Action, Termination: those of `MaximalSet`.
    Observation: that of `MaximalSet`, weights over the graph column `scale` where an instance has one; and what is left
        of a node's weight w after the claims c of its free neighbours (`max_product`), as `margin` (w − c) / scale, at
        least −1, and `belief` (w − c) / (w + c). Claims are dear to compute: sampling, which meets many more states,
        sees `selected`, `free`, `log_degree` and `per_node`; there is a set at least as heavy as the sum of the last.
    Reward: the weight of the node.

    The published setting of sampling is that of Zhang et al. 2023, "Let the flows tell: solving graph combinatorial
    optimization problems with GFlowNets", and its code: instances of `ModelRB`, 4,000 to train on, 20 times each, and
    500 to test; R(x) = exp(|x| / T) with 1 / T raised linearly from 1 to 500 over the first 40,000 instances, rewards
    of the states in between included (forward-looking detailed balance); a GIN of 5 layers and width 256 with sums; 8
    instances a round, then 30 updates on 64 transitions each; learning rate 0.001; mean and best of 20 samples each.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> path = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True,
    ...                   nodes={"weight": torch.ones(3)})
    >>> problem = IndependentSet()
    >>> step = problem.step(problem.reset(path), torch.tensor([0]))
    >>> problem.observe(step.state).masks[0].tolist(), step.reward.item()
    ([False, False, True], 1.0)
    """

    columns: tuple[Column, ...] = (
        *("free", "weight", "log_degree", "relative_degree", "per_node", "share"),
        *("margin", "belief"),
    )
    """What a network sees of each node."""

    number = "weight"
    inputs = Inputs(node_weight=("weight",))
    maximise = True

    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The undirected simple graph with its weights, 1 where there are none; loops go, parallel edges are merged.

        The graph column `scale` keeps the largest weight, so that the unit of a user's weights changes no decision.
        """
        simple = simple_graph(graph, "weight", default=1.0)
        scale = segment_max(simple.nodes["weight"], simple.node_segments)
        return simple.with_graphs(scale=torch.where(scale > 0, scale, 1))

    @property
    @override
    def sight(self) -> int | None:
        return ROUNDS if {"margin", "belief"} & set(self.columns) else 1

    def unit(self, state: GraphBatch) -> Tensor:
        """`scale`, where an instance has one."""
        return state.graphs["scale"] if "scale" in state.graphs else torch.ones(state.num_graphs, device=state.device)

    @override
    def column(self, name: str, state: GraphBatch, graph: GraphBatch, number: Tensor) -> Tensor:
        if name not in ("margin", "belief"):
            return super().column(name, state, graph, number)
        weight, free = number.double(), state.nodes["free"]
        claimed = claims(state, weight, free[state.edge_index].all(0))
        left = weight - claimed
        if name == "margin":
            return left.clamp(min=-1).float()
        return (left / (weight + claimed).clamp(min=torch.finfo(torch.float32).tiny)).float()

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
    return take_best(observation, observation.graph.nodes["per_node"])


def max_product(observation: Observation) -> Tensor:
    """[B] int64: the free node that keeps most of its weight after its neighbours' claims, the first of equals."""
    return take_best(observation, observation.graph.nodes["margin"])


def _by_rule(choose: Choose) -> Heuristic:
    """Lets `choose` decide every step, on all columns, whatever a network sees."""
    return lambda environment, instances: play(IndependentSet(), instances, choose)


def exact(environment: Optimization, instances: GraphBatch, seconds: float) -> Optimum:
    """The optimum by CP-SAT, begun from the greedy set."""
    assert isinstance(environment, MaximalSet)
    return exact_set(environment, instances, _by_rule(greedy), time_limit=seconds)


def _greedy_set(instances: GraphBatch) -> Tensor:
    unit = IndependentSet().unit(instances)[instances.node_graph]
    return greedy_set(instances, (instances.nodes["weight"] / unit).float())


def _improve(environment: Optimization, states: GraphBatch, seconds: float, seed: int) -> GraphBatch:
    assert isinstance(environment, MaximalSet)
    heavier = heavier_set(states, states.nodes["weight"], states.nodes["selected"], seconds, seed)
    return environment.final_state(states, heavier)


def _bound_quickly(environment: Optimization, instances: GraphBatch) -> tuple[Tensor, str]:
    """What is not in an independent set is a vertex cover."""
    weight = instances.nodes["weight"]
    bound, by = cover_bound(instances, weight)
    return segment_sum(weight.double(), instances.node_segments) - bound, by


INDEPENDENT_SET = Problem(
    name="independent-set",
    summary="choose nodes of greatest total weight, no two of them joined",
    objective="weight",
    environment=IndependentSet(),
    topology="erdos-renyi:p=0.15",
    sizes=(30, 40, 50),
    laws={"uniform": uniform_weights, "one": unit_weights},
    heuristics={
        "greedy": lambda _, instances: IndependentSet().final_state(instances, _greedy_set(instances)),
        "max-product": _by_rule(max_product),
    },
    fast=("greedy",),
    improve=_improve,
    bound_quickly=_bound_quickly,
    solve_exactly=exact,
    verify=verify,
    generation=Generation(
        reward=ObjectiveReward(temperature=0.03),
        environment=IndependentSet(columns=("selected", "free", "log_degree", "per_node")),
        export=chosen_lines("selected"),
        instances=drawn(InstanceGenerator(ModelRB(), SMALL_RB_SIZES, unit_weights)),
        one_instance=False,
        small_instances=drawn(InstanceGenerator(TINY_RB, TINY_RB_SIZES, unit_weights)),
        training={
            "algorithm": "vargrad",
            "collection": {"trajectories": {"sources": {"forward": 64, "num_samples": 8}}},
            "flow": {"learning_rate": 3e-3, "optimizer": "adam", "passes": 1, "minibatches": 1},
            "heads": {"pool": "mean", "value_pool": "sum"},
            "validation": {"every": 100, "objects": 16},
            "encoder": {"kind": "gin", "depth": 2, "width": 32, "walks": 0},
        },
    ),
    expert=lambda states, solutions: solutions.nodes["selected"] & states.nodes["free"],
    training={
        "algorithm": "reinforce",
        "a2c": {"minibatch_size": 256},  # a minute has few updates, of which each learns from a state once
        "sac": {"target_rate": 0.05},  # and hundreds of gradient steps, in which values rise from what they began with
        "collection": {"episodes": {"num_instances": 16}},
        "validation": {"sizes": (50, 80), "graphs": 24},  # the optima of larger ones take long to prove
    },
)
