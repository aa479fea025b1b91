"""Random instances: a topology, a list of sizes and weights make one generator of graph batches.

    generator = InstanceGenerator(parse_topology("watts-strogatz:k=4,p=0.3"), sizes=(5, 10, 15))
    instances = generator(1024, torch.Generator().manual_seed(0))

A topology is a file of this folder and a name in `TOPOLOGIES`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import torch

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generators.barabasi_albert import BarabasiAlbert
from graphwright.envs.generators.erdos_renyi import ErdosRenyi
from graphwright.envs.generators.random_geometric import RandomGeometric
from graphwright.envs.generators.random_regular import RandomRegular
from graphwright.envs.generators.topology import Topology
from graphwright.envs.generators.watts_strogatz import WattsStrogatz

TOPOLOGIES: dict[str, type[Topology]] = {
    topology.name: topology for topology in (WattsStrogatz, ErdosRenyi, BarabasiAlbert, RandomRegular, RandomGeometric)
}

Weights = Literal["uniform", "one"]

__all__ = [
    "TOPOLOGIES",
    "BarabasiAlbert",
    "ErdosRenyi",
    "InstanceGenerator",
    "RandomGeometric",
    "RandomRegular",
    "Topology",
    "WattsStrogatz",
    "Weights",
    "parse_topology",
]


@dataclass(frozen=True)
class InstanceGenerator:
    """Draws undirected graphs with a node column `weight` [N] float32 and the node columns of their topology.

    topology: the law of the edges.
    sizes: numbers of nodes; the size of each graph is drawn uniformly from this list.
    weights: "uniform" draws from [0, 1), "one" gives every node the weight 1.

    Raises ValueError where an option is wrong or the topology has no graphs of one of the sizes.
    """

    topology: Topology
    sizes: tuple[int, ...]
    weights: Weights = "uniform"

    def __post_init__(self) -> None:
        if not self.sizes:
            raise ValueError("sizes is empty; give the numbers of nodes to draw from, such as (10, 20)")
        if min(self.sizes) < 1:
            raise ValueError(f"sizes holds {min(self.sizes)}; a graph has at least 1 node")
        if self.weights not in get_args(Weights):
            raise ValueError(f"weights={self.weights!r} is unknown; choose one of {', '.join(get_args(Weights))}")
        self.topology.check_sizes(torch.tensor(self.sizes))

    def __call__(self, num_graphs: int, generator: torch.Generator) -> GraphBatch:
        """`num_graphs` graphs on the generator's device; the same state of `generator` gives the same graphs."""
        if num_graphs < 0:
            raise ValueError(f"num_graphs={num_graphs}; ask for 0 graphs or more")
        device = generator.device
        choice = torch.randint(len(self.sizes), (num_graphs,), generator=generator, device=device)
        num_nodes = torch.tensor(self.sizes, device=device)[choice]
        edges, columns = self.topology.sample(num_nodes, generator)
        weight = torch.ones(int(num_nodes.sum()), device=device)
        if self.weights == "uniform":
            weight = torch.rand(weight.shape, generator=generator, device=device)
        return from_edges(edges, num_nodes, undirected=True, nodes={"weight": weight, **columns})


def parse_topology(spec: str) -> Topology:
    """The topology that a text such as "erdos-renyi" or "watts-strogatz:k=6,p=0.1" describes.

    Raises ValueError for a name, an option or a value that does not exist, and lists those that do.
    """
    name, _, options = spec.partition(":")
    if name not in TOPOLOGIES:
        raise ValueError(f"unknown topology {name!r}; choose one of {', '.join(TOPOLOGIES)}")
    kinds: dict[str, type] = {field.name: type(field.default) for field in fields(TOPOLOGIES[name])}
    values: dict[str, Any] = {}
    for item in filter(None, options.split(",")):
        option, _, text = item.partition("=")
        if option not in kinds:
            raise ValueError(f"{name} has no option {option!r}; it has {', '.join(kinds)}")
        if option in values:
            raise ValueError(f"{name}: {option} is given twice; give it once")
        try:
            values[option] = kinds[option](text)
        except ValueError:
            raise ValueError(f"{name}: {option}={text!r} is not of type {kinds[option].__name__}") from None
    return TOPOLOGIES[name](**values)
