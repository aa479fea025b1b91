"""Packets that travel over several links to where they are wanted: what is known of them, and one slot of delivery."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, GraphError
from graphwright.core.segment import lexsort, segment_sum
from graphwright.envs.queueing.count_laws import CATEGORICAL
from graphwright.envs.queueing.instances import prepared
from graphwright.envs.queueing.multi_hop.layers import from_demand
from graphwright.envs.queueing.network import ARRIVALS, QueueingNetwork, advanced
from graphwright.envs.readable import Inputs


@dataclass(frozen=True)
class PacketNetwork(QueueingNetwork):
    """A multi-hop network, whatever decides which links serve whom.

    Instance: a copy of the network for each class of packets, that is for each destination, joined into one graph: its
        nodes are (class, node). Node columns `arrival` [N] float64, `destination` [N] bool, `distance` [N] float64 to
        the destination, a link as long as 1 / rate, `hops` likewise with links of length 1, `reaches` [N] bool, whether
        there is a path, `place` and `layer` [N] int64, which node and which class; edge columns `rate` [E] float64,
        packets a slot, and `link` [E] int64, which link. Graph columns `num_links`, `num_classes` [B] int64.
    State: as of all queueing networks; destinations hold no packets.
    Random: in each slot what arrives from outside, by (class, node).
    Delivery: what comes to a node is not sent on in the same slot. Packets at their destination leave; then the backlog
        is counted, and then packets arrive.
    """

    inputs = Inputs(
        nodes=("arrivals", "class"),
        edges=("rate",),
        graphs=("distribution", "law", "seed"),
        parallel="each carry their own rate",
    )
    load_bound = "what all links can carry at most of these arrivals, shared out in the best way"

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The layers of each network. Raises GraphError for rates that are none, and for a class without a path."""
        if "reaches" in graph.nodes and "num_links" in graph.graphs:
            return graph
        if graph.num_graphs != 1 or "arrivals" not in graph.nodes or graph.nodes["arrivals"].dim() != 2:
            raise GraphError("the nodes have no 'arrivals'; give sources the attribute {destination: packets a slot}")
        ready = prepared(graph)
        if bool((ready.graphs["law"] == CATEGORICAL).any()):
            raise GraphError("packets have no categorical arrivals; give poisson, bernoulli, uniform or fixed")
        found = from_demand(graph, graph.nodes["arrivals"], ready.graphs["law"])
        return found.with_graphs(law=ready.graphs["law"], seed=ready.graphs["seed"])

    @override
    def has_queue(self, instances: GraphBatch) -> Tensor:
        return instances.nodes["reaches"] & ~instances.nodes["destination"]

    def send(self, state: GraphBatch, chosen: Tensor, priority: Tensor) -> GraphBatch:
        """The state after a slot in which links serve the classes of the edges `chosen` [E] bool, by falling `priority`
        [E]."""
        queue, (source, end) = state.nodes["queue"], state.edge_index
        sent = sent_over(state, chosen, priority)
        came = torch.zeros_like(queue).index_add(0, end, sent)
        left = queue - torch.zeros_like(queue).index_add(0, source, sent)
        delivered = came * state.nodes["destination"]
        waiting = left + came - delivered
        arrived = self.draw(state, "arrival", state.graphs["slot"], ARRIVALS)
        backlog = segment_sum(waiting, state.node_segments)
        return advanced(state, waiting + arrived, arrived, delivered, backlog)

    @override
    def load(self, instances: GraphBatch) -> Tensor:
        from graphwright.envs.queueing.multi_hop.capacity import load

        return load(instances)


def sent_over(state: GraphBatch, chosen: Tensor, priority: Tensor) -> Tensor:
    """[E] int64: what the edges `chosen` [E] bool send, those of one queue by falling `priority` [E].

    Of equals the last link sends first, as it did where the published figures of SPBP come from.
    """
    rows = chosen.nonzero().squeeze(1)
    source = state.edge_index[0]
    rows = rows[lexsort(-state.edges["link"][rows], -priority[rows], source[rows])]
    rate = state.edges["rate"][rows].long()
    before = rate.cumsum(0) - rate
    queues = source[rows]
    first = torch.ones_like(queues, dtype=torch.bool)
    first[1:] = queues[1:] != queues[:-1]
    before = before - before[first][first.cumsum(0) - 1]
    sent = torch.zeros_like(source)
    sent[rows] = torch.minimum((state.nodes["queue"][queues] - before).clamp(min=0), rate)
    return sent
