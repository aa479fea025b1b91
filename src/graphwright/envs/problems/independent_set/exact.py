"""Best maximal independent sets with a proof: what learned ones are measured against, and what they can imitate.

The solver is OR-Tools CP-SAT with its full linear relaxation; without it, Barabási-Albert graphs (m=4, 100 nodes, unit
weights) take 1.9 s instead of 13 ms each. It is given the edges: it merges them into cliques itself, and cliques that
were found beforehand (greedily, to cover all edges) made random graphs of 50 to 200 nodes and densities 0.15 to 0.8
no faster, and the complement of hamming8-4 sixty times slower.
"""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problem import Heuristic, Optimum
from graphwright.envs.problems.independent_set.maximal_set import MaximalSet
from graphwright.envs.proof import certified, common_units, scaled
from graphwright.envs.solvers import cp_solver, import_solver


def exact_set(
    environment: MaximalSet, instances: GraphBatch, fallback: Heuristic, *, time_limit: float = 10.0
) -> Optimum:
    """A maximal independent set of each graph with the largest sum of `node_reward`, or the best one found in time.

    The proof is exact where the rewards are whole multiples of 2^-50 of the sum of their sizes (`certified`).

    fallback: where the time does not suffice and it does better, its set is taken instead.
    time_limit: seconds for each graph; the graphs are solved one after the other. A run within it is deterministic.

    Raises ImportError where OR-Tools is not installed.
    """
    cp_model = import_solver("sat", "independent sets")
    other = fallback(environment, instances).nodes["selected"]
    reward = environment.node_reward(instances).double()
    rows, links = instances.links
    ends = instances.node_segments.position[instances.edge_index[:, rows]].cpu()
    graphs = zip(
        reward.cpu().split(instances.node_segments.lengths.tolist()),
        ends.split(links.lengths.tolist(), dim=1),
        strict=True,
    )
    solved = [_solve(cp_model, *graph, time_limit) for graph in graphs]
    found = torch.tensor(
        [chosen for nodes, _, _ in solved for chosen in nodes], dtype=torch.bool, device=instances.device
    )

    def total(selected: Tensor) -> Tensor:
        return segment_sum(reward * selected, instances.node_segments)

    better = total(found) >= total(other)
    selected = torch.where(better[instances.node_graph], found, other)
    solution = environment.final_state(instances, selected)
    objective = environment.objective(solution)
    gap = (reward.new_tensor([bound for _, bound, _ in solved]) - total(selected)).clamp(min=0)
    unit, error = common_units(reward, instances.node_segments), reward.new_tensor([error for *_, error in solved])
    return certified(objective, objective + gap, unit, error, solution)


def _solve(cp_model: ModuleType, reward: Tensor, ends: Tensor, time_limit: float) -> tuple[list[bool], float, float]:
    """The best maximal set [n] of one graph that was found; a bound above every set's reward; its error.

    reward: [n] float64; ends: [2, L] int64. CP-SAT counts in integers: the rewards are multiplied by a power of two and
    rounded up, so that its bound, divided by the same power, stays a bound.
    """
    nearly, shift, error = scaled(reward.numpy(), float(reward.abs().sum()))
    integers = np.ceil(nearly).astype(np.int64)
    model = cp_model.CpModel()
    nodes = [model.new_bool_var("") for _ in integers]
    neighbours: list[list[int]] = [[] for _ in nodes]
    for one, other in ends.T.tolist():
        model.add_at_most_one(nodes[one], nodes[other])
        neighbours[one].append(other)
        neighbours[other].append(one)
    if bool((integers < 0).any()):  # otherwise a set is made maximal without loss
        for node, around in enumerate(neighbours):
            model.add_bool_or(nodes[place] for place in (node, *around))
    model.maximize(cp_model.LinearExpr.weighted_sum(nodes, integers.tolist()))

    solver = cp_solver(cp_model, time_limit, lazily=False)
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    chosen = [found and solver.boolean_value(node) for node in nodes]
    for node in np.argsort(-integers, kind="stable").tolist():
        chosen[node] = chosen[node] or not any(chosen[neighbour] for neighbour in neighbours[node])
    bound = solver.best_objective_bound if found else float(integers.clip(min=0).sum())  # 0 before it has begun
    return chosen, math.ldexp(bound, -shift), error
