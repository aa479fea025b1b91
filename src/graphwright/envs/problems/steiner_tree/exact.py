"""Shortest Steiner trees with a proof: what learned trees are measured against.

Branch and cut after Koch & Martin (1998), "Solving Steiner tree problems in graphs to optimality": GLOP solves the
directed cut relaxation, whose cuts are found one by one, and CP-SAT what is left where its solution is not integral,
which is rare.
"""

from __future__ import annotations

import math
import time
from types import ModuleType

import networkx as nx
import numpy as np
import torch

from graphwright.core import GraphBatch
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.steiner_tree.cuts import Network, Row, flow_rows, violated_cuts
from graphwright.envs.problems.steiner_tree.heuristics import mst_of_closure
from graphwright.envs.problems.steiner_tree.state import total_length, tree_state
from graphwright.envs.proof import certified, common_units
from graphwright.envs.solvers import cp_solver, import_solver

_BITS = 50  # of the sum of a graph's lengths as integers; CP-SAT gives its bound as a float64, which holds 53
_GAP = 1e-6
_INTEGRAL = 1e-5


def exact_tree(instances: GraphBatch, *, time_limit: float = 10.0) -> Optimum:
    """A shortest Steiner tree of each graph, or the best one found in time.

    Its solution are states of `SteinerTree`. The bound is that of a linear program in floating point, taken to be right
    to 10^-6 of itself: where trees differ by more than that, or not at all, the proof is exact (`certified`).

    instances: those of `SteinerTree`. time_limit: seconds for each graph; where they do not suffice, `proven` is false
    and the tree is the one of `mst_of_closure`.

    Raises ImportError where OR-Tools is not installed.
    """
    linear, satisfaction = (import_solver(kind, "Steiner trees") for kind in ("linear", "sat"))
    terminal, length = instances.nodes["terminal"].cpu(), instances.edges["length"].double().cpu()
    edge_index = instances.node_segments.position[instances.edge_index].cpu()
    nodes, edges = instances.node_ptr.tolist(), instances.edge_ptr.tolist()
    chosen = mst_of_closure(instances)
    known = total_length(instances, chosen)
    taken, bounds = chosen.clone(), torch.zeros_like(known)
    for graph in range(instances.num_graphs):
        own = slice(*edges[graph : graph + 2])
        terminals = terminal[slice(*nodes[graph : graph + 2])].nonzero().squeeze(1).tolist()
        tail, head = edge_index[:, own].numpy()
        network = Network(tail, head, length[own].numpy(), terminals, nodes[graph + 1] - nodes[graph])
        tree, bounds[graph] = _solve(linear, satisfaction, network, time_limit)
        if tree is not None:
            taken[own] = torch.from_numpy(tree).to(taken.device)
    shorter = total_length(instances, taken) < known
    solution = tree_state(instances, torch.where(shorter[instances.edge_graph], taken, chosen))
    objective = total_length(instances, solution.edges["chosen"])
    bound = torch.minimum(bounds, objective)
    return certified(objective, bound, common_units(length, instances.edge_segments), _GAP * objective, solution)


def _solve(
    linear: ModuleType, satisfaction: ModuleType, network: Network, time_limit: float
) -> tuple[np.ndarray | None, float]:
    """A shortest tree [E] bool, in both directions, if there was time for it, and a bound below every tree's length."""
    deadline = time.perf_counter() + time_limit
    rows = flow_rows(network)
    value, bound = _relax(linear, network, rows, deadline)
    if value is not None and np.minimum(value, 1 - value).max(initial=0) > _INTEGRAL:
        value, better = _branch(satisfaction, network, rows, deadline)
        bound = max(bound, better)
    return None if value is None else _as_tree(network, value > 0.5), bound


def _relax(linear: ModuleType, network: Network, rows: list[Row], deadline: float) -> tuple[np.ndarray | None, float]:
    """The solution [E] of the directed cut relaxation, None where time ran out, and a bound; `rows` gets its cuts."""
    solver = linear.Solver.CreateSolver("GLOP")
    root = network.terminals[0]
    arcs = [solver.NumVar(0, 0 if head == root else 1, "") for head in network.head.tolist()]
    for arc, length in zip(arcs, network.length.tolist(), strict=True):
        solver.Objective().SetCoefficient(arc, length)
    bound, new = 0.0, rows
    while new:
        for row in new:
            constraint = solver.Constraint(row.least, solver.infinity())
            for sign, members in ((1, row.plus), (-1, row.minus)):
                for arc in members:
                    constraint.SetCoefficient(arcs[arc], sign)
        left = deadline - time.perf_counter()
        solver.SetTimeLimit(max(int(1000 * left), 1))
        if left <= 0 or solver.Solve() != linear.Solver.OPTIMAL:
            return None, bound
        bound = max(bound, solver.Objective().Value())
        value = np.array([arc.solution_value() for arc in arcs])
        new = violated_cuts(network, value)
        rows += new
    return value, bound


def _branch(
    satisfaction: ModuleType, network: Network, rows: list[Row], deadline: float
) -> tuple[np.ndarray | None, float]:
    """The best solution [E] of `rows` in integers that breaks no further cut, None where time ran out, and a bound.

    CP-SAT counts in integers: lengths are multiplied by a power of two and rounded down, so that its bound, divided by
    the same power, stays a bound.
    """
    shift = _BITS - math.frexp(float(network.length.sum()))[1]
    model, root = satisfaction.CpModel(), network.terminals[0]
    arcs = [model.new_bool_var("") for _ in network.head]
    model.add(sum(arcs[arc] for arc in np.flatnonzero(network.head == root)) == 0)
    integers = np.floor(np.ldexp(network.length, shift)).astype(np.int64)
    model.minimize(satisfaction.LinearExpr.weighted_sum(arcs, integers.tolist()))
    bound, new = 0.0, rows
    while new:
        for row in new:
            model.add(sum(arcs[arc] for arc in row.plus) - sum(arcs[arc] for arc in row.minus) >= row.least)
        left = deadline - time.perf_counter()
        solver = cp_solver(satisfaction, max(left, 0))
        if left <= 0 or solver.solve(model) != satisfaction.OPTIMAL:
            return None, bound
        bound = max(bound, math.ldexp(solver.best_objective_bound, -shift))
        value = np.array([float(solver.boolean_value(arc)) for arc in arcs])
        new = violated_cuts(network, value)
    return value, bound


def _as_tree(network: Network, taken: np.ndarray) -> np.ndarray:
    """[E] bool, in both directions: a spanning tree of the arcs that are `taken` [E], without dead branches.

    Only arcs of length 0 can be too many.
    """
    ends = list(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    graph = nx.Graph([ends[arc] for arc in np.flatnonzero(taken)])
    tree = nx.Graph(nx.minimum_spanning_edges(graph, data=False))
    while dead := [node for node, degree in tree.degree if degree < 2 and node not in network.terminals]:
        tree.remove_nodes_from(dead)
    return np.array([tree.has_edge(*pair) for pair in ends], dtype=bool)
