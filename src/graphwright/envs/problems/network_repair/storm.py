"""Networks after a storm: from any topology, with positions or without, to instances of network repair."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Segments
from graphwright.core.segment import segment_max, segment_rank, segment_sum
from graphwright.envs.generators.geography import find_places, place_all
from graphwright.envs.problems.network_repair.instances import with_scale
from graphwright.envs.problems.network_repair.supply import served_nodes, spanning_tree

_NODES_OF_A_SOURCE = 40
_LEAST_HIT, _MOST_HIT = 0.15, 0.35


def after_storm(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """What a storm leaves of undirected simple graphs, each of one node or more.

    One node of every 40 begun is a source, at random; the links of the shortest spanning tree are closed and all others
    spare. The storm is centred on a random node and breaks, of the other nodes that a source supplies, between 15 and
    35 %: those of least (distance from the centre) · U with U uniform in [1/2, 3/2]. A repair takes 0.2, up to 0.5 more
    in proportion to the distance from the nearest source, and up to 0.3 at random. Demands are uniform in (0, 1]; there
    are none at sources and where no source can supply. Without positions, nodes stand at random in the unit square.
    """
    point = _points(graph, generator)
    uniform = torch.rand(5, graph.num_nodes, generator=generator, device=generator.device)
    share = _LEAST_HIT + (_MOST_HIT - _LEAST_HIT) * torch.rand(
        graph.num_graphs, generator=generator, device=generator.device
    )
    sources = (graph.node_segments.lengths + _NODES_OF_A_SOURCE - 1) // _NODES_OF_A_SOURCE
    source = segment_rank(uniform[0], graph.node_segments) < sources[graph.node_graph]
    closed = spanning_tree(graph, (point[graph.edge_index[0]] - point[graph.edge_index[1]]).norm(dim=1))
    graph = graph.keep().with_nodes(source=source).with_edges(spare=~closed)
    others = served_nodes(graph, torch.ones_like(source), closed) & ~source

    centre = point[segment_rank(uniform[1], graph.node_segments) == 0][graph.node_graph]
    struck = ((point - centre).norm(dim=1) * (0.5 + uniform[2])).masked_fill(~others, torch.inf)
    hit = (share * segment_sum(others, graph.node_segments)).ceil()
    away = _distance_to_source(point, source, graph)
    relative = away / segment_max(away, graph.node_segments).clamp(min=1e-9)[graph.node_graph]
    return with_scale(
        graph.with_nodes(
            broken=others & (segment_rank(struck, graph.node_segments) < hit[graph.node_graph]),
            demand=((1 - uniform[3]) * others).double(),
            repair_time=(0.2 + 0.5 * relative + 0.3 * uniform[4]).double(),
        )
    )


def _points(graph: GraphBatch, generator: torch.Generator) -> Tensor:
    """[N, D] float64: where the nodes are."""
    places = find_places(graph)
    if places is None:
        return torch.rand(graph.num_nodes, 2, generator=generator, device=generator.device).double()
    return place_all(graph, places)


def _distance_to_source(point: Tensor, source: Tensor, graph: GraphBatch) -> Tensor:
    """[N] float64: from each node to the nearest source of its graph."""
    places = source.nonzero().squeeze(1)
    of_graph = Segments.from_lengths(torch.bincount(graph.node_graph[places], minlength=graph.num_graphs))
    pairs, rows = of_graph.select(graph.node_graph)
    distance = (point[pairs.index] - point[places[rows]]).norm(dim=1)
    return -segment_max(-distance, pairs)
