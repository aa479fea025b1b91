"""Multi-hop instances: a copy of the network for each class, so that no class is padded and all are alike."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, Segments
from graphwright.envs.queueing.count_laws import broken_rules

CLASS = "class"
"""Node column [N]: the place of a destination among those of its network."""
_MOST_RATE = 1e9


def layered(graph: GraphBatch, layers: Segments, destination: Tensor, arrival: Tensor) -> GraphBatch:
    """One copy of each network for each of its classes, joined into one graph whose nodes are (class, node).

    graph: B networks with the edge column `rate` [E], each direction of a link an edge of its own. layers: the classes
    of each network (L → B). destination: [L] int64, counted in its network. arrival: [sum of nodes over the layers]
    float64, packets a slot, layer by layer.

    Links to where a class has no path to its destination are left out of its layer. Raises GraphError, naming the node,
    where packets arrive and have no path.
    """
    copies = graph.keep(edges=["rate"]).select(layers.index)
    place, copy = copies.node_segments.position, copies.node_graph
    ends = copies.node_ptr[:-1] + destination
    distance = distances(copies, ends, 1 / copies.edges["rate"])
    lost = ((arrival > 0) & distance.isinf()).nonzero()
    if lost.numel():
        node = int(lost[0])
        to = int(destination[copy[node]])
        raise GraphError(
            "packets arrive at node {} for node {}, to which no path of links leads; add one, or drop them",
            [int(place[node]), to],
        )
    joined = GraphBatch(
        copies.edge_index,
        copies.node_ptr[layers.ptr],
        copies.edge_ptr[layers.ptr],
        nodes={
            "arrival": arrival,
            "place": place,
            "layer": layers.position[copy],
            "destination": place == destination[copy],
            "distance": torch.where(distance.isinf(), 0.0, distance),
            "hops": torch.where(distance.isinf(), 0.0, distances(copies, ends, torch.ones_like(copies.edges["rate"]))),
            "reaches": distance.isfinite(),
        },
        edges={"rate": copies.edges["rate"], "link": copies.edge_segments.position},
        graphs={"num_links": graph.edge_segments.lengths, "num_classes": layers.lengths},
    )
    useful = joined.nodes["reaches"][joined.edge_index].all(0)
    return joined.filter_edges(useful).with_nodes(number=joined.node_segments.position)


def distances(graph: GraphBatch, targets: Tensor, length: Tensor) -> Tensor:
    """[N] float64: how far each node is from the nearest of `targets`, with links of `length` [E]; inf for no path."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    source, end = graph.edge_index.numpy()
    backwards = csr_array((length.double().numpy(), (end, source)), shape=(graph.num_nodes, graph.num_nodes))
    if not targets.numel():
        return torch.full((graph.num_nodes,), torch.inf, dtype=torch.float64)
    return torch.from_numpy(np.asarray(dijkstra(backwards, indices=targets.numpy(), min_only=True)))


def from_demand(graph: GraphBatch, demand: Tensor, law: Tensor) -> GraphBatch:
    """The instance of one network with the edge column `rate` and what arrives, `demand` [N, N]: from where, to where.

    law: [1] int64, of what arrives. Raises GraphError for rates and demands that are none.
    """
    demand = torch.where(demand.isnan(), 0.0, demand.double())
    _refuse(demand, (demand < 0) | demand.isinf(), "a rate is a finite number of at least 0")
    for wrong, rule in broken_rules(demand, law):
        _refuse(demand, wrong, rule)
    demand.fill_diagonal_(0)  # what arrives where it wants to go is there
    destination = (demand.sum(0) > 0).nonzero().squeeze(1)
    if CLASS in graph.nodes:  # the order in which a file names them, which decides among equals
        destination = destination[torch.argsort(graph.nodes[CLASS][destination], stable=True)]
    if not destination.numel():
        raise GraphError("no packets arrive; give nodes the attribute 'arrivals' {destination: packets a slot}")
    usable = with_rates(graph)
    layers = Segments.from_lengths(torch.tensor([destination.numel()]))
    return layered(usable, layers, destination, demand[:, destination].T.flatten())


def _refuse(demand: Tensor, wrong: Tensor, rule: str) -> None:
    places = wrong.nonzero()
    if places.numel():
        node, to = (int(each) for each in places[0])
        told = f"node attribute 'arrivals' is {float(demand[node, to])} at node {{}} for node {{}}; {rule}"
        raise GraphError(told, [node, to])


def with_rates(graph: GraphBatch) -> GraphBatch:
    """The links of `graph`, each direction on its own, with their rates as float64; those of rate 0 are none.

    Raises GraphError, naming the ends, for rates that are no whole numbers: a link sends whole packets.
    """
    if "rate" not in graph.edges:
        raise GraphError("the links have no 'rate'; give each link its packets a slot in the attribute 'rate'")
    rate = graph.edges["rate"].double()
    if rate.dim() != 1:
        raise GraphError("edge column 'rate': give each link one number, its packets a slot")
    wrong = ((rate < 0) | ~rate.isfinite() | (rate > _MOST_RATE) | (rate != rate.round())).nonzero()
    if wrong.numel():
        edge = int(wrong[0])
        ends = graph.node_segments.position[graph.edge_index[:, edge]].tolist()
        raise GraphError(
            f"edge column 'rate' is {float(rate[edge])} from node {{}} to node {{}}; a rate is a whole number of "
            f"packets, 0 to {_MOST_RATE:.0e}; count in smaller ones",
            ends,
        )
    directed = GraphBatch(graph.edge_index, graph.node_ptr, graph.edge_ptr, edges={"rate": rate})
    return directed.filter_edges((rate > 0) & (graph.edge_index[0] != graph.edge_index[1]))


def link_groups(state: GraphBatch) -> tuple[Tensor, Segments]:
    """The edges of each link, one for each class [E], in the order of classes; and each link's share (E → links)."""
    first = torch.nn.functional.pad(state.graphs["num_links"].cumsum(0), (1, 0))
    link = first[:-1][state.edge_graph] + state.edges["link"]
    layer = state.nodes["layer"][state.edge_index[0]]
    order = torch.argsort(link * (state.num_nodes + 1) + layer)
    return order, Segments.from_lengths(torch.bincount(link, minlength=int(first[-1])))
