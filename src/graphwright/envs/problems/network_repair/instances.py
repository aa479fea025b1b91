"""Instances of network repair from users: damaged networks."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, simplify
from graphwright.core.segment import segment_max, segment_mean
from graphwright.envs.problems.network_repair.supply import served_nodes
from graphwright.envs.undirected import require_undirected
from graphwright.envs.weights import require_nodes

_LEAST, _MOST = 1e-100, 1e100  # sums of such numbers are finite, and their ratios not 0


def as_instance(graph: GraphBatch) -> GraphBatch:
    """The undirected simple graph with the columns of `NetworkRepair`, see there.

    Loops go, and of parallel links a closed one stays. Raises GraphError where a column is missing or wrong, and where
    a demand would not even be served if nothing were broken.
    """
    require_undirected(graph, "links supply both ways")
    source, broken = _marks(graph, "source"), _marks(graph, "broken")
    spare = graph.edges.get("spare", torch.zeros(graph.num_edges, dtype=torch.bool, device=graph.device))
    if spare.dim() != 1 or not bool(((spare == 0) | (spare == 1)).all()):
        raise GraphError("edge column 'spare' is more than true or false; say of each link whether it is a spare one")
    instance = simplify(
        graph.keep()
        .with_nodes(
            source=source,
            broken=broken,
            demand=_numbers(graph, "demand", (~source).double()),
            repair_time=_numbers(graph, "repair_time", torch.ones_like(source, dtype=torch.float64)),
        )
        .with_edges(spare=_spare_throughout(graph, spare == 1))
    )
    _check_numbers(instance)
    return with_scale(instance)


def with_scale(graph: GraphBatch) -> GraphBatch:
    """`graph` with the graph columns [B] float64 `scale`, the longest repair of a broken node, and `mean_demand`.

    Both are 1 where there is nothing to take them from.
    """
    longest = segment_max(graph.nodes["repair_time"] * graph.nodes["broken"], graph.node_segments)
    mean = segment_mean(graph.nodes["demand"], graph.node_segments)
    return graph.with_graphs(scale=torch.where(longest > 0, longest, 1), mean_demand=torch.where(mean > 0, mean, 1))


def _marks(graph: GraphBatch, name: str) -> Tensor:
    """[N] bool. A file with gaps has a column of 1, 0 and NaN, which is no mark either."""
    remedy = f"mark them with the bool node column {name!r}, or --mark {name}=NAME,NAME"
    if name not in graph.nodes:
        raise GraphError(f"the graph does not say which nodes are {name}; {remedy}")
    column = graph.nodes[name]
    known = torch.where(column.isnan(), 0, column) if column.is_floating_point() else column
    if column.dim() != 1 or not bool(((known == 0) | (known == 1)).all()):
        raise GraphError(f"node column {name!r} is more than true or false; {remedy}")
    return known == 1


def _numbers(graph: GraphBatch, name: str, default: Tensor) -> Tensor:
    column = graph.nodes.get(name, default).double()
    if column.dim() != 1:
        raise GraphError(f"node column {name!r} has shape {tuple(column.shape)}; give each node one number")
    return column


def _spare_throughout(graph: GraphBatch, spare: Tensor) -> Tensor:
    """[E] bool: whether all links between the same two nodes are spare."""
    key = graph.edge_index.amin(0) * max(graph.num_nodes, 1) + graph.edge_index.amax(0)
    _, pair = key.unique(return_inverse=True)
    closed = torch.zeros(graph.num_edges, dtype=torch.int64, device=graph.device).index_add(0, pair, (~spare).long())
    return closed[pair] == 0


def _check_numbers(graph: GraphBatch) -> None:
    demand, repair_time = graph.nodes["demand"], graph.nodes["repair_time"]
    require_nodes(
        graph,
        (demand == 0) | ((demand >= _LEAST) & (demand <= _MOST)),
        lambda node: (
            f"node column 'demand' is {float(demand[node])} at node {{}}; demands are 0, or {_LEAST} to {_MOST}"
        ),
    )
    require_nodes(
        graph,
        ~graph.nodes["broken"] | ((repair_time >= _LEAST) & (repair_time <= _MOST)),
        lambda node: (
            f"node column 'repair_time' is {float(repair_time[node])} at the broken node {{}}; repairs take "
            f"between {_LEAST} and {_MOST}"
        ),
    )
    whole = served_nodes(graph, torch.ones_like(graph.nodes["broken"]), ~graph.edges["spare"])
    told = (
        "no closed links join node {}, which has a demand, to a source, so that it would "
        "not be served even if nothing were broken; make the links to it closed (spare=false), or its demand 0"
    )
    require_nodes(graph, whole | (demand <= 0), lambda _: told)
