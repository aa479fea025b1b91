"""Shortest-path routing: packets go where fewer hops are left, and wait at the links."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Step
from graphwright.core.segment import lexsort, rank_in_groups, segment_sum
from graphwright.envs.queueing.multi_hop.environment import MultiHop
from graphwright.envs.queueing.multi_hop.layers import link_groups
from graphwright.envs.queueing.network import ARRIVALS, advanced


@dataclass(frozen=True)
class ShortestPathRouting(MultiHop):
    """The multi-hop network in which nothing is decided: what the policy says is not used.

    State: adds the edge column `waiting` [E] int64, what waits at each link of each class; `queue` is what came to a
        node in the last slot.
    Dynamics: what came to a node is shared out over its links in proportion to w = 1 / (1 + h_j), h_j the hops from
        their end to the destination, of those that do not lead further from it: whole numbers, rounded down, what is
        left to the links of largest w. Each link then sends its rate, of its classes in proportion to what waits of
        each, which is what first come, first served comes to in the mean. Packets at their destination leave, packets
        arrive, and the backlog is counted.

    That is the routing whose backlogs were published with the networks that `docs/problems/queueing.md` names.
    """

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        start = super().reset(instances)
        return start.with_edges(waiting=torch.zeros_like(start.edges["link"]))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        waiting = state.edges["waiting"] + _shared_out(state)
        sent = _served(state, waiting)
        came = torch.zeros_like(state.nodes["queue"]).index_add(0, state.edge_index[1], sent)
        delivered = came * state.nodes["destination"]
        arrived = self.draw(state, "arrival", state.graphs["slot"], ARRIVALS)
        queue, waiting = came - delivered + arrived, waiting - sent
        backlog = segment_sum(queue, state.node_segments) + segment_sum(waiting, state.edge_segments)
        return self.outcome(advanced(state.with_edges(waiting=waiting), queue, arrived, delivered, backlog))


def _shared_out(state: GraphBatch) -> Tensor:
    """[E] int64: what of each queue goes to each of its links."""
    hops, (source, end) = state.nodes["hops"], state.edge_index
    weight = (hops[source] >= hops[end]) / (hops[end] + 1)
    share = weight / segment_at(weight, source, state.num_nodes).clamp(min=1e-300)[source]
    queue = state.nodes["queue"]
    whole = (share * queue[source]).long()
    rest = queue - segment_at(whole, source, state.num_nodes)
    order = lexsort(state.edges["link"], -weight, source)
    return whole + (rank_in_groups(order, source, state.num_nodes) < rest[source])


def _served(state: GraphBatch, waiting: Tensor) -> Tensor:
    """[E] int64: what each link sends of each class."""
    order, links = link_groups(state)
    of_link = torch.empty_like(order)
    of_link[order] = links.index
    total = segment_sum(waiting[order], links)
    rate = state.edges["rate"].long()
    sent = torch.minimum(rate, total[of_link])
    exact = waiting * sent
    share = exact // total.clamp(min=1)[of_link]
    left = exact - share * total[of_link]
    rest = sent - segment_sum(share[order], links)[of_link]
    order = order[lexsort(-left[order], of_link[order])]
    return share + (rank_in_groups(order, of_link, links.num_groups) < rest)


def segment_at(values: Tensor, group: Tensor, num_groups: int) -> Tensor:
    """[G]: the sum of `values` [M] of each `group` [M]."""
    return torch.zeros(num_groups, dtype=values.dtype, device=values.device).index_add(0, group, values)
