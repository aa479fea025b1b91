"""The best order of repairs, switchings and waits for small networks: A* with a proof."""

from __future__ import annotations

import heapq
from itertools import count

import torch

from graphwright.core import GraphBatch
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.network_repair.search import DamagedNetwork, RepairRules, State, Trace
from graphwright.envs.proof import certified
from graphwright.envs.rollouts import Choose, play

_STATES_A_SECOND = 2000
_GAP = 1e-9  # relative: what the order of summation may change


def exact_repair(
    environment: Optimization, instances: GraphBatch, rules: RepairRules, first: Choose, time_limit: float
) -> Optimum:
    """The least outage of each graph, and the states that it leads to.

    A* (Hart, Nilsson & Raphael 1968) with the bound `DamagedNetwork.least`. Of two ways to the same state, one that
    costs no less and leaves no more energy is dropped. It expands 2000 states for each second of the limit, counted
    rather than timed, so that results repeat; where they do not suffice, the solution is that of the heuristic `first`.
    """
    solutions, bounds = [], []
    for number in range(instances.num_graphs):
        one = instances.select(torch.tensor([number], device=instances.device))
        found = play(environment, one, first)
        scale, start = float(one.graphs["scale"]), environment.reset(one)
        known = float(environment.objective(found)) / scale
        trace, least = _search(DamagedNetwork(start, rules), known, int(_STATES_A_SECOND * time_limit))
        if trace is not None:
            found = _replay(environment, start, trace)
        solutions.append(found)
        bounds.append(least * scale)
    solution = GraphBatch.concat(
        [environment.reset(instances.select(torch.arange(0, device=instances.device))), *solutions]
    )
    objective = environment.objective(solution)
    bound = torch.minimum(objective.new_tensor(bounds), objective)
    return certified(objective, bound, torch.zeros_like(objective), _GAP * objective, solution)


def _search(network: DamagedNetwork, known: float, limit: int) -> tuple[Trace | None, float]:
    """A way that costs less than `known`, or None where none was found; and what any way costs at least."""
    start, energy = network.start, network.rules.stamina
    order = count()
    queue: list[tuple[float, int, float, float, State, Trace | None]] = []
    best: dict[State, list[tuple[float, float]]] = {}
    heapq.heappush(queue, (network.least(start, energy), next(order), 0.0, energy, start, None))
    while queue:
        bound, _, cost, energy, state, trace = heapq.heappop(queue)
        if bound >= known * (1 - _GAP):
            return None, known
        if network.complete(state):
            return trace, cost
        if any(
            other < cost or more > energy for other, more in best.get(state, ()) if other <= cost and more >= energy
        ):
            continue  # a better way here was found meanwhile
        if not limit:
            return None, bound
        limit -= 1
        dark = network.dark(state)
        for following, duration, left, action in network.following(state, energy):
            total = cost + duration * dark
            ways = best.setdefault(following, [])
            if any(other <= total and more >= left for other, more in ways):
                continue
            ways[:] = [(other, more) for other, more in ways if other < total or more > left]
            ways.append((total, left))
            lower = max(bound, total + network.least(following, left))
            heapq.heappush(queue, (lower, next(order), total, left, following, (trace, action)))
    return None, known


def _replay(environment: Optimization, state: GraphBatch, trace: Trace | None) -> GraphBatch:
    """The state that the actions of `trace` lead to."""
    actions: list[tuple[int, ...]] = []
    while trace is not None:
        trace, action = trace
        actions.append(action)
    rows, _ = state.links
    links = {(min(ends), max(ends)): link for link, ends in enumerate(state.edge_index[:, rows].T.tolist())}
    for action in reversed(actions):
        if len(action) == 2:
            place = state.num_nodes + links[min(action), max(action)]
        else:
            place = action[0] if action else state.num_nodes + len(links)
        state = environment.step(state, torch.tensor([place], device=state.device)).state
    return state
