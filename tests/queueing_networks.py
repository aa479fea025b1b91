"""Small queueing networks, given as files are."""

from __future__ import annotations

import json

import torch

from graphwright.adapters.files.node_link import read
from graphwright.core import GraphBatch
from graphwright.envs.readable import Readable


def instance_of(environment: Readable, document: dict[str, object], copies: int = 1) -> GraphBatch:
    """`copies` of the network that a document describes, each with random numbers of its own."""
    one = environment.instance(read(json.dumps(document).encode()).graph)
    return one.select(torch.zeros(copies, dtype=torch.int64)).with_graphs(seed=torch.arange(copies))


def queues(
    arrival: list[float], service: list[float], distribution: str = "poisson", stream: float | None = None
) -> dict[str, object]:
    """Queues without links; stream: the arrivals of the graph."""
    rates = zip(arrival, service, strict=True)
    nodes = [{"id": place, "arrival": comes, "service": served} for place, (comes, served) in enumerate(rates)]
    graph = {"distribution": distribution} | ({} if stream is None else {"arrival": stream})
    return {"graph": graph, "nodes": nodes, "links": []}


def packets(mean: float, distribution: str = "poisson") -> dict[str, object]:
    """A link from `a` to `b`, over which packets go that arrive at `a`."""
    nodes = [{"id": "a", "arrivals": {"b": mean}}, {"id": "b"}]
    links = [{"source": "a", "target": "b", "rate": 4}]
    return {"directed": True, "graph": {"distribution": distribution}, "nodes": nodes, "links": links}


def stations(links: list[dict[str, object]], cost: float = 1.0) -> dict[str, object]:
    """A server `s` of class `a`, a server `t` of class `b`; and further links."""
    nodes = [{"id": "a", "arrival": 0.9, "cost": cost}, {"id": "b", "arrival": 0.5}]
    served = [{"source": "s", "target": "a", "service": 1.0}, {"source": "t", "target": "b", "service": 1.0}]
    servers = [{"id": name, "server": True} for name in "st"]
    return {"directed": True, "graph": {}, "nodes": [*nodes, *servers], "links": [*served, *links]}


FOUR_QUEUES = queues([2, 3, 2, 1], [8, 12, 6, 4])
"""A server of four queues with Poisson arrivals and capacities."""

DIAMOND: dict[str, object] = {
    "nodes": 4,
    "link_info": [
        {"start": 0, "end": 1, "rate": 2.0},
        {"start": 0, "end": 2, "rate": 1.0},
        {"start": 1, "end": 3, "rate": 1.0},
        {"start": 2, "end": 3, "rate": 2.0},
        {"start": 2, "end": 1, "rate": 4.0},
    ],
    "class_info": {"3": {"0": 1.5}, "1": {"2": 0.5}},
    "arrival_distribution": "poisson",
    "link_distribution": "fixed",
}
"""A multi-hop network in the form of the published ones."""
