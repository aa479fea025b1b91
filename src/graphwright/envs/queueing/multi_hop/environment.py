"""Packets travel over several links to where they are wanted; the policy biases back-pressure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_decider
from graphwright.core.numbers import require
from graphwright.core.segment import Segments, segment_argmax
from graphwright.envs.queueing.multi_hop.layers import link_groups
from graphwright.envs.queueing.multi_hop.packets import PacketNetwork

_PER_HOP = 16.0  # packets: of 0.5 to 16, the best on random networks
_SAME = 1e-9  # of distances: what is nearer than this is as far


@dataclass(frozen=True)
class MultiHop(PacketNetwork):
    """Back-pressure with a bias of each node and class, which the policy sets anew in every slot.

    Instance, state and delivery: those of all `PacketNetwork`s.
    Observation: per node `waiting`, `arrival`, `distance` (per largest of its graph), `destination`, `elsewhere` (what
        waits at the same node for other destinations) and `gradient` (the largest difference of queues over its links);
        per edge `rate`, `nearer` (how much nearer the destination a link leads, per largest distance) and `pressure`.
    Action: of each (class, node) but destinations, a number b between -1 and 1.
    Dynamics: the weight of class k on link (i, j) is Q_i − Q_j + bias, with bias = `strength` · (b_i − b_j), and what
        `bias` names (`shortest_path_bias`, `hop_bias`) more. Each link takes the class of largest weight of
        those with Q_i > 0, the first of equals; each node serves its links by falling weight · rate, none of weight 0
        or less, and sends min(rate, what is left).
    Reward: minus the backlog.
    """

    bias: Literal["shortest-path", "hops", "none"] = "shortest-path"
    """What the policy's bias is added to."""
    strength: float = 32.0
    """Packets by which a bias of 1 counts."""
    hold: int = 1
    """While learning, a bias is kept for so many slots, whose mean backlog is what it costs: its effect shows late."""

    features = Features(
        nodes=dict.fromkeys(("waiting", "arrival", "distance", "destination", "elsewhere", "gradient"), 1),
        edges=dict.fromkeys(("rate", "nearer", "pressure"), 1),
    )
    actions = ActionSpec(per_decider("bias", continuous=1), decider="nodes")

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no environment."""
        super().__post_init__()
        require("environment.hold", self.hold)

    @override
    def without_cuts(self) -> MultiHop:
        return replace(self, horizon=0, backlog_limit=0.0, initial_queue=0, hold=1)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        queue, (source, end) = state.nodes["queue"], state.edge_index
        destination, distance = state.nodes["destination"], state.nodes["distance"]
        far = torch.ones(state.num_graphs, dtype=torch.float64, device=state.device) * _SAME
        far = far.scatter_reduce(0, state.node_graph, distance, "amax")
        pressure = (queue[source] - queue[end]).double()
        gradient = torch.zeros_like(distance).scatter_reduce(0, source, pressure, "amax")
        graph = state.keep(nodes=["destination"]).with_nodes(
            waiting=self.seen(queue),
            arrival=self.seen(state.nodes["arrival"]),
            distance=(distance / far[state.node_graph]).float(),
            elsewhere=self.seen(_at_same_place(state) - queue),
            gradient=self.seen(gradient),
            acts=~destination,
        )
        nearer = (distance[source] - distance[end]) / far[state.edge_graph]
        signed = pressure.sign().float() * self.seen(pressure.abs())
        graph = graph.with_edges(rate=self.seen(state.edges["rate"]), nearer=nearer.float(), pressure=signed)
        return Observation(graph, (torch.ones_like(destination[~destination]),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        destination = state.nodes["destination"]
        potential = torch.zeros_like(state.nodes["distance"])
        potential[~destination] = action[:, 0].double()
        source, end = state.edge_index
        bias = self.strength * (potential[source] - potential[end])
        if self.bias != "none":
            bias = bias + BIASES[self.bias](state)
        cost = torch.zeros_like(state.graphs["backlog"])
        for _ in range(self.hold):
            chosen, weight = back_pressure(state, bias)
            state = self.send(state, chosen, weight * state.edges["rate"])
            cost = cost + state.graphs["backlog"]
        return self.outcome(state, cost / self.hold)


def shortest_path_bias(state: GraphBatch) -> Tensor:
    """[E] float64: 1 / Δ of each link and class, Δ = d_i − d_j how much nearer its destination it leads; 0 where Δ = 0.

    Neely, Modiano & Rohrs (2005), "Dynamic power allocation and routing for time-varying wireless networks", bias
    back-pressure by distances.
    """
    distance, (source, end) = state.nodes["distance"], state.edge_index
    nearer = distance[source] - distance[end]
    return torch.where(nearer.abs() < _SAME, 0.0, 1 / torch.where(nearer.abs() < _SAME, 1.0, nearer))


def hop_bias(state: GraphBatch) -> Tensor:
    """[E] float64: 16 packets for each hop that a link leads nearer the destination; negative where it leads away."""
    hops, (source, end) = state.nodes["hops"], state.edge_index
    return _PER_HOP * (hops[source] - hops[end])


BIASES = {"shortest-path": shortest_path_bias, "hops": hop_bias}


def back_pressure(state: GraphBatch, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The class of each link by largest Q_i − Q_j + `bias` [E], of those with Q_i > 0: [E] bool; and that weight [E].

    Tassiulas & Ephremides (1992), "Stability properties of constrained queueing systems and scheduling policies for
    maximum throughput in multihop radio networks".
    """
    queue, (source, end) = state.nodes["queue"], state.edge_index
    weight = (queue[source] - queue[end]).double() + bias
    able = weight.masked_fill(queue[source] == 0, -torch.inf)
    return chosen_classes(state, able) & (able > 0), weight


def chosen_classes(state: GraphBatch, value: Tensor) -> Tensor:
    """[E] bool: of each link the edge, that is the class, of largest `value` [E]; none where all are -inf."""
    order, links = link_groups(state)
    best = segment_argmax(value[order], links)
    chosen = torch.zeros_like(value, dtype=torch.bool)
    rows = (links.ptr[:-1] + best)[best >= 0]
    chosen[order[rows]] = True
    return chosen


def _at_same_place(state: GraphBatch) -> Tensor:
    """[N] int64: what waits at each node, for whatever destination."""
    sizes = state.node_segments.lengths // state.graphs["num_classes"].clamp(min=1)
    places = Segments.from_lengths(sizes)
    row = places.ptr[:-1][state.node_graph] + state.nodes["place"]
    queue = state.nodes["queue"]
    return torch.zeros(places.num_rows, dtype=queue.dtype, device=queue.device).index_add(0, row, queue)[row]
