"""Packets travel over several links to where they are wanted; the policy biases back-pressure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, GraphError, Observation, Step, per_decider
from graphwright.core.segment import Segments, segment_argmax, segment_sum
from graphwright.envs.queueing.instances import prepared
from graphwright.envs.queueing.multi_hop.layers import from_demand, link_groups
from graphwright.envs.queueing.network import ARRIVALS, QueueingNetwork
from graphwright.envs.readable import Inputs

_SAME = 1e-9  # of distances: what is nearer than this is as far


@dataclass(frozen=True)
class MultiHop(QueueingNetwork):
    """Back-pressure with a bias of each node and class, which the policy sets anew in every slot.

    Instance: a copy of the network for each class of packets, that is for each destination, joined into one graph: its
        nodes are (class, node). Node columns `arrival` [N] float64, `destination` [N] bool, `distance` [N] float64 to
        the destination, a link as long as 1 / rate, `hops` likewise with links of length 1, `reaches` [N] bool, whether
        there is a path, `place` and `layer` [N] int64, which node and which class; edge columns `rate` [E] float64,
        packets a slot, and `link` [E] int64, which link. Graph columns `num_links`, `num_classes` [B] int64.
    State: as of all queueing networks; destinations hold no packets.
    Observation: per node `waiting`, `arrival`, `distance` (per largest of its graph), `destination`, `elsewhere` (what
        waits at the same node for other destinations) and `gradient` (the largest difference of queues over its links);
        per edge `rate`, `nearer` (how much nearer the destination a link leads, per largest distance) and `pressure`.
    Action: of each (class, node) but destinations, a number b between -1 and 1.
    Random: in each slot what arrives from outside, by (class, node).
    Dynamics: the weight of class k on link (i, j) is Q_i − Q_j + bias, with bias = `strength` · (b_i − b_j), and 1 / Δ
        more where `bias` is "shortest-path" (see `shortest_path_bias`). Each link takes the class of largest weight of
        those with Q_i > 0, the first of equals; each node serves its links by falling weight · rate, none of weight 0
        or less, and sends min(rate, what is left). What comes to a node is not sent on in the same slot. Packets at
        their destination leave; then the backlog is counted, and then packets arrive.
    Reward: minus the backlog, as it was counted.
    """

    bias: Literal["shortest-path", "none"] = "shortest-path"
    """What the policy's bias is added to."""
    strength: float = 4.0
    """Packets by which a bias of 1 counts."""

    features = Features(
        nodes=dict.fromkeys(("waiting", "arrival", "distance", "destination", "elsewhere", "gradient"), 1),
        edges=dict.fromkeys(("rate", "nearer", "pressure"), 1),
    )
    actions = ActionSpec(per_decider("bias", continuous=1), decider="nodes")
    inputs = Inputs(nodes=("arrivals", "class"), edges=("rate",), graphs=("distribution", "law", "seed"))
    load_bound = "what all links can carry at most of these arrivals, shared out in the best way"

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The layers of each network. Raises GraphError for rates that are none, and for a class without a path."""
        if "layer" in graph.nodes:
            return graph
        if graph.num_graphs != 1 or "arrivals" not in graph.nodes or graph.nodes["arrivals"].dim() != 2:
            raise GraphError("the nodes have no 'arrivals'; give sources the attribute {destination: packets a slot}")
        ready = prepared(graph)
        found = from_demand(graph, graph.nodes["arrivals"])
        return found.with_graphs(law=ready.graphs["law"], seed=ready.graphs["seed"])

    @override
    def has_queue(self, instances: GraphBatch) -> Tensor:
        return instances.nodes["reaches"] & ~instances.nodes["destination"]

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
        if self.bias == "shortest-path":
            bias = bias + shortest_path_bias(state)
        chosen, weight = back_pressure(state, bias)
        return self.send(state, chosen, weight * state.edges["rate"])

    def send(self, state: GraphBatch, chosen: Tensor, priority: Tensor) -> Step:
        """One slot in which the links serve the classes of the edges `chosen` [E] bool, by falling `priority` [E]."""
        queue, (source, end) = state.nodes["queue"], state.edge_index
        sent = sent_over(state, chosen, priority)
        came = torch.zeros_like(queue).index_add(0, end, sent)
        left = queue - torch.zeros_like(queue).index_add(0, source, sent)
        delivered = came * state.nodes["destination"]
        waiting = left + came - delivered
        slot = state.graphs["slot"]
        arrived = self.draw(state, "arrival", slot, ARRIVALS)
        segments = state.node_segments
        following = state.with_nodes(queue=waiting + arrived).with_graphs(
            slot=slot + 1,
            backlog=segment_sum(waiting, segments).double(),
            arrived=segment_sum(arrived, segments).double(),
            departed=segment_sum(delivered, segments).double(),
        )
        return self.outcome(following)

    @override
    def load(self, instances: GraphBatch) -> Tensor:
        from graphwright.envs.queueing.multi_hop.capacity import load

        return load(instances)


def shortest_path_bias(state: GraphBatch) -> Tensor:
    """[E] float64: 1 / Δ of each link and class, Δ = d_i − d_j how much nearer its destination it leads; 0 where Δ = 0.

    Neely, Modiano & Rohrs (2005), "Dynamic power allocation and routing for time-varying wireless networks", bias
    back-pressure by distances.
    """
    distance, (source, end) = state.nodes["distance"], state.edge_index
    nearer = distance[source] - distance[end]
    return torch.where(nearer.abs() < _SAME, 0.0, 1 / torch.where(nearer.abs() < _SAME, 1.0, nearer))


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


def sent_over(state: GraphBatch, chosen: Tensor, priority: Tensor) -> Tensor:
    """[E] int64: what the edges `chosen` [E] bool send, those of one queue by falling `priority` [E].

    Of equals the last link sends first, as it did where the published figures of SPBP come from.
    """
    rows = chosen.nonzero().squeeze(1)
    source = state.edge_index[0]
    for key in (-state.edges["link"], -priority, source):
        rows = rows[torch.argsort(key[rows], stable=True)]
    rate = state.edges["rate"][rows].long()
    before = rate.cumsum(0) - rate
    queues = source[rows]
    first = torch.ones_like(queues, dtype=torch.bool)
    first[1:] = queues[1:] != queues[:-1]
    before = before - before[first][first.cumsum(0) - 1]
    sent = torch.zeros_like(source)
    sent[rows] = torch.minimum((state.nodes["queue"][queues] - before).clamp(min=0), rate)
    return sent


def _at_same_place(state: GraphBatch) -> Tensor:
    """[N] int64: what waits at each node, for whatever destination."""
    sizes = state.node_segments.lengths // state.graphs["num_classes"].clamp(min=1)
    places = Segments.from_lengths(sizes)
    row = places.ptr[:-1][state.node_graph] + state.nodes["place"]
    queue = state.nodes["queue"]
    return torch.zeros(places.num_rows, dtype=queue.dtype, device=queue.device).index_add(0, row, queue)[row]
