"""Networks of servers and classes: what a file says of them, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.queueing.count_laws import POISSON, require_rates
from graphwright.envs.queueing.instances import prepared
from graphwright.envs.weights import require_nodes

SERVES, SERVED_BY, ROUTES, ROUTED_FROM = range(4)
_SUMS = 1e-9


def station_network(
    arrival: Sequence[float],
    service: Mapping[tuple[int, int], float],
    route: Mapping[tuple[int, int], float],
    cost: Sequence[float] | None = None,
) -> GraphBatch:
    """One network. arrival: of each class; service: (server, class) → rate; route: (class, next) → chance.

    cost: of each class, 1 by default. Nodes are the classes, then the servers.
    """
    classes, servers = len(arrival), 1 + max(server for server, _ in service)
    links = [(classes + server, job) for server, job in service] + list(route)
    count = len(service)
    nodes = {
        "server": torch.arange(classes + servers) >= classes,
        "arrival": torch.tensor([*arrival, *[0.0] * servers], dtype=torch.float64),
        "cost": torch.tensor([*(cost or [1.0] * classes), *[0.0] * servers], dtype=torch.float64),
    }
    edges = {
        "service": torch.tensor([*service.values(), *[0.0] * len(route)], dtype=torch.float64),
        "probability": torch.tensor([*[0.0] * count, *route.values()], dtype=torch.float64),
    }
    ends = torch.tensor(links).T
    return read(from_edges(ends, torch.tensor([classes + servers]), undirected=False, nodes=nodes, edges=edges))


def read(graph: GraphBatch) -> GraphBatch:
    """The instance of a user's network: links from servers to classes with `service`, from classes to classes with
    `probability` (1 where there is none); marked nodes are servers.

    Raises GraphError, naming the nodes, for rates and chances that are none, and for a class that nobody serves.
    """
    if "server" not in graph.nodes or graph.nodes["server"].dim() != 1:
        raise GraphError("which nodes are servers? mark them in the node attribute 'server' (true or 1)")
    mark = graph.nodes["server"]
    server = (mark != 0) & (mark == mark)
    source, end = _forward(graph, server)
    service, chance = _numbers(graph, "service", 0.0), _numbers(graph, "probability", 1.0)
    serves, routes = server[source] & ~server[end], ~server[source] & ~server[end]
    _check(graph, serves, service, "service", torch.inf)
    _check(graph, routes, chance, "probability", 1.0)
    rows = (routes | serves & (service > 0)).nonzero().squeeze(1)
    kind = torch.where(serves[rows], SERVES, ROUTES)
    links = torch.stack([source[rows], end[rows]])
    both = torch.cat([links, links.flip(0)], dim=1)
    instance = from_edges(
        both,
        graph.node_segments.lengths,
        undirected=False,
        nodes={"server": server} | _node_numbers(graph, server),
        edges={
            "type": torch.cat([kind, kind + 1]),
            "service": torch.where(serves, service, 0.0)[rows].repeat(2),
            "chance": torch.where(routes, chance, 0.0)[rows].repeat(2),
        },
    )
    ready = prepared(graph)
    if bool((ready.graphs["law"] != POISSON).any()):
        raise GraphError("arrivals at servers are poisson, in continuous time; leave out 'distribution'")
    instance = instance.with_nodes(number=ready.nodes["number"], stages=_stages(instance)).with_graphs(
        law=ready.graphs["law"], seed=ready.graphs["seed"]
    )
    return with_total_rate(instance)


def with_total_rate(instance: GraphBatch) -> GraphBatch:
    """`instance` with its graph column `rate`, that of all events together."""
    fastest = torch.zeros_like(instance.nodes["arrival"])
    own = torch.where(instance.edges["type"] == SERVES, instance.edges["service"], 0.0)
    fastest = fastest.scatter_reduce(0, instance.edge_index[0], own, "amax")
    return instance.with_graphs(rate=segment_sum(instance.nodes["arrival"] + fastest, instance.node_segments))


def _forward(graph: GraphBatch, server: Tensor) -> tuple[Tensor, Tensor]:
    """The ends of each edge, as they are; links among servers are refused, and undirected routes."""
    source, end = graph.edge_index
    wrong = (server[source] & server[end]).nonzero()
    if wrong.numel():
        ends = graph.node_segments.position[graph.edge_index[:, int(wrong[0])]].tolist()
        raise GraphError("servers {} and {} are linked; a server is linked to the classes that it serves", ends)
    undirected = "reverse" in graph.edges
    if undirected and bool((~server[source] & ~server[end]).any()):
        raise GraphError('the graph is undirected, and jobs go from class to class one way; make it "directed": true')
    return source, end


def _numbers(graph: GraphBatch, name: str, default: float) -> Tensor:
    """[E] float64: an edge column, `default` where there is none."""
    if name not in graph.edges:
        return torch.full((graph.num_edges,), default, dtype=torch.float64)
    given = graph.edges[name].double()
    return torch.where(given.isnan(), default, given)


def _check(graph: GraphBatch, rows: Tensor, value: Tensor, name: str, most: float) -> None:
    wrong = (rows & ((value < 0) | ~value.isfinite() | (value > most))).nonzero()
    if wrong.numel():
        edge = int(wrong[0])
        ends = graph.node_segments.position[graph.edge_index[:, edge]].tolist()
        limit = "finite and at least 0" if most == torch.inf else "between 0 and 1"
        raise GraphError(f"edge column {name!r} is {float(value[edge])} from {{}} to {{}}; it is {limit}", ends)


def _node_numbers(graph: GraphBatch, server: Tensor) -> dict[str, Tensor]:
    found = {}
    for name, default in (("arrival", 0.0), ("cost", 1.0)):
        given = graph.nodes.get(name, torch.full((graph.num_nodes,), default)).double()
        given = torch.where(given.isnan() | server, torch.where(server, 0.0, default), given)
        require_rates(graph.with_nodes(**{name: given}), name, given)
        found[name] = given
    return found


def _stages(instance: GraphBatch) -> Tensor:
    """[N] float64: the expected services of a job of each class until it leaves; 0 of servers.

    Raises GraphError where jobs never leave, where chances add up to more than 1, and for a class that nobody serves.
    """
    source, end = instance.edge_index
    server, kind = instance.nodes["server"], instance.edges["type"]
    routes = kind == ROUTES
    total = torch.zeros_like(instance.nodes["arrival"]).index_add(0, source[routes], instance.edges["chance"][routes])
    served = torch.zeros_like(server).index_fill(0, end[kind == SERVES], True)
    _refuse(instance, ~server & (total > 1 + _SUMS), "the chances of where jobs of class {} go add up to more than 1")
    _refuse(instance, ~server & ~served, "no server serves class {}; link one to it, with its 'service'")
    matrix = torch.eye(instance.num_nodes, dtype=torch.float64)
    matrix[source[routes], end[routes]] -= instance.edges["chance"][routes]
    stages, info = torch.linalg.solve_ex(matrix, (~server).double())
    endless = ~server & (~stages.isfinite() | (stages < 1 - _SUMS) | bool(info))
    _refuse(instance, endless, "jobs of class {} never leave; let some of them, by chances that add up to less than 1")
    return stages


def _refuse(instance: GraphBatch, wrong: Tensor, message: str) -> None:
    require_nodes(instance, ~wrong, lambda _: message)
