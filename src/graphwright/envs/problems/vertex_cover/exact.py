"""Minimum weight vertex covers with a proof: what learned covers are measured against.

The solver is OR-Tools CP-SAT with its full linear relaxation. On one core CP-SAT 9.15 takes 1.7 / 3 / 6 / 64 ms a graph
where HiGHS 1.15 takes 2.4 / 5 / 10 / 131 (Watts-Strogatz, k=4, p=0.3, 20 / 50 / 100 / 1000 nodes, uniform weights), and
54 where it takes 860 (Barabási-Albert, m=4, 200 nodes, unit weights). The reduction of Nemhauser and Trotter is no help
here: it leaves 86 to 100 % of these graphs' nodes undecided.
"""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.vertex_cover.two_approximation import remove_redundant, two_approximation
from graphwright.envs.proof import certified, common_units, scaled
from graphwright.envs.solvers import cp_solver, import_solver


def exact_cover(instances: GraphBatch, *, time_limit: float = 10.0) -> Optimum:
    """A minimum weight vertex cover of each graph, or the best one found in time.

    Its solution has the node column `selected` [N] bool, from which no node can be left out. The proof is exact where
    the weights are whole multiples of 2^-50 of their sum (`certified`).

    instances: undirected simple graphs with the node column `weight` [N] float32, finite and non-negative.
    time_limit: seconds for each graph; where they do not suffice, `proven` is false and the cover is the lighter one of
        the solver's and of `two_approximation`.
        The graphs are solved one after the other, and a run within the limit is deterministic.

    Raises ImportError where OR-Tools is not installed.
    """
    cp_model = import_solver("sat", "covers")
    rows, links = instances.links
    ends = instances.node_segments.position[instances.edge_index[:, rows]].cpu()
    weight = instances.nodes["weight"].double()
    graphs = zip(
        weight.cpu().split(instances.node_segments.lengths.tolist()),
        ends.split(links.lengths.tolist(), dim=1),
        strict=True,
    )
    solved = [_solve(cp_model, *graph, time_limit) for graph in graphs]
    found = [chosen for cover, _, _ in solved for chosen in cover]
    covers = (
        remove_redundant(instances, torch.tensor(found, dtype=torch.bool, device=instances.device)),
        two_approximation(instances),
    )
    costs = torch.stack([segment_sum(weight * cover, instances.node_segments) for cover in covers])
    selected = torch.where((costs[0] <= costs[1])[instances.node_graph], *covers)
    cost = costs.amin(0)
    bound = torch.minimum(cost.new_tensor([bound for _, bound, _ in solved]), cost)
    unit, error = common_units(weight, instances.node_segments), cost.new_tensor([error for *_, error in solved])
    return certified(cost, bound, unit, error, instances.with_nodes(selected=selected))


def _solve(cp_model: ModuleType, weight: Tensor, ends: Tensor, time_limit: float) -> tuple[list[bool], float, float]:
    """The best cover [n] of one graph, all nodes if none was found; a bound below every cover's weight; its error.

    weight: [n] float64; ends: [2, L] int64. CP-SAT counts in integers: the weights are multiplied by a power of two and
    rounded down, so that its bound, divided by the same power, stays a bound.
    """
    nearly, shift, error = scaled(weight.numpy(), float(weight.sum()))
    integers = np.floor(nearly).astype(np.int64)
    model = cp_model.CpModel()
    nodes = [model.new_bool_var("") for _ in integers]
    for one, other in ends.T.tolist():
        model.add_bool_or(nodes[one], nodes[other])
    model.minimize(cp_model.LinearExpr.weighted_sum(nodes, integers.tolist()))

    solver = cp_solver(cp_model, time_limit, lazily=False)
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    cover = [solver.boolean_value(node) if found else True for node in nodes]
    bound = math.ldexp(solver.best_objective_bound, -shift)
    return cover, max(bound, 0.0), error
