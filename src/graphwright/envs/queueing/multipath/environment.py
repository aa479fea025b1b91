"""One stream of packets, several servers to route it to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, GraphError, Observation, Step, per_node
from graphwright.core.segment import lexsort, segment_argmax, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.queueing.count_laws import CATEGORICAL, draw_counts, means_of
from graphwright.envs.queueing.instances import CONTROL, joined, prepared
from graphwright.envs.queueing.network import ARRIVALS, SERVICES, QueueingNetwork, advanced
from graphwright.envs.randomness import graph_streams, uniform, with_seeds
from graphwright.envs.readable import Inputs


@dataclass(frozen=True)
class Multipath(QueueingNetwork):
    """All packets of a slot go to one of K servers, which is chosen before it is known how many they are.

    Instance: the node column `service` [N] float64, packets a slot in the mean; the graph column `arrival` [B] float64,
        packets a slot of the one stream; servers have no links, and all see each other.
    Observation: per node `waiting`, `service`, `delay` (what a packet would wait, (Q + 1) / μ); per graph `arrival`.
    Action: a server.
    Random: in each slot how many packets arrive; then what each server could serve, by node.
    Dynamics: Q ← max(Q − Y, 0) + x · a, with x the arrivals and a the server that is chosen. The backlog ΣQ is counted
        at the beginning of a slot.
    Reward: minus the backlog that the slot leaves.
    """

    features = Features(nodes=dict.fromkeys(("waiting", "service", "delay"), 1), graphs={"arrival": 1})
    actions = ActionSpec(per_node("route"))
    inputs = Inputs(nodes=("service",), graphs=("arrival", "distribution", "law", "seed"))
    load_bound = "the packets that arrive against what all servers serve together"

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The servers, each pair of them joined. Raises GraphError for rates that are none."""
        graph = prepared(graph)
        law = graph.graphs["law"]
        if bool((law == CATEGORICAL).any()):
            raise GraphError("a stream has no categorical arrivals; give poisson, bernoulli, uniform or fixed")
        if "arrival" not in graph.graphs:
            raise GraphError("the graph has no attribute 'arrival'; give the packets a slot of its stream")
        arrival = graph.graphs["arrival"].double()
        if arrival.dim() != 1:
            raise GraphError("the graph's 'arrival': give one number, the packets a slot of its stream")
        stream = GraphBatch(  # the stream as one node of each graph, whose law is checked as that of nodes is
            torch.empty(2, 0, dtype=torch.int64),
            torch.arange(graph.num_graphs + 1),
            torch.zeros(graph.num_graphs + 1, dtype=torch.int64),
            nodes={"arrival": arrival},
        )
        try:
            means_of(stream, "arrival", law)
        except GraphError as wrong:
            told = str(wrong).removeprefix("node column ").replace(" at node 0", "")
            raise GraphError(f"the graph's {told}") from None
        means = means_of(graph, "service", law)
        kept = graph.keep(["number"], graphs=["law", "seed"]).with_nodes(**means)
        return joined(kept.with_graphs(arrival=arrival))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        queue, service = state.nodes["queue"], state.nodes["service"]
        graph = state.keep().with_nodes(
            waiting=self.seen(queue),
            service=self.seen(service),
            delay=self.seen(_delay(state).clamp(max=1e6)),
        )
        graph = graph.with_graphs(arrival=self.seen(state.graphs["arrival"]))
        return Observation(graph, (torch.ones_like(queue, dtype=torch.bool),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        queue, slot = state.nodes["queue"], state.graphs["slot"]
        departed = torch.minimum(queue, self.draw(state, "service", slot, SERVICES))
        stream = GraphBatch(
            state.edge_index[:, :0],
            torch.arange(state.num_graphs + 1, device=state.device),
            torch.zeros(state.num_graphs + 1, dtype=torch.int64, device=state.device),
            nodes={"arrival": state.graphs["arrival"]},
            graphs={"law": state.graphs["law"]},
        )
        came = draw_counts(stream, "arrival", uniform(graph_streams(state), slot, ARRIVALS))
        chosen = state.node_segments.position == action[state.node_graph]
        arrived = came[state.node_graph] * chosen
        return self.outcome(advanced(state, queue - departed + arrived, arrived, departed))

    @override
    def load(self, instances: GraphBatch) -> Tensor:
        served = segment_sum(instances.nodes["service"], instances.node_segments)
        return (instances.graphs["arrival"] / served).nan_to_num(nan=0.0, posinf=torch.inf)


def shortest_queue(environment: Environment, state: GraphBatch) -> Tensor:
    """[B] int64: the server with the shortest queue, the first of equals by number."""
    return _least(state, state.nodes["queue"].double())


def expected_wait(environment: Environment, state: GraphBatch) -> Tensor:
    """[B] int64: the server of least (Q + 1) / μ, the first of equals by number."""
    return _least(state, _delay(state))


def _delay(state: GraphBatch) -> Tensor:
    return (state.nodes["queue"] + 1) / state.nodes["service"].clamp(min=1e-300)


def _least(state: GraphBatch, value: Tensor) -> Tensor:
    order = lexsort(state.nodes["number"], state.node_graph)
    best = segment_argmax(-value[order], state.node_segments)
    return state.node_segments.position[order[state.node_ptr[:-1] + best]]


def random_servers(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Services uniform in 0.5 to 5 a slot, and a stream of 60 to 95 % of what they serve together."""
    service = 0.5 + 4.5 * torch.rand(graph.num_nodes, generator=generator, dtype=torch.float64)
    load = 0.6 + 0.35 * torch.rand(graph.num_graphs, generator=generator, dtype=torch.float64)
    arrival = load * segment_sum(service, graph.node_segments)
    drawn = graph.keep().with_nodes(service=service).with_graphs(arrival=arrival)
    return Multipath().instance(with_seeds(drawn, generator))


MULTIPATH = Problem(
    name="multipath",
    summary="route one stream of packets to servers of different speed",
    objective="backlog",
    environment=Multipath(horizon=1000),
    topology="erdos-renyi:p=1",
    sizes=(3, 4, 5),
    laws={"random": random_servers},
    baselines={"expected-wait": ControlRule(expected_wait), "shortest-queue": ControlRule(shortest_queue)},
    training=CONTROL | {"algorithm": "policy-iteration"},
)
