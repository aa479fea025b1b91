"""Several queues, one server that goes where it likes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_graph, per_node
from graphwright.core.segment import segment_argmax, segment_max, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.queueing.count_laws import means_of
from graphwright.envs.queueing.instances import CONTROL, joined, prepared
from graphwright.envs.queueing.network import ARRIVALS, SERVICES, QueueingNetwork, advanced
from graphwright.envs.queueing.shares import service_ratios, shares
from graphwright.envs.randomness import with_seeds
from graphwright.envs.readable import Inputs


@dataclass(frozen=True)
class SingleHop(QueueingNetwork):
    """One server serves one of N queues in each slot, and sees how many packets each would give it.

    Instance: node columns `arrival`, `service` [N] float64, packets a slot in the mean; queues have no links, and all
        see each other.
    State: adds the node column `capacity` [N] int64, Y, what could be served of each queue in this slot.
    Observation: per node `waiting` (Q), `capacity` (Y), `able` (min(Q, Y)), the means `arrival` and `service`.
    Action: a queue i with Q_i · Y_i ≠ 0; to idle where, and only where, there is none.
    Random: in slot t the packets that arrive, by node; then the capacities of slot t + 1.
    Dynamics: Q ← max(Q − Y ∘ a, 0) + X. The backlog ΣQ is counted at the beginning of a slot, before serving.
    Reward: minus the backlog that the slot leaves.
    """

    hide_capacity: bool = False
    """The agent does not see Y, and may serve any queue that is not empty."""
    idling: bool = False
    """The server may idle, or serve a queue that gives it nothing, at any time."""

    actions = ActionSpec(per_node("serve"), per_graph("idle"))
    inputs = Inputs(nodes=("arrival", "service"), graphs=("distribution", "law", "seed"))
    load_bound = "the packets that arrive, in slots of service, against the best of all queues in each slot"

    @property
    @override
    def features(self) -> Features:
        hidden = () if self.hide_capacity else ("capacity", "able")
        return Features(nodes=dict.fromkeys(("waiting", "arrival", "service", *hidden), 1))

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The queues, each pair of them joined. Raises GraphError for rates that are none."""
        graph = prepared(graph)
        law = graph.graphs["law"]
        means = means_of(graph, "arrival", law) | means_of(graph, "service", law)
        return joined(graph.keep(["number"], graphs=["law", "seed"]).with_nodes(**means))

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        start = super().reset(instances)
        return start.with_nodes(capacity=self.draw(start, "service", start.graphs["slot"], SERVICES))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        queue, capacity = state.nodes["queue"], state.nodes["capacity"]
        gives = queue > 0 if self.hide_capacity else (queue > 0) & (capacity > 0)
        idle = segment_sum(gives, state.node_segments) == 0
        shown = {
            "waiting": queue,
            "capacity": capacity,
            "able": torch.minimum(queue, capacity),
            "arrival": state.nodes["arrival"],
            "service": state.nodes["service"],
        }
        graph = state.keep().with_nodes(**{name: self.seen(shown[name]) for name in self.features.nodes})
        if self.idling:
            return Observation(graph, (torch.ones_like(gives), torch.ones_like(idle)))
        return Observation(graph, (gives, idle))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        queue = state.nodes["queue"]
        served = state.node_segments.position == action[state.node_graph]
        departed = torch.minimum(queue, state.nodes["capacity"] * served)
        slot = state.graphs["slot"]
        arrived = self.draw(state, "arrival", slot, ARRIVALS)
        following = advanced(state, queue - departed + arrived, arrived, departed)
        return self.outcome(following.with_nodes(capacity=self.draw(state, "service", slot + 1, SERVICES)))

    @override
    def load(self, instances: GraphBatch) -> Tensor:
        """[B] float64: Σ λ / μ against the mean of the largest Y / μ in slots that are drawn, or a queue's λ / μ."""
        share, best = shares(instances), torch.zeros(instances.num_graphs, dtype=torch.float64)
        for ratio, part in service_ratios(instances):
            best += segment_max(ratio, instances.node_segments) * part
        together = segment_sum(share, instances.node_segments) / best.clamp(min=1e-300)
        return torch.maximum(together, segment_max(share, instances.node_segments))


def max_weight(environment: Environment, state: GraphBatch) -> Tensor:
    """[B] int64: the queue of largest Q · Y, or of largest Q · μ where Y is hidden; the first of equals.

    Tassiulas & Ephremides (1993), "Dynamic server allocation to parallel queues with randomly varying connectivity".
    """
    assert isinstance(environment, SingleHop)
    rate = state.nodes["service" if environment.hide_capacity else "capacity"]
    return _queue_of_most(state, state.nodes["queue"] * rate)


def longest_queue(environment: Environment, state: GraphBatch) -> Tensor:
    """[B] int64: the longest queue of those that can be served, the first of equals."""
    assert isinstance(environment, SingleHop)
    return _queue_of_most(state, state.nodes["queue"] * ((state.nodes["capacity"] > 0) | environment.hide_capacity))


def _queue_of_most(state: GraphBatch, weight: Tensor) -> Tensor:
    """[B] int64: the queue of largest `weight` [N]; to idle where all are 0."""
    best = segment_argmax(weight.double().masked_fill(weight <= 0, -torch.inf), state.node_segments)
    return torch.where(best < 0, state.node_segments.lengths, best)


def random_rates(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Services uniform in 2 to 12 a slot; arrivals that take 60 to 95 % of one server, shared out at random."""
    nodes, device = graph.num_nodes, generator.device
    service = 2 + 10 * torch.rand(nodes, generator=generator, device=device, dtype=torch.float64)
    share = torch.rand(nodes, generator=generator, device=device, dtype=torch.float64) + 0.1
    load = 0.6 + 0.35 * torch.rand(graph.num_graphs, generator=generator, device=device, dtype=torch.float64)
    total = segment_sum(share, graph.node_segments)
    arrival = (load / total)[graph.node_graph] * share * service
    return SingleHop().instance(with_seeds(graph.keep().with_nodes(arrival=arrival, service=service), generator))


SINGLE_HOP = Problem(
    name="single-hop",
    summary="let one server choose among queues whose capacities change",
    objective="backlog",
    environment=SingleHop(horizon=1000),
    topology="erdos-renyi:p=1",
    sizes=(3, 4, 5),
    laws={"random": random_rates},
    baselines={"max-weight": ControlRule(max_weight), "longest-queue": ControlRule(longest_queue)},
    training=CONTROL | {"algorithm": "policy-iteration"},
)
