"""Servers that choose which class of jobs to serve, in continuous time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_decider, per_neighbour
from graphwright.core.segment import lexsort, rank_in_groups, segment_max, segment_sum
from graphwright.envs.queueing.multiclass.instances import ROUTES, SERVES, read
from graphwright.envs.queueing.network import QueueingNetwork
from graphwright.envs.randomness import graph_streams, uniform
from graphwright.envs.readable import Inputs

_EVENT, _ROUTE = 0, 1  # which number of a slot is whose
_TYPES = 4


@dataclass(frozen=True)
class Multiclass(QueueingNetwork):
    """Jobs of several classes wait at servers, each of which serves one class at a time and may change at any event.

    Arrivals are Poisson, services exponential and preemptive; a slot is an event of the uniformised chain, in which
    events happen at the rate Λ = Σ arrivals + Σ over servers of their fastest service, many of them without effect.
    Averages over slots are then averages over time.

    Instance: a directed graph of servers and classes. Node columns `server` [N] bool, `arrival` [N] float64, jobs a
        unit of time, `cost` [N] float64 of each waiting job, `stages` [N] float64, how many services a job of the class
        has before it in the mean, this one included. Edge columns `type` [E] int64: 0 from a server to a class that it
        serves, 1 back, 2 from a class to the one that its jobs become, 3 back; `service` [E] float64, jobs a unit of
        time (types 0 and 1); `chance` [E] float64 (types 2 and 3); with what is left, jobs leave. Graph column `rate`
        [B] float64, Λ.
    State: as of all queueing networks, `queue` with those in service; its `backlog` is Σ cost · queue.
    Observation: per node `waiting`, `server`, `arrival`, `cost`, `stages`; per edge `service`, `chance` and type. All
        rates are in Λ times the number of nodes.
    Action: of each server, a class of its own that is not empty; to idle where, and only where, all are empty.
    Random: in each slot which event happens: the arrivals by class, then the services by server, then nothing; and
        where the job goes that was served.
    Dynamics: several servers that choose one class serve different jobs of it, the fastest first; who finds none idles.
    Reward: minus the backlog after the event.
    """

    idling: bool = False
    """Servers may idle at any time."""

    features = Features(
        nodes=dict.fromkeys(("waiting", "server", "arrival", "cost", "stages"), 1),
        edges=dict.fromkeys(("service", "chance"), 1),
        edge_types=_TYPES,
    )
    actions = ActionSpec(per_neighbour("serve"), per_decider("idle"), decider="nodes")
    inputs = Inputs(
        nodes=("arrival", "cost"),
        edges=("service", "probability"),
        graphs=("seed",),
        marks=("server",),
        parallel="are each kept",
    )
    load_bound = "the work that arrives at each server, shared out among those that can do it in the best way"

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The network with what follows from it. Raises GraphError for rates and chances that are none."""
        return graph if "stages" in graph.nodes and "rate" in graph.graphs else read(graph)

    @override
    def has_queue(self, instances: GraphBatch) -> Tensor:
        return ~instances.nodes["server"]

    @override
    def observe(self, state: GraphBatch) -> Observation:
        server, queue = state.nodes["server"], state.nodes["queue"]
        unit = state.graphs["rate"] / state.node_segments.lengths
        graph = state.keep(nodes=["server"], edges=["type"]).with_nodes(
            waiting=self.seen(queue),
            arrival=(state.nodes["arrival"] / unit[state.node_graph]).float(),
            cost=state.nodes["cost"].float(),
            stages=self.seen(state.nodes["stages"]),
            acts=server,
        )
        graph = graph.with_edges(
            service=(state.edges["service"] / unit[state.edge_graph]).float(), chance=state.edges["chance"].float()
        )
        rows, out = state.out_edges
        able = (state.edges["type"] == SERVES) & (queue[state.edge_index[1]] > 0)
        own, chosen = out.select(server.nonzero().squeeze(1))
        serve = able[rows[chosen]]
        idle = segment_sum(serve, own) == 0
        return Observation(graph, (serve, torch.ones_like(idle) if self.idling else idle))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        """Whatever happens next."""
        queue, slot = state.nodes["queue"], state.graphs["slot"]
        serving, rate = _assigned(state, action)
        weight = state.nodes["arrival"] + rate
        streams = graph_streams(state)
        event = uniform(streams, slot, _EVENT) * state.graphs["rate"]
        node = _first_beyond(state, weight, event)
        happens = node >= 0
        at = node.clamp(min=0)
        served = happens & state.nodes["server"][at]
        change = torch.zeros_like(queue)
        came = (happens & ~served).nonzero().squeeze(1)
        change.index_add_(0, at[came], torch.ones_like(came))
        done = served.nonzero().squeeze(1)
        finished = serving[at[done]]
        change.index_add_(0, finished, -torch.ones_like(done))
        goes = _next_class(state, finished, uniform(streams[done], slot[done], _ROUTE))
        stays = (goes >= 0).nonzero().squeeze(1)
        change.index_add_(0, goes[stays], torch.ones_like(stays))
        left = torch.zeros(state.num_graphs, dtype=torch.float64, device=state.device)
        left[done[(goes < 0).nonzero().squeeze(1)]] = 1
        following = state.with_nodes(queue=queue + change)
        following = following.with_graphs(
            slot=slot + 1,
            backlog=segment_sum(following.nodes["queue"] * state.nodes["cost"], state.node_segments),
            arrived=(happens & ~served).double(),
            departed=left,
        )
        return self.outcome(following)

    @override
    def load(self, instances: GraphBatch) -> Tensor:
        from graphwright.envs.queueing.multiclass.capacity import load

        return load(instances)


def _assigned(state: GraphBatch, action: Tensor) -> tuple[Tensor, Tensor]:
    """[N] int64, the class that each server serves, -1 where it idles; [N] float64, at what rate it does, else 0."""
    rows, out = state.out_edges
    servers = state.nodes["server"].nonzero().squeeze(1)
    start, degree = out.ptr[:-1][servers], out.lengths[servers]
    busy = ((action >= 0) & (action < degree)).nonzero().squeeze(1)
    edge = rows[(start + action)[busy]]
    chosen = state.edge_index[1][edge]
    service = state.edges["service"][edge]
    order = lexsort(state.nodes["number"][servers[busy]], -service, chosen)
    place = rank_in_groups(order, chosen, state.num_nodes)
    works = (place < state.nodes["queue"][chosen]) & (state.edges["type"][edge] == SERVES)
    serving = torch.full_like(state.nodes["queue"], -1)
    rate = torch.zeros_like(state.nodes["arrival"])
    serving[servers[busy][works]] = chosen[works]
    rate[servers[busy][works]] = service[works]
    return serving, rate


def _first_beyond(state: GraphBatch, weight: Tensor, threshold: Tensor) -> Tensor:
    """[B] int64: the node at which the sum of `weight` [N], by rising number, first exceeds `threshold`; -1: nowhere.

    Classes come before servers.
    """
    late = state.nodes["server"] * (state.num_nodes + 1)
    order = lexsort(late + state.nodes["number"], state.node_graph)
    total = weight[order].cumsum(0)
    before = torch.nn.functional.pad(total, (1, 0))[state.node_ptr[:-1]]
    beyond = total - before[state.node_graph] > threshold[state.node_graph]
    count = segment_sum(beyond, state.node_segments)
    place = state.node_ptr[1:] - count  # all from there on are beyond it
    return torch.where(count > 0, order[place.clamp(max=order.numel() - 1)], -1)


def _next_class(state: GraphBatch, finished: Tensor, uniforms: Tensor) -> Tensor:
    """[F] int64: the class that each job of class `finished` [F] becomes, -1 where it leaves."""
    rows, out = state.out_edges
    own, chosen = out.select(finished)
    edge = rows[chosen]
    chance = torch.where(state.edges["type"][edge] == ROUTES, state.edges["chance"][edge], 0.0)
    order = lexsort(state.nodes["number"][state.edge_index[1][edge]], own.index)
    total = chance[order].cumsum(0)
    before = torch.nn.functional.pad(total, (1, 0))[own.ptr[:-1]]
    beyond = (total - before[own.index] > uniforms[own.index]) & (chance[order] > 0)
    first = torch.where(beyond, -own.position.double(), -torch.inf)
    place = segment_max(first, own, empty=-torch.inf)
    goes = torch.full_like(finished, -1)
    hit = place.isfinite()
    goes[hit] = state.edge_index[1][edge[order[(own.ptr[:-1] - place.nan_to_num(neginf=0).long())[hit]]]]
    return goes
