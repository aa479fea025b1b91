"""Random instances: a topology, a list of sizes and what draws the other columns make a generator of graph batches.

    generator = InstanceGenerator(parse_topology("watts-strogatz:k=4,p=0.3"), sizes=(5, 10, 15))
    instances = generator(1024, torch.Generator().manual_seed(0))

A topology is a file of this folder and a name in `TOPOLOGIES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generators.barabasi_albert import BarabasiAlbert
from graphwright.envs.generators.board import Board
from graphwright.envs.generators.delaunay import Delaunay
from graphwright.envs.generators.erdos_renyi import ErdosRenyi
from graphwright.envs.generators.gabriel import Gabriel
from graphwright.envs.generators.grid import Grid
from graphwright.envs.generators.hamming import Hamming
from graphwright.envs.generators.hex_board import HexBoard
from graphwright.envs.generators.johnson import Johnson
from graphwright.envs.generators.kronecker import Kronecker
from graphwright.envs.generators.path import PathGraph
from graphwright.envs.generators.points import Points
from graphwright.envs.generators.random_geometric import RandomGeometric
from graphwright.envs.generators.random_regular import RandomRegular
from graphwright.envs.generators.rb import ModelRB
from graphwright.envs.generators.topology import Topology
from graphwright.envs.generators.tree import RandomTree
from graphwright.envs.generators.watts_strogatz import WattsStrogatz

TOPOLOGIES: dict[str, type[Topology]] = {
    topology.name: topology
    for topology in (
        *(WattsStrogatz, ErdosRenyi, BarabasiAlbert, RandomRegular, RandomGeometric),
        *(Delaunay, Kronecker),
        *(Points, PathGraph, Grid, Gabriel, RandomTree, Hamming, Johnson, ModelRB),
        *(Board, HexBoard),
    )
}

DrawColumns = Callable[[GraphBatch, torch.Generator], GraphBatch]
"""From graphs with the columns of their topology, and a generator of randomness, to instances of a problem."""

__all__ = [
    "TOPOLOGIES",
    "BarabasiAlbert",
    "DrawColumns",
    "ErdosRenyi",
    "InstanceGenerator",
    "RandomGeometric",
    "RandomRegular",
    "Topology",
    "WattsStrogatz",
    "parse_topology",
    "uniform_weights",
    "unit_weights",
]


def uniform_weights(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A node column `weight` [N] float32, uniform in [0, 1)."""
    return graph.with_nodes(weight=torch.rand(graph.num_nodes, generator=generator, device=generator.device))


def unit_weights(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A node column `weight` [N] float32 of ones."""
    return graph.with_nodes(weight=torch.ones(graph.num_nodes, device=generator.device))


@dataclass(frozen=True)
class InstanceGenerator:
    """Draws undirected graphs with the node columns of their topology and what `columns` makes of them.

    topology: the law of the edges.
    sizes: numbers of nodes, or of the rows of a board; the size of each graph is drawn uniformly from this list.
    columns: what turns these graphs into instances of a problem.

    Raises ValueError where an option is wrong or the topology has no graphs of one of the sizes.
    """

    topology: Topology
    sizes: tuple[int, ...]
    columns: DrawColumns = uniform_weights

    def __post_init__(self) -> None:
        if not self.sizes:
            raise ValueError("sizes is empty; give the numbers of nodes to draw from, such as (10, 20)")
        if min(self.sizes) < 1:
            raise ValueError(f"sizes holds {min(self.sizes)}; a graph has at least 1 node")
        self.topology.check_sizes(torch.tensor(self.sizes))

    def __call__(self, num_graphs: int, generator: torch.Generator) -> GraphBatch:
        """`num_graphs` instances on the generator's device; the same state of `generator` gives the same ones."""
        if num_graphs < 0:
            raise ValueError(f"num_graphs={num_graphs}; ask for 0 graphs or more")
        device = generator.device
        choice = torch.randint(len(self.sizes), (num_graphs,), generator=generator, device=device)
        num_nodes = self.topology.num_nodes(torch.tensor(self.sizes, device=device)[choice])
        edges, columns = self.topology.sample(num_nodes, generator)
        return self.columns(from_edges(edges, num_nodes, undirected=True, nodes=columns), generator)


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
            raise ValueError(f"{name} has no option {option!r}; it has {', '.join(kinds) or 'none'}")
        if option in values:
            raise ValueError(f"{name}: {option} is given twice; give it once")
        try:
            values[option] = kinds[option](text)
        except ValueError:
            raise ValueError(f"{name}: {option}={text!r} is not of type {kinds[option].__name__}") from None
    return TOPOLOGIES[name](**values)
