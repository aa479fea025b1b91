"""Maximum cut as a problem: its instances, baselines, optimum and expert."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation
from graphwright.core.segment import segment_mean
from graphwright.envs.generation import Generation, ObjectiveReward, drawn
from graphwright.envs.generative.exports import chosen_lines
from graphwright.envs.generators import InstanceGenerator
from graphwright.envs.generators.rb import SMALL_RB_SIZES, TINY_RB, TINY_RB_SIZES, ModelRB
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem, follow
from graphwright.envs.problems.max_cut.environment import MaxCut, may_flip
from graphwright.envs.problems.max_cut.exact import exact_cut
from graphwright.envs.problems.max_cut.one_side import OneSide
from graphwright.envs.problems.max_cut.tabu import steepest_ascent, tabu_from, tabu_search
from graphwright.envs.problems.max_cut.verify import verify
from graphwright.envs.problems.max_cut.weights import signed_weights, uniform_weights, unit_weights
from graphwright.envs.rollouts import take_best


def final_state(environment: Optimization, instances: GraphBatch, side: Tensor) -> GraphBatch:
    """The state of instances [B] whose cuts are those between `side` [N] bool."""
    start = environment.reset(instances).with_nodes(side=side, best_side=side.clone())
    cut = environment.objective(start)
    return start.with_graphs(cut=cut, best_cut=cut.clone())


def largest_gain(observation: Observation) -> Tensor:
    """[B] int64: the legal node of largest gain, the first of equals; -1 where there is none."""
    return take_best(observation, observation.graph.nodes["gain"])


def approach(state: GraphBatch, goal: GraphBatch) -> Tensor:
    """[N] bool: the legal nodes whose flip leads towards the cut of `goal`, with its sides as they are nearer."""
    apart = state.nodes["side"] != goal.nodes["best_side"]
    far = segment_mean(apart.to(torch.float32), state.node_segments) > 0.5
    return (apart ^ far[state.node_graph]) & may_flip(state)


def _improve(environment: Optimization, states: GraphBatch, seconds: float, seed: int) -> GraphBatch:
    return final_state(environment, states, tabu_from(states, states.nodes["best_side"], seconds, seed))


MAX_CUT = Problem(
    name="max-cut",
    summary="put nodes on two sides so that the edges between them weigh most",
    objective="cut",
    environment=MaxCut(),
    topology="barabasi-albert:m=4",
    sizes=(20, 30, 40),
    laws={"uniform": uniform_weights, "signed": signed_weights, "one": unit_weights},
    heuristics={
        "local-search": lambda environment, instances: final_state(environment, instances, tabu_search(instances)),
        "greedy": lambda environment, instances: final_state(environment, instances, steepest_ascent(instances)),
        "walk": follow(largest_gain),
    },
    improve=_improve,
    solve_exactly=lambda environment, instances, seconds: exact_cut(instances, time_limit=seconds),
    verify=verify,
    expert=approach,
    generation=Generation(
        reward=ObjectiveReward(temperature=0.25),
        environment=OneSide(),
        export=chosen_lines("side"),
        instances=drawn(InstanceGenerator(ModelRB(), SMALL_RB_SIZES, unit_weights)),
        one_instance=False,
        small_instances=drawn(InstanceGenerator(TINY_RB, TINY_RB_SIZES, unit_weights)),
        training={
            "algorithm": "vargrad",
            "collection": {"trajectories": {"sources": {"forward": 64, "num_samples": 8}}},
            "flow": {"learning_rate": 3e-3, "optimizer": "adam", "passes": 1, "minibatches": 1, "regression": "huber"},
            "heads": {"pool": "mean", "value_pool": "sum"},
            "validation": {"every": 100, "objects": 16},
            "encoder": {"kind": "sage", "depth": 2, "width": 32, "walks": 0},
        },
    ),
    training={
        "algorithm": "imitation",
        "collection": {"demonstrations": {"solver_seconds": 0.0}, "episodes": {"num_instances": 8}},
        "dqn": {"discount": 0.9, "dueling": False},  # what can be undone matters little far ahead
        "sac": {"dueling": False},
        "encoder": {"aggregation": "mean", "graph_columns": False},  # sums do not bear ten times the degree
        "validation": {"sizes": (50, 75), "graphs": 24},
    },
)
