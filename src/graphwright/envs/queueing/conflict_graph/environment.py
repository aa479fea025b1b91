"""Wireless links of which no two neighbours may send at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_decider, simplify
from graphwright.core.numbers import require
from graphwright.core.segment import segment_sum
from graphwright.envs.queueing.count_laws import means_of
from graphwright.envs.queueing.instances import prepared
from graphwright.envs.queueing.network import ARRIVALS, SERVICES, QueueingNetwork, advanced
from graphwright.envs.readable import Inputs

SILENT, SEND = 0, 1


@dataclass(frozen=True)
class ConflictNetwork(QueueingNetwork):
    """What is common to both ways of deciding: nodes are wireless links, edges say which of them disturb each other.

    Instance: an undirected simple graph; node columns `arrival`, `service` [N] float64, packets a slot in the mean.
    State: adds the node column `capacity` [N] int64, Y, what each link could send in this slot.
    Random: in slot t the packets that arrive, by node; then the capacities of slot t + 1.
    Dynamics: of those that send, all that have a neighbour that sends fail, a′ = 0. Q ← max(Q − Y ∘ a′, 0) + X. The
        backlog ΣQ is counted at the beginning of a slot.
    Reward: minus the backlog that the slot leaves, minus `collision_cost` for each link that sent in vain.
    """

    hide_capacity: bool = False
    """The agent does not see Y."""
    collision_cost: float = 0.0
    """κ, for each link that sends in vain."""

    inputs = Inputs(nodes=("arrival", "service"), graphs=("distribution", "law", "seed"))
    load_bound = (
        "the time that sets of links without conflicts need in turns; where capacities change, that of two in conflict"
    )

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no environment."""
        super().__post_init__()
        require("environment.collision-cost", self.collision_cost, 0)

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """The simple graph with its rates. Raises GraphError for rates that are none."""
        graph = prepared(graph)
        law = graph.graphs["law"]
        means = means_of(graph, "arrival", law) | means_of(graph, "service", law)
        return simplify(graph.keep(["number"], graphs=["law", "seed"]).with_nodes(**means))

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        start = super().reset(instances)
        return start.with_nodes(capacity=self.draw(start, "service", start.graphs["slot"], SERVICES))

    def shown(self, state: GraphBatch) -> dict[str, Tensor]:
        """What is observed of each node, float32."""
        queue, capacity = state.nodes["queue"], state.nodes["capacity"]
        numbers = {
            "waiting": queue,
            "able": torch.minimum(queue, capacity),
            "weight": weights(state, self.hide_capacity),
            "arrival": state.nodes["arrival"],
            "service": state.nodes["service"],
        }
        if self.hide_capacity:
            del numbers["able"]
        return {name: self.seen(values) for name, values in numbers.items()}

    def gives(self, state: GraphBatch) -> Tensor:
        """[N] bool: where something would be sent, as far as the agent knows."""
        waiting = state.nodes["queue"] > 0
        return waiting if self.hide_capacity else waiting & (state.nodes["capacity"] > 0)

    def send(self, state: GraphBatch, sends: Tensor) -> Step:
        """The slot in which the nodes `sends` [N] bool send."""
        queue = state.nodes["queue"]
        disturbed = sends & (segment_sum(sends[state.edge_index[0]], state.in_edges) > 0)
        departed = torch.minimum(queue, state.nodes["capacity"] * (sends & ~disturbed))
        slot = state.graphs["slot"]
        arrived = self.draw(state, "arrival", slot, ARRIVALS)
        following = advanced(state, queue - departed + arrived, arrived, departed)
        following = following.with_nodes(capacity=self.draw(state, "service", slot + 1, SERVICES))
        vain = segment_sum(disturbed, state.node_segments).double()
        return self.outcome(following, following.graphs["backlog"] + self.collision_cost * vain)

    @override
    def load(self, instances: GraphBatch) -> Tensor:
        from graphwright.envs.queueing.conflict_graph.capacity import load

        return load(instances)


@dataclass(frozen=True)
class ConflictGraph(ConflictNetwork):
    """Every link decides for itself whether it sends, all at once; see `ConflictNetwork`.

    Observation: per node `waiting` (Q), `able` (min(Q, Y)), `weight` (Q · Y), the means `arrival` and `service`.
    Action: of each node, to be silent, or to send where something would be sent.
    """

    actions = ActionSpec(per_decider("send", 2), decider="nodes")

    @property
    @override
    def features(self) -> Features:
        hidden = () if self.hide_capacity else ("able",)
        return Features(nodes=dict.fromkeys(("waiting", "weight", "arrival", "service", *hidden), 1))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        gives = self.gives(state)
        return Observation(state.keep().with_nodes(**self.shown(state)), (torch.stack([gives | True, gives], dim=1),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        return self.send(state, action == SEND)


def weights(state: GraphBatch, hide_capacity: bool) -> Tensor:
    """[N] float64: Q · Y, or Q · μ where Y is hidden."""
    rate = state.nodes["service" if hide_capacity else "capacity"]
    return (state.nodes["queue"] * rate).double()
