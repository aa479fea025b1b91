"""Shortest tours with a proof: what learned tours are measured against."""

from __future__ import annotations

import math
import time
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.tour.held_karp import useful_edges
from graphwright.envs.problems.tour.plane import distance
from graphwright.envs.problems.tour.sequence import in_order, tour_length, tour_order
from graphwright.envs.proof import certified
from graphwright.envs.solvers import cp_solver, import_solver

_BITS = 45  # of a tour's length as an integer; the solver gives its bound as a float64, which holds 53
_GAP = 1e-6


def exact_tour(tours: GraphBatch, *, time_limit: float = 10.0) -> Optimum:
    """A shortest tour of each graph, or the best one found in time.

    tours: states with a complete tour, as good as a heuristic makes them: the search begins there.
    time_limit: seconds for each graph; the graphs are solved one after the other.

    The bound of Held and Karp rules out most edges of an n-node graph, all but about 3 n where the tour that is given
    is close to the shortest; OR-Tools CP-SAT chooses among the others. On one core that takes 0.05 / 0.3 / 5 s a graph
    of 20 / 50 / 100 uniform points.

    Raises ImportError where OR-Tools is not installed.
    """
    cp_model = import_solver("sat", "tours")
    each = [tours.select(torch.tensor([graph], device=tours.device)) for graph in range(tours.num_graphs)]
    solved = [_solve(cp_model, tour.to("cpu"), time_limit) for tour in each]
    order = torch.cat([tours.node_ptr[:0], *(order for order, _ in solved)]).to(tours.device)
    found = in_order(tours, order + tours.node_ptr[:-1][tours.node_graph])
    better = tour_length(found) < tour_length(tours)
    successor = torch.where(better[tours.node_graph], found.nodes["successor"], tours.nodes["successor"])
    best = tours.with_nodes(successor=successor)
    length = tour_length(best)
    bound = torch.minimum(length, length.new_tensor([bound for _, bound in solved]))
    unit = torch.where(best.graphs["rounding"] > 0, length.new_ones(()), 0)  # rounded distances are whole numbers
    return certified(length, bound, unit, _GAP * length, best)


def _solve(cp_model: ModuleType, tour: GraphBatch, time_limit: float) -> tuple[Tensor, float]:
    """The nodes of the best tour [n] found, and a bound below every tour's length."""
    start = time.perf_counter()
    order, length, size = tour_order(tour), float(tour_length(tour)), tour.num_nodes
    if size <= 3:
        return order, length
    ends = torch.cartesian_prod(torch.arange(size), torch.arange(size))
    lengths = distance(tour, *ends.T).view(size, size).numpy()
    bound, useful = useful_edges(lengths, length, time_limit)
    following = tour.nodes["successor"].numpy()
    useful[np.arange(size), following] = useful[following, np.arange(size)] = True
    left = time_limit - (time.perf_counter() - start)
    if left <= 0 or bound >= length * (1 - _GAP):
        return order, bound
    found, proven = _search(cp_model, lengths, useful, following, left)
    return found if found is not None else order, max(bound, proven)


def _search(
    cp_model: ModuleType, lengths: np.ndarray, useful: np.ndarray, hint: np.ndarray, seconds: float
) -> tuple[Tensor | None, float]:
    """The nodes of the best tour [n] of `useful` edges found, and a bound of such tours; `hint` [n]: successors.

    CP-SAT counts in integers: lengths are multiplied by a power of two and rounded down, so that its bound, divided by
    the same power, stays a bound.
    """
    shift = _BITS - math.frexp(float(lengths.max()) * len(lengths))[1]
    integers = np.floor(np.ldexp(lengths, shift)).astype(np.int64)
    model = cp_model.CpModel()
    arcs = [(one, other, model.new_bool_var("")) for one, other in np.argwhere(useful).tolist()]
    model.add_circuit(arcs)
    model.minimize(
        cp_model.LinearExpr.weighted_sum(
            [arc for _, _, arc in arcs], [int(integers[one, other]) for one, other, _ in arcs]
        )
    )
    for one, other, arc in arcs:
        model.add_hint(arc, bool(hint[one] == other))

    solver = cp_solver(cp_model, seconds)
    status = solver.solve(model)
    bound = math.ldexp(solver.best_objective_bound, -shift)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, bound
    after = {one: other for one, other, arc in arcs if solver.boolean_value(arc)}
    order = [0]
    while after[order[-1]] != 0:
        order.append(after[order[-1]])
    return torch.tensor(order), bound
