"""The problem `multi-hop`: its baselines and its random networks."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Segments
from graphwright.core.construction import on_both_directions
from graphwright.core.segment import segment_max, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.queueing.instances import CONTROL, prepared
from graphwright.envs.queueing.multi_hop.environment import MultiHop, hop_bias, shortest_path_bias
from graphwright.envs.queueing.multi_hop.layers import layered, with_rates
from graphwright.envs.queueing.multi_hop.links import MultiHopLinks, as_multi_hop, by_back_pressure
from graphwright.envs.queueing.multi_hop.packets import PacketNetwork
from graphwright.envs.queueing.multi_hop.shortest_path import ShortestPathRouting
from graphwright.envs.randomness import with_seeds

_SHAPE, _SCALE = 1.5, 0.5  # of the gamma law of arrivals
_MOST_RATE = 4
_BUSIEST = 0.8


def no_bias(environment: Environment, state: GraphBatch) -> Tensor:
    """[D, 1] float32 zeros: back-pressure with nothing added to the bias that the environment has."""
    return torch.zeros(int((~state.nodes["destination"]).sum()), 1)


def _nothing(state: GraphBatch) -> Tensor:
    return torch.zeros_like(state.edges["rate"])


def _with_bias(bias: Literal["shortest-path", "hops", "none"]) -> ControlRule:
    def plays(given: Environment) -> Environment:
        assert isinstance(given, MultiHop)
        return replace(given, bias=bias)

    return ControlRule(no_bias, plays)


def _routed(given: Environment) -> Environment:
    assert isinstance(given, PacketNetwork)
    return as_multi_hop(given, ShortestPathRouting)


def random_demand(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Links of 1 to 4 packets a slot both ways; 20 to 40 % of the nodes are destinations, and 20 to 40 % send to each.

    What a source sends to a destination is gamma distributed with shape 1.5 and scale 0.5, at least 0.05, as in the
    networks of `docs/problems/queueing.md`; arrivals are then scaled down where they would take more than 80 % of the
    links out of a node or into a destination. Drawn are, in this order, rates, destinations, sources, arrivals, seeds.
    """
    device = generator.device
    rate = torch.randint(1, _MOST_RATE + 1, (graph.num_edges,), generator=generator, device=device).double()
    if "reverse" in graph.edges:
        rate = on_both_directions(graph, rate[graph.links[0]])
    network = with_rates(graph.keep(edges=["reverse"] if "reverse" in graph.edges else []).with_edges(rate=rate))
    nodes = graph.node_segments
    count = _some(nodes.lengths, generator)
    chosen = _drawn(nodes, count, generator)
    destination = nodes.position[chosen]
    layers = Segments.from_lengths(count)
    copies, own = nodes.select(layers.index)
    home = torch.zeros(copies.num_rows, dtype=torch.bool, device=device)
    home[copies.ptr[:-1] + destination] = True
    sources = _drawn(copies, _some(copies.lengths - 1, generator), generator, without=home)
    shape = torch.full((copies.num_rows,), _SHAPE, dtype=torch.float64, device=device)
    drawn = torch._standard_gamma(shape, generator) * _SCALE
    arrival = torch.zeros(copies.num_rows, dtype=torch.float64, device=device)
    arrival[sources] = drawn[sources].clamp(min=0.05)
    arrival = arrival * _calmed(network, layers, destination, arrival, own)[layers.index][copies.index]
    instance = layered(network, layers, destination, arrival)
    seeds = with_seeds(graph.keep(), generator).graphs["seed"]
    return prepared(instance).with_graphs(seed=seeds)


def _calmed(network: GraphBatch, layers: Segments, destination: Tensor, arrival: Tensor, own: Tensor) -> Tensor:
    """[B] float64: by what to multiply the arrivals of each network, at most 1; own: the node of each row of them."""
    rate, (source, end) = network.edges["rate"], network.edge_index
    out, into, sent = (torch.zeros(network.num_nodes, dtype=torch.float64, device=network.device) for _ in range(3))
    out.index_add_(0, source, rate)
    into.index_add_(0, end, rate)
    sent.index_add_(0, own, arrival)
    copies, _ = network.node_segments.select(layers.index)
    wanted = segment_sum(arrival, copies) / into[network.node_ptr[:-1][layers.index] + destination]
    busiest = torch.maximum(segment_max(sent / out, network.node_segments), segment_max(wanted, layers))
    return (_BUSIEST / busiest).clamp(max=1)


def _some(size: Tensor, generator: torch.Generator) -> Tensor:
    """[G] int64: 20 to 40 % of each `size` [G], at least one."""
    share = 0.2 + 0.2 * torch.rand(size.numel(), generator=generator, device=generator.device)
    return (share * size).round().long().clamp(min=1)


def _drawn(rows: Segments, count: Tensor, generator: torch.Generator, without: Tensor | None = None) -> Tensor:
    """The rows of `count` [G] different ones of each group of `rows`, by rising row, none of those `without` [M]."""
    key = torch.rand(rows.num_rows, generator=generator, device=generator.device, dtype=torch.float64)
    if without is not None:
        key = key + without
    order = torch.argsort(rows.index + key / 2)
    chosen = torch.zeros(rows.num_rows, dtype=torch.bool, device=generator.device)
    chosen[order] = rows.position < count[rows.index]
    return chosen.nonzero().squeeze(1)


MULTI_HOP = Problem(
    name="multi-hop",
    summary="bias back-pressure so that packets find their way through a network",
    objective="backlog",
    environment=MultiHop(horizon=200, hold=50, reward="log"),
    topology="barabasi-albert:m=2",
    sizes=(10, 11, 12, 13, 14),
    laws={"random": random_demand},
    baselines={
        "spbp": _with_bias("shortest-path"),
        "hop-bias": _with_bias("hops"),
        "back-pressure": _with_bias("none"),
        "shortest-path": ControlRule(no_bias, _routed),
    },
    training=CONTROL
    | {
        "encoder": {"kind": "gin"},  # which reads edges
        "ppo": CONTROL["ppo"] | {"discount": 0.9, "normalize_values": True, "minibatch_size": 128},
        "collection": {"steps": {"num_envs": 128, "num_steps": 4, "copies": 8}},
        "validation": {"graphs": 4, "every": 20},
    },
)
MULTI_HOP_LINKS = Problem(
    name="multi-hop-links",
    summary="let every link of a network decide which class of packets it serves",
    objective="backlog",
    environment=MultiHopLinks(horizon=1000),
    topology="barabasi-albert:m=2",
    sizes=(10, 11, 12, 13, 14),
    laws={"random": random_demand},
    baselines={
        "spbp": ControlRule(partial(by_back_pressure, bias=shortest_path_bias)),
        "hop-bias": ControlRule(partial(by_back_pressure, bias=hop_bias)),
        "back-pressure": ControlRule(
            partial(by_back_pressure, bias=lambda state: torch.zeros_like(state.edges["rate"]))
        ),
        "shortest-path": ControlRule(no_bias, _routed),
    },
    training=CONTROL
    | {
        "encoder": {"kind": "gin"},  # which reads edges
        "validation": {"sizes": (10, 14), "graphs": 8},  # larger networks have more classes than there are columns for
    },
)
