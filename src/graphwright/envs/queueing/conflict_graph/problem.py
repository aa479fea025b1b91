"""The problems `conflict-graph` and `conflict-graph-sequential`: baselines and random networks."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, simplify
from graphwright.core.construction import opposite_edges
from graphwright.core.segment import segment_argmax, segment_max, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.queueing.conflict_graph.environment import SEND, SILENT, ConflictGraph, ConflictNetwork, weights
from graphwright.envs.queueing.conflict_graph.sequential import SequentialConflictGraph
from graphwright.envs.queueing.conflict_graph.weighted_set import heaviest_set
from graphwright.envs.queueing.count_laws import BERNOULLI
from graphwright.envs.queueing.instances import CONTROL
from graphwright.envs.randomness import with_seeds

_LITTLE = 1e-6


def max_weight(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: the independent set of largest Σ Q · Y sends (Q · μ where Y is hidden); exact.

    Tassiulas & Ephremides (1992); of sets that weigh the same, that of the most arrivals, see `_decisive`.
    """
    assert isinstance(environment, ConflictNetwork)
    return _sends(state, heaviest_set(state, _decisive(state, weights(state, environment.hide_capacity))))


def local_greedy(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: a link sends if its Q · Y is larger than that of all its neighbours, by number among equals."""
    assert isinstance(environment, ConflictNetwork)
    return _sends(state, _is_peak(state, weights(state, environment.hide_capacity)))


def max_weight_in_turn(environment: Environment, state: GraphBatch) -> Tensor:
    """[B] int64: the next link of the set of `max_weight` among those that are free, then the end."""
    assert isinstance(environment, SequentialConflictGraph)
    return _next(environment, state, heaviest_set(state, _free_weights(environment, state)))


def max_weight_in_any_turn(environment: Environment, state: GraphBatch) -> Tensor:
    """[K] bool: all links of that set; the end where it is empty."""
    assert isinstance(environment, SequentialConflictGraph)
    wanted = heaviest_set(state, _free_weights(environment, state))
    return environment.actions.arrange(state, (wanted, segment_sum(wanted, state.node_segments) == 0))


def local_greedy_in_turn(environment: Environment, state: GraphBatch) -> Tensor:
    """[B] int64: the free link of largest Q · Y, then the end."""
    assert isinstance(environment, SequentialConflictGraph)
    return _next(environment, state, torch.ones_like(state.nodes["chosen"]))


def _free_weights(environment: SequentialConflictGraph, state: GraphBatch) -> Tensor:
    free = environment.observe(state).masks[0]
    return _decisive(state, weights(state, environment.hide_capacity)).masked_fill(~free, 0)


def _decisive(state: GraphBatch, weight: Tensor) -> Tensor:
    """[N] float64: `weight` and, where there is any, so little of the mean arrivals that it decides among equals alone.

    Short queues are mostly equal. What then decides has to be seen by whoever is to learn it: of links that decide at
    once, two neighbours that each take themselves for the one that was meant both fail.
    """
    return weight + _LITTLE * state.nodes["arrival"] * (weight > 0)


def _next(environment: SequentialConflictGraph, state: GraphBatch, wanted: Tensor) -> Tensor:
    """[B] int64: the heaviest of the free nodes that are `wanted` [N] bool; to end where there is none."""
    weight = _free_weights(environment, state).masked_fill(~wanted, 0)
    best = segment_argmax(weight.masked_fill(weight <= 0, -torch.inf), state.node_segments)
    return torch.where(best < 0, state.node_segments.lengths, best)


def _sends(state: GraphBatch, sends: Tensor) -> Tensor:
    return torch.where(sends, SEND, SILENT)


def _is_peak(state: GraphBatch, weight: Tensor) -> Tensor:
    """[N] bool: whether a node weighs more than every neighbour, by number among equals."""
    source, end = state.edge_index
    number = state.nodes["number"]
    above = (weight[source] > weight[end]) | ((weight[source] == weight[end]) & (number[source] < number[end]))
    return (weight > 0) & (segment_max(above.double(), state.in_edges) == 0)


def random_links(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Bernoulli arrivals, one packet served a slot; the busiest two neighbours have 50 to 90 % of their slots to send.

    Arrivals are shares, uniform in 0.2 to 1, of what this leaves the links of their graph.
    """
    share = 0.2 + 0.8 * torch.rand(graph.num_nodes, generator=generator, dtype=torch.float64)
    load = 0.5 + 0.4 * torch.rand(graph.num_graphs, generator=generator, dtype=torch.float64)
    busiest = torch.maximum(
        segment_max(share[graph.edge_index].sum(0), graph.edge_segments), segment_max(share, graph.node_segments)
    )
    arrival = share * (load / busiest)[graph.node_graph]
    drawn = graph.keep(edges=["reverse"]).with_nodes(arrival=arrival, service=torch.ones_like(arrival))
    drawn = drawn.with_graphs(law=torch.full((graph.num_graphs,), BERNOULLI))
    return ConflictGraph().instance(with_seeds(drawn, generator))


def opened_links(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """`random_links` on graphs of which every other one, by lot, lacks one of its edges: of rings, rings and lines."""
    rows, own = graph.links
    lot = torch.rand(graph.num_graphs, 2, generator=generator, dtype=torch.float64)
    dropped = rows[(own.ptr[:-1] + (lot[:, 0] * own.lengths).long())[(lot[:, 1] < 0.5) & (own.lengths > 0)]]
    both = torch.cat([dropped, opposite_edges(graph, dropped)])
    kept = torch.ones(graph.num_edges, dtype=torch.bool).index_fill(0, both, False)
    return random_links(simplify(graph.keep().filter_edges(kept)), generator)


_LAWS = {"bernoulli": random_links, "bernoulli-opened": opened_links}
CONFLICT_GRAPH = Problem(
    name="conflict-graph",
    summary="let wireless links send that do not disturb each other, each deciding for itself",
    objective="backlog",
    environment=ConflictGraph(horizon=200, initial_queue=30),
    topology="watts-strogatz:k=2,p=0",
    sizes=(4, 5, 6, 7, 8),
    laws=_LAWS,
    baselines={"max-weight": ControlRule(max_weight), "local-greedy": ControlRule(local_greedy)},
    training=CONTROL | {"heads": {"deciders": "rivals"}},
)
CONFLICT_GRAPH_SEQUENTIAL = Problem(
    name="conflict-graph-sequential",
    summary="choose one after the other the wireless links that send",
    objective="backlog",
    environment=SequentialConflictGraph(horizon=200, initial_queue=30),
    topology="watts-strogatz:k=2,p=0",
    sizes=(4, 5, 6, 7, 8),
    laws=_LAWS,
    baselines={
        "max-weight": ControlRule(max_weight_in_turn, as_good=max_weight_in_any_turn),
        "local-greedy": ControlRule(local_greedy_in_turn),
    },
    training=CONTROL,
)
