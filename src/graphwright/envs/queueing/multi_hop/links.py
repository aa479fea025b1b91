"""The multi-hop network in which every link decides which class it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Segments, Step, per_decider
from graphwright.core.segment import segment_max
from graphwright.envs.environment import Environment
from graphwright.envs.queueing.multi_hop.environment import MultiHop, back_pressure
from graphwright.envs.queueing.multi_hop.layers import link_groups
from graphwright.envs.queueing.multi_hop.packets import PacketNetwork
from graphwright.envs.randomness import DRAWS, graph_streams, mix, uniform

EdgeNumbers = Callable[[GraphBatch], Tensor]
"""From states to a number of each of their edges, [E] float64."""
_ORDER = DRAWS - 1  # which number of a slot decides in which order links act


class LinkNetwork(NamedTuple):
    """The network itself, out of its layers.

    graph: its nodes and links, without columns. edge: [L, classes] int64, the edge of each class in the layered graph;
    -1 where there is none. node: [N, classes] int64, likewise the nodes.
    """

    graph: GraphBatch
    edge: Tensor
    node: Tensor


@dataclass(frozen=True)
class MultiHopLinks(PacketNetwork):
    """Every link decides which class of packets it serves, or idles; all at once, and they act in random order.

    Instance, state and delivery: those of all `PacketNetwork`s; reward: minus the backlog. The network that is observed
    has one node for each node and one directed edge for each link, with a column for each class, of which there are at
    most `classes`.
    Observation: per node `waiting` and `destination` of each class; per link `rate`, `pressure` (Q_i − Q_j) and
        `nearer` (how much nearer the destination it leads, per largest distance) of each class.
    Action: of each link a class with Q_i > 0 that it can bring nearer or further, by its number; or to idle, always.
    Random: in each slot also the order in which links act: those that serve one queue take what is left.
    """

    classes: int = 8
    """The most classes that a network has."""

    @property
    @override
    def features(self) -> Features:
        each = self.classes
        return Features(
            nodes={"waiting": each, "destination": each}, edges={"rate": 1, "pressure": each, "nearer": each}
        )

    @property
    @override
    def actions(self) -> ActionSpec:
        return ActionSpec(per_decider("class", self.classes + 1), decider="edges")

    @override
    def observe(self, state: GraphBatch) -> Observation:
        links, (source, end) = network(state, self.classes), state.edge_index
        queue, distance = state.nodes["queue"], state.nodes["distance"]
        far = segment_max(distance, state.node_segments).clamp(min=1e-9)
        pressure = (queue[source] - queue[end]).double()
        signed = pressure.sign().float() * self.seen(pressure.abs())
        nearer = ((distance[source] - distance[end]) / far[state.edge_graph]).float()
        first = links.edge.amax(1)
        graph = links.graph.with_nodes(
            waiting=_filled(self.seen(queue), links.node),
            destination=_filled(state.nodes["destination"].float(), links.node),
        ).with_edges(
            rate=self.seen(state.edges["rate"][first]),
            pressure=_filled(signed, links.edge),
            nearer=_filled(nearer, links.edge),
        )
        able = _filled((queue[source] > 0).float(), links.edge) > 0
        return Observation(graph, (torch.cat([able, torch.ones_like(able[:, :1])], dim=1),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        links = network(state, self.classes)
        padded = torch.nn.functional.pad(links.edge, (0, 1), value=-1)
        edge = padded.gather(1, action.unsqueeze(1)).squeeze(1)
        chosen = torch.zeros(state.num_edges, dtype=torch.bool, device=state.device)
        chosen[edge[edge >= 0]] = True
        stream = mix(graph_streams(state)[state.edge_graph] + state.edges["link"])
        order = uniform(stream, state.graphs["slot"][state.edge_graph], _ORDER)
        return self.outcome(self.send(state, chosen, order))


def network(state: GraphBatch, classes: int) -> LinkNetwork:
    """The networks that the layers of `state` are copies of. Raises ValueError where one has more than `classes`."""
    most = int(state.graphs["num_classes"].amax()) if state.num_graphs else 0
    if most > classes:
        raise ValueError(f"--environment.classes {classes}: a network has {most}; give at least so many")
    nodes = Segments.from_lengths(state.node_segments.lengths // state.graphs["num_classes"].clamp(min=1))
    layer, named = state.nodes["layer"], nodes.ptr[:-1][state.node_graph] + state.nodes["place"]
    rank = torch.full((nodes.num_rows,), -1, device=state.device)
    rank[named[layer == 0]] = torch.arange(nodes.num_rows, device=state.device)  # nodes stand as in the first layer
    row = rank[named]
    node = torch.full((nodes.num_rows, classes), -1, device=state.device)
    node[row, layer] = torch.arange(state.num_nodes, device=state.device)
    order, groups = link_groups(state)
    source, end = row[state.edge_index]
    used = groups.lengths > 0
    first = order[groups.ptr[:-1][used]]
    rank = torch.argsort(end[first] * max(nodes.num_rows, 1) + source[first])
    place = torch.full((groups.num_groups,), -1, device=state.device)
    place[used.nonzero().squeeze(1)[rank]] = torch.arange(rank.numel(), device=state.device)
    edge = torch.full((rank.numel(), classes), -1, device=state.device)
    edge[place[groups.index], layer[state.edge_index[0][order]]] = order
    share = torch.bincount(state.edge_graph[first], minlength=state.num_graphs)
    ends = torch.stack([source[first], end[first]])[:, rank]
    return LinkNetwork(GraphBatch(ends, nodes.ptr, Segments.from_lengths(share).ptr), edge, node)


def by_back_pressure(environment: Environment, state: GraphBatch, *, bias: EdgeNumbers) -> Tensor:
    """[D] int64: the class that back-pressure takes on each link, with that bias."""
    assert isinstance(environment, MultiHopLinks)
    chosen, _ = back_pressure(state, bias(state))
    taken = _filled(chosen.float(), network(state, environment.classes).edge) > 0
    return torch.where(taken.any(1), taken.int().argmax(1), environment.classes)


def as_multi_hop(environment: PacketNetwork, kind: type[MultiHop]) -> MultiHop:
    """An environment of another `kind` with the options that all have."""
    return kind(**{each.name: getattr(environment, each.name) for each in fields(PacketNetwork)})


def _filled(values: Tensor, rows: Tensor) -> Tensor:
    """[R, classes]: `values` at `rows` [R, classes], 0 where there is none."""
    return torch.where(rows >= 0, values[rows.clamp(min=0)], 0)
