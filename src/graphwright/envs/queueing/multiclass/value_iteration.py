"""The optimum of small networks: relative value iteration on the uniformised chain with bounded queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.environment import Environment
from graphwright.envs.queueing.multiclass.instances import ROUTES, SERVES

_NONE = -1
_EVALUATIONS = 50  # sweeps under the same actions, which are far cheaper than finding the best


@dataclass(frozen=True)
class Optimal:
    """What value iteration found of one network.

    gain: the least mean backlog, between `low` and `high`, of the network whose queues hold `most` [classes] at most;
    what arrives beyond that is lost. actions: [A, servers], the class of each server, -1 to idle; choice: [states], the
    best action of each state, whose last class counts fastest; value: [states] float64, what each costs more than the
    empty one.
    """

    gain: float
    low: float
    high: float
    most: np.ndarray
    actions: np.ndarray
    choice: np.ndarray
    value: np.ndarray

    def rule(self, environment: Environment, state: GraphBatch) -> Tensor:
        """[D] int64: the best action of each server in states of this network, in its own numbering."""
        server = state.nodes["server"]
        queue = state.nodes["queue"][~server].view(state.num_graphs, -1).numpy()
        place = np.ravel_multi_index(tuple(np.minimum(queue, self.most).T), tuple(self.most + 1))
        job = torch.from_numpy(self.actions[self.choice[place]]).flatten()
        rows, out = state.out_edges
        own, chosen = out.select(server.nonzero().squeeze(1))
        end = state.node_segments.position[state.edge_index[1][rows[chosen]]]
        hit = end == job[own.index]
        found = torch.where(job < 0, own.lengths, -1)
        found[own.index[hit]] = own.position[hit]
        return found


def value_iteration(
    instance: GraphBatch, most: Sequence[int], *, tolerance: float = 1e-4, rounds: int = 10_000, idling: bool = False
) -> Optimal:
    """The optimum of one network whose nodes are its classes, then its servers, to `tolerance` of the gain.

    most: what each queue holds at most. idling: whether servers may idle though there is work.

    Modified policy iteration: h ← c + P h under the best actions, then some more times under the same ones (Puterman
    1994, "Markov decision processes", section 8.7); the least and the largest change of the first enclose the gain.
    """
    network = chain(instance, most)
    limit, _, _, _, _, cost, actions = network
    size = int(np.prod(limit + 1))
    events = most_events(network)
    target, chance = np.zeros((size, events), dtype=np.int64), np.zeros((size, events))
    value, other, choice = np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.int64)
    waits = np.indices(tuple((limit + 1).tolist())).reshape(len(limit), -1).T @ cost
    low, high = -np.inf, np.inf
    for _ in range(rounds):
        low, high = _improve(value, other, choice, *network, idling, target, chance)
        value, other = other - other[0], value
        if high - low < tolerance * max(abs(high), 1.0):
            break
        for _ in range(_EVALUATIONS):
            _evaluate(value, other, waits, target, chance)
            value, other = other, value
    return Optimal((low + high) / 2, low, high, limit, actions, choice, value)


class BoundedNetwork(NamedTuple):
    """One network with bounded queues, in units of its total rate.

    most: [C] int64; step: [C] int64, by how much a job of each class moves the number of a state; arrival, cost: [C];
    service: [servers, C]; route: [C, C] chances; actions: [A, servers] int64, the class of each, -1 to idle.
    """

    most: np.ndarray
    step: np.ndarray
    arrival: np.ndarray
    service: np.ndarray
    route: np.ndarray
    cost: np.ndarray
    actions: np.ndarray


def chain(instance: GraphBatch, most: Sequence[int] | np.ndarray) -> BoundedNetwork:
    """The chain of one network whose nodes are its classes, then its servers; most: what each queue holds at most."""
    server, kind = instance.nodes["server"].numpy(), instance.edges["type"].numpy()
    source, end = instance.edge_index.numpy()
    classes = int((~server).sum())
    rate = float(instance.graphs["rate"][0])
    service = np.zeros((int(server.sum()), classes))
    serves, routes = kind == SERVES, kind == ROUTES
    service[source[serves] - classes, end[serves]] = instance.edges["service"].numpy()[serves] / rate
    route = np.zeros((classes, classes))
    route[source[routes], end[routes]] = instance.edges["chance"].numpy()[routes]
    limit = np.asarray(most, dtype=np.int64)
    return BoundedNetwork(
        limit,
        np.array([np.prod(limit[place + 1 :] + 1) for place in range(classes)], dtype=np.int64),
        instance.nodes["arrival"].numpy()[:classes] / rate,
        service,
        route,
        instance.nodes["cost"].numpy()[:classes],
        np.array(list(product(*([_NONE, *np.flatnonzero(row)] for row in service)))),
    )


def most_events(network: BoundedNetwork) -> int:
    """How many things may happen in a slot."""
    most_routes = int((network.route > 0).sum(1).max(initial=0))
    return int((network.arrival > 0).sum()) + len(network.service) * (most_routes + 1) + 1


@jit_as_written
def _improve(value, new, choice, most, step, arrival, service, route, cost, actions, idling, target, chance):  # type: ignore[no-untyped-def]
    """new ← c + P value under the best actions, which `choice` gets; the least and the largest change.

    target, chance: [states, events], get where these actions lead, and how likely.
    """
    classes, events = most.shape[0], target.shape[1]
    queue, left = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
    to, odds = np.zeros(events, np.int64), np.zeros(events)
    low, high = np.inf, -np.inf
    for state in range(value.shape[0]):
        rest, total = state, 0.0
        for c in range(classes):
            queue[c] = rest // step[c]
            rest -= queue[c] * step[c]
            total += cost[c] * queue[c]
        best = np.inf
        for a in range(actions.shape[0]):
            if not _is_legal(queue, actions[a], service, idling):
                continue
            follow(state, queue, left, actions[a], most, step, arrival, service, route, to, odds)
            ahead = 0.0
            for e in range(events):
                ahead += odds[e] * value[to[e]]
            if ahead < best:
                best, choice[state] = ahead, a
                target[state], chance[state] = to, odds
        new[state] = total + best
        change = new[state] - value[state]
        low, high = min(low, change), max(high, change)
    return low, high


@jit_as_written
def _evaluate(value, new, cost, target, chance):  # type: ignore[no-untyped-def]
    """new ← cost + P value, where P is what `_improve` found."""
    for state in range(value.shape[0]):
        total = cost[state]
        for e in range(target.shape[1]):
            total += chance[state, e] * value[target[state, e]]
        new[state] = total


@jit_as_written
def _is_legal(queue, action, service, idling):  # type: ignore[no-untyped-def]
    """Whether every server serves a class that is not empty, and idles only if all of its own are, or it may."""
    for s in range(action.shape[0]):
        job = action[s]
        if job >= 0:
            if queue[job] == 0:
                return False
        elif not idling:
            for c in range(queue.shape[0]):
                if service[s, c] > 0 and queue[c] > 0:
                    return False
    return True


@jit_as_written
def follow(state, queue, left, action, most, step, arrival, service, route, to, odds):  # type: ignore[no-untyped-def]
    """to, odds: [events], get the states that follow under `action`, and their chances.

    Events: an arrival of each class; of each server a job that leaves or goes to each class; nothing.
    """
    classes, servers = queue.shape[0], action.shape[0]
    to[:] = state
    odds[:] = 0
    event, stay = 0, 1.0
    for c in range(classes):
        left[c] = queue[c]
        if arrival[c] > 0 and queue[c] < most[c]:
            to[event], odds[event] = state + step[c], arrival[c]
            stay -= arrival[c]
            event += 1
    for place in range(servers):
        fastest, speed = -1, 0.0
        for s in range(servers):  # the `place`-th fastest of those that serve, the first of equals
            if action[s] < 0:
                continue
            own, faster = service[s, action[s]], 0
            for other in range(servers):
                if action[other] >= 0:
                    theirs = service[other, action[other]]
                    faster += theirs > own or (theirs == own and other < s)
            if faster == place:
                fastest, speed = s, own
        if fastest < 0 or left[action[fastest]] == 0:
            continue
        job = action[fastest]
        left[job] -= 1
        stay -= speed
        leaves = 1.0
        for c in range(classes):
            if route[job, c] > 0:
                leaves -= route[job, c]
                to[event] = state - step[job] + (step[c] if queue[c] < most[c] or c == job else 0)
                odds[event] = speed * route[job, c]
                event += 1
        to[event], odds[event] = state - step[job], speed * leaves
        event += 1
    odds[event] = stay
