"""How much a policy of a small network costs more than the optimum, nearly without the noise of a simulation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.queueing.multiclass.environment import Multiclass
from graphwright.envs.queueing.multiclass.value_iteration import Optimal, chain, follow, most_events

_PIECE = 1 << 14  # states whose decisions are asked for together
_SLOTS = 1 << 20  # whose random numbers are drawn together


def regret(
    instance: GraphBatch,
    optimal: Optimal,
    act: Callable[[GraphBatch], Tensor],
    *,
    decided: int = 60,
    slots: int = 1 << 24,
    seed: int = 0,
) -> tuple[float, float]:
    """By how much the mean backlog of `act` is above the optimum of one network, and the mean backlog of a simulation.

    g − g* = Σ_s d(s) (c(s) + (P_a h*)(s) − g* − h*(s)), where d is how often the policy is in state s (Howard 1960,
    "Dynamic programming and Markov processes"). Only d is simulated, over `slots`; no state in which the policy does
    what the optimum does adds anything, so the error is a small part of the difference itself. The second number has
    the whole noise of a simulation.

    act: from states to a place for each server, as an action of `Multiclass`. decided: queues longer than this are
    taken for as long.
    """
    network = chain(instance, optimal.most)
    choice = _decisions(instance, optimal, act, decided)
    events = most_events(network)
    size = choice.shape[0]
    target, chance = np.zeros((size, events), dtype=np.int64), np.zeros((size, events))
    cost, excess = np.zeros(size), np.zeros(size)
    _follow_all(choice, optimal.value, optimal.gain, *network, target, chance, cost, excess)
    generator, state, totals = np.random.default_rng(seed), 0, np.zeros(2)
    for _ in range(max(1, slots // _SLOTS)):
        state = _walk(state, generator.random(min(slots, _SLOTS)), target, chance, cost, excess, totals)
    total = max(1, slots // _SLOTS) * min(slots, _SLOTS)
    return totals[1] / total, totals[0] / total


def _decisions(instance: GraphBatch, optimal: Optimal, act: Callable[[GraphBatch], Tensor], decided: int) -> np.ndarray:
    """[states] int64: the row of `optimal.actions` that `act` plays in each state."""
    shape = tuple(np.minimum(optimal.most, decided) + 1)
    classes = len(shape)
    queues = torch.from_numpy(np.indices(shape).reshape(classes, -1).T.copy())
    first = Multiclass().reset(instance)
    servers = first.num_nodes - classes
    known = {tuple(row): place for place, row in enumerate(optimal.actions.tolist())}
    found = np.zeros(len(queues), dtype=np.int64)
    with torch.no_grad():
        for rows in torch.arange(len(queues)).split(_PIECE):
            nodes = torch.nn.functional.pad(queues[rows], (0, servers)).flatten()
            states = first.select(torch.zeros(rows.numel(), dtype=torch.int64)).with_nodes(queue=nodes)
            jobs = _classes(states, act(states)).view(-1, servers).numpy()
            different, which = np.unique(jobs, axis=0, return_inverse=True)
            found[rows.numpy()] = np.array([known[tuple(row)] for row in different.tolist()])[which.reshape(-1)]
    every = np.indices(tuple(optimal.most + 1)).reshape(classes, -1)
    return found[np.ravel_multi_index(tuple(np.minimum(row, decided) for row in every), shape)]


def _classes(states: GraphBatch, action: Tensor) -> Tensor:
    """[D] int64: the class that each server chose, by its place in its graph; -1 where it idles."""
    rows, out = states.out_edges
    own, chosen = out.select(states.nodes["server"].nonzero().squeeze(1))
    place = (own.ptr[:-1] + action).clamp(max=own.num_rows - 1)
    end = states.node_segments.position[states.edge_index[1][rows[chosen[place]]]]
    return torch.where(action < own.lengths, end, -1)


@jit_as_written
def _follow_all(choice, value, gain, most, step, arrival, service, route, cost, actions, target, chance, waits, excess):  # type: ignore[no-untyped-def]
    """Fill target, chance [states, events], waits [states], the cost of a slot, and excess, by how much it is wrong."""
    classes, events = most.shape[0], target.shape[1]
    queue, left = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
    to, odds = np.zeros(events, np.int64), np.zeros(events)
    for state in range(choice.shape[0]):
        rest = state
        for c in range(classes):
            queue[c] = rest // step[c]
            rest -= queue[c] * step[c]
            waits[state] += cost[c] * queue[c]
        follow(state, queue, left, actions[choice[state]], most, step, arrival, service, route, to, odds)
        total = waits[state] - gain - value[state]
        for e in range(events):
            total += odds[e] * value[to[e]]
        target[state], chance[state] = to, odds
        excess[state] = total


@jit_as_written
def _walk(state, uniforms, target, chance, waits, excess, totals):  # type: ignore[no-untyped-def]
    """The state after a walk from `state`; totals: [2], gets the sums of `waits` and `excess` on the way added."""
    events = target.shape[1]
    for u in uniforms:
        totals[0] += waits[state]
        totals[1] += excess[state]
        event, below = 0, chance[state, 0]
        while u >= below and event < events - 1:
            event += 1
            below += chance[state, event]
        state = target[state, event]
    return state
