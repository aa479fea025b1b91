"""The problem `multiclass`: its baselines and its random networks."""

from __future__ import annotations

from collections.abc import Callable

import torch

from graphwright.core import GraphBatch
from graphwright.envs.generators import DrawColumns
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.queueing.instances import CONTROL
from graphwright.envs.queueing.multiclass import rules
from graphwright.envs.queueing.multiclass.environment import Multiclass
from graphwright.envs.queueing.multiclass.instances import station_network, with_total_rate
from graphwright.envs.randomness import with_seeds

_LOAD = 9 / 140  # arrivals of the published line of stations, whose servers are then busy 90 % of the time
_RATES = (1 / 8, 1 / 2, 1 / 4), (1 / 6, 1 / 7, 1.0)  # of the classes of its odd and even stations


def criss_cross(arrival: float = 0.6, downstream: float = 1.0) -> GraphBatch:
    """Harrison & Wein (1989): classes 0 and 1 share server 0, both at rate 2; what leaves class 0 comes to class 2.

    arrival: of classes 0 and 1; downstream: the rate of server 1, which serves class 2.
    """
    service = {(0, 0): 2.0, (0, 1): 2.0, (1, 2): downstream}
    return station_network([arrival, arrival, 0.0], service, {(0, 2): 1.0})


def n_model(load: float = 0.9) -> GraphBatch:
    """Bell & Williams (2001): server 0 serves class 0 alone, server 1 both, class 0 at half the rate; costs 3 and 1."""
    service = {(0, 0): 1.0, (1, 0): 0.5, (1, 1): 1.0}
    return station_network([1.3 * load, 0.4 * load], service, {}, cost=[3.0, 1.0])


def reentrant_line(stations: int, load: float = 0.9) -> GraphBatch:
    """Three classes at each of `stations` in a row, which jobs pass from one to the next.

    Jobs come to the first and to the third class of the first station; those that have been the first class of all
    stations come back as the second. Of six classes: Bertsimas, Paschalidis & Tsitsiklis (1994), with the rates of Dai
    & Gluzman (2022), "Queueing network controls via deep reinforcement learning".
    """
    arrival = [0.0] * (3 * stations)
    arrival[0] = arrival[2] = _LOAD * load / 0.9
    service = {(s, 3 * s + c): rate for s in range(stations) for c, rate in enumerate(_RATES[s % 2])}
    route = {(3 * s + c, 3 * (s + 1) + c): 1.0 for s in range(stations - 1) for c in range(3)}
    route[3 * (stations - 1), 1] = 1.0
    return station_network(arrival, service, route)


def _law(build: Callable[[int], GraphBatch], low: float, high: float) -> DrawColumns:
    """Networks of as many servers as a graph has nodes, whose arrivals are scaled by a factor uniform in a range."""

    def draw(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
        sizes, which = graph.node_segments.lengths.unique(return_inverse=True)
        instances = GraphBatch.concat([build(int(size)) for size in sizes]).select(which)
        shape = (graph.num_graphs,)
        factor = low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)
        arrival = instances.nodes["arrival"] * factor[instances.node_graph]
        seeds = with_seeds(graph.keep(), generator).graphs["seed"]
        return with_total_rate(instances.with_nodes(arrival=arrival)).with_graphs(seed=seeds)

    return draw


def _always(network: GraphBatch) -> Callable[[int], GraphBatch]:
    """That network, of however many servers it is to be."""
    return lambda stations: network


MULTICLASS = Problem(
    name="multiclass",
    summary="let every server choose which class of jobs it serves",
    objective="backlog",
    environment=Multiclass(horizon=300, initial_queue=20),
    topology="path",
    sizes=(2, 3),
    laws={
        "reentrant": _law(reentrant_line, 0.7, 1.0),
        "criss-cross": _law(lambda _: criss_cross(0.9), 1 / 3, 1.0),
        "n-model": _law(lambda _: n_model(0.95), 0.7, 1.0),
        "reentrant-90": _law(reentrant_line, 1.0, 1.0),
        **{
            f"criss-cross-{arrival}-{downstream}": _law(_always(criss_cross(arrival, downstream)), 1.0, 1.0)
            for arrival in (0.3, 0.6, 0.9)
            for downstream in (1.5, 1.0)
        },
    },
    baselines={
        "lbfs": ControlRule(rules.last_buffer_first),
        "c-mu": ControlRule(rules.c_mu),
        "max-weight": ControlRule(rules.max_weight),
        "fbfs": ControlRule(rules.first_buffer_first),
    },
    training=CONTROL
    | {
        "algorithm": "policy-iteration",
        "encoder": {"kind": "gin", "width": 32, "depth": 2},  # which reads edges
        "collection": CONTROL["collection"] | {"forks": {"num_envs": 512, "num_states": 512, "ahead": 300}},
    },
)
