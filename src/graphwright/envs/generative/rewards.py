"""Rewards that are one function: of a `GraphBatch`, or of a list of networkx graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.envs.generation import Reward
from graphwright.envs.generative.edge_sets import OPPOSITE, PRESENT
from graphwright.envs.generative.surgery import keep_edges
from graphwright.envs.reversible import Reversible

if TYPE_CHECKING:
    import networkx as nx

Form = Callable[[Reversible, GraphBatch], Any]
"""From finished objects [B] to what a function of a user's own is given: B of something."""


def batch(environment: Reversible, objects: GraphBatch) -> GraphBatch:
    """The objects as they are."""
    return objects


@dataclass(frozen=True)
class RewardOf(Reward):
    """log R = log max(f, floor) with f [B] = function(form(environment, objects)), numbers that are not negative.

    function: what it gives may be a tensor, an array or a list. Defined at the top of a module, it can also be called
    in worker processes. `config.json` holds its name, not what it does.

    Raises ValueError for a floor that is not positive and, when called, for negative numbers and for too few or many.

    >>> import torch
    >>> from graphwright.core import from_edges
    >>> from graphwright.envs.generative.graph_building import GraphBuilding
    >>> link = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True)
    >>> RewardOf(lambda graphs: graphs.node_segments.lengths)(GraphBuilding(), link).exp()
    tensor([2.0000], dtype=torch.float64)
    """

    function: Callable[[Any], Any]
    """Wanted this much."""
    form: Form = batch
    """What the function is given."""
    floor: float = 1e-8
    """The least reward."""

    def __post_init__(self) -> None:
        if self.floor <= 0:
            raise ValueError(f"floor={self.floor}; log-rewards need a positive one, such as 1e-8")

    @override
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        found = self.function(self.form(environment, objects))
        if found is None or (isinstance(found, list | tuple) and any(value is None for value in found)):
            raise ValueError("it gives None; give a number")
        values = torch.as_tensor(found, dtype=torch.float64, device=objects.device)
        if values.shape != (objects.num_graphs,):
            raise ValueError(
                f"the reward of {objects.num_graphs} objects has shape {tuple(values.shape)}; give one each"
            )
        if bool((values < 0).any()):
            raise ValueError(f"a reward is {float(values.min())}; give R itself, which is not negative, not log R")
        return values.clamp(min=self.floor).log()


def reward_of_graphs(function: Callable[[list[nx.Graph]], Any], *, floor: float = 1e-8) -> RewardOf:
    """The reward max(f, floor) with f = function(a list of networkx graphs, see `networkx_graphs`)."""
    return RewardOf(function, networkx_graphs, floor)


def networkx_graphs(environment: Reversible, objects: GraphBatch) -> list[nx.Graph]:
    """A Graph or DiGraph on the nodes 0, 1, ... for each object, columns as attributes.

    Where an environment chooses among the edges of its instances, only those that are present.
    """
    import networkx as nx

    if PRESENT in objects.edges:
        objects = keep_edges(objects, objects.edges[PRESENT])
    kind = nx.Graph if "reverse" in objects.edges else nx.DiGraph
    rows, links = objects.links
    ends = (objects.edge_index[:, rows] - objects.node_ptr[:-1][objects.edge_graph[rows]]).T.tolist()
    nodes = {name: column.tolist() for name, column in objects.nodes.items()}
    edges = {
        name: column[rows].tolist()
        for name, column in objects.edges.items()
        if name not in ("reverse", OPPOSITE, PRESENT)
    }
    node_ptr, link_ptr = objects.node_ptr.tolist(), links.ptr.tolist()
    graphs = []
    for place in range(objects.num_graphs):
        graph = kind()
        begin, end = node_ptr[place : place + 2]
        graph.add_nodes_from((k - begin, {name: nodes[name][k] for name in nodes}) for k in range(begin, end))
        graph.add_edges_from(
            (*ends[k], {name: edges[name][k] for name in edges}) for k in range(*link_ptr[place : place + 2])
        )
        graphs.append(graph)
    return graphs
