"""From grids to instances of grid navigation, a user's or random ones."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, simplify
from graphwright.envs.problems.grid_navigation.compass import cells, edge_directions, extent, open_directions
from graphwright.envs.problems.path_search.hops import hops_from
from graphwright.envs.problems.path_search.marks import marked, marked_node
from graphwright.envs.problems.path_search.searches import anywhere
from graphwright.envs.undirected import require_undirected
from graphwright.envs.weights import require_nodes

_WALLS, _OBSTACLES = 0.15, 0.1


def prepare(graph: GraphBatch) -> GraphBatch:
    """`graph`, with the columns `position`, `wall`, `obstacle`, `start` and `goal`, as an instance.

    Adds the node column `open` [N, 4] bool, in which directions edges lead away; the edge column `direction` [E, 4]
    bool, in which each leads; the node column `left` [N] int32, how many steps lead from each cell to the goal without
    obstacles, -1 where none do; and the graph column `extent` [B] float32, columns plus rows.

    graph: undirected and simple; no edge touches a wall.
    """
    graph = graph.with_edges(direction=edge_directions(graph)).with_graphs(extent=extent(graph))
    left = hops_from(graph, graph.nodes["goal"]).to(torch.int32)
    return graph.with_nodes(open=open_directions(graph), left=left)


def read(graph: GraphBatch) -> GraphBatch:
    """What a user brings, as an instance. Raises GraphError, naming what is wrong and the remedy, where it is none."""
    require_undirected(graph, "a grid needs an undirected one")
    nothing = torch.zeros(graph.num_nodes, dtype=torch.bool, device=graph.device)
    columns = {
        "position": cells(graph),
        "wall": marked(graph, "wall") if "wall" in graph.nodes else nothing,
        "obstacle": _obstacles(graph),
        "start": marked_node(graph, "start"),
        "goal": marked_node(graph, "goal"),
    }
    _refuse(graph, columns["wall"] & (columns["start"] | columns["goal"] | (columns["obstacle"] > 0)), "is a wall")
    _refuse(graph, columns["start"] & (columns["obstacle"] > 0), "is an obstacle's")
    instances = prepare(_without_edges(graph.keep().with_nodes(**columns), columns["wall"]))
    apart = (instances.nodes["left"][columns["start"]] < 0).nonzero()
    if apart.numel():
        raise GraphError(f"no path of free cells joins the start and the goal of graph {int(apart[0])}; open one")
    return instances


def walls_and_patrols(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """A random instance on each grid: 15 % of the cells are walls, and obstacles start on 10 % of the others.

    Start and goal are those of `anywhere` on the free cells, and no obstacle starts at the start.
    """
    device = graph.device
    wall = torch.rand(graph.num_nodes, generator=generator, device=device) < _WALLS
    free = _without_edges(graph.keep(["position"]), wall)
    ends = anywhere(free, generator).nodes
    drawn = torch.rand(graph.num_nodes, generator=generator, device=device) < _OBSTACLES
    heading = 1 + torch.randint(4, (graph.num_nodes,), generator=generator, device=device)
    obstacle = heading * (drawn & ~wall & ~ends["start"])
    wall = wall & ~ends["start"] & ~ends["target"]
    columns = {"wall": wall, "obstacle": obstacle.to(torch.int8), "start": ends["start"], "goal": ends["target"]}
    return prepare(free.with_nodes(**columns))


def _without_edges(graph: GraphBatch, wall: Tensor) -> GraphBatch:
    """The undirected simple graph of `graph` without the edges that touch a `wall` [N] bool."""
    source, destination = graph.edge_index
    return simplify(graph.filter_edges(~(wall[source] | wall[destination])))


def _obstacles(graph: GraphBatch) -> Tensor:
    """[N] int8: 0, or 1 + the direction in which an obstacle starts from a cell."""
    if "obstacle" not in graph.nodes:
        return torch.zeros(graph.num_nodes, dtype=torch.int8, device=graph.device)
    column = graph.nodes["obstacle"]
    if column.dim() != 1:
        raise GraphError(f"node column 'obstacle' has shape {tuple(column.shape)}; give each node one number")
    column = column.double().nan_to_num(0)
    require_nodes(
        graph,
        torch.isin(column, torch.arange(5.0, device=graph.device).double()),
        lambda node: (
            f"node column 'obstacle' is {float(column[node]):g} at node {{}}; "
            "write 0 for none, 1 to 4 for one that starts north, east, south or west"
        ),
    )
    return column.to(torch.int8)


def _refuse(graph: GraphBatch, wrong: Tensor, what: str) -> None:
    rule = "a wall is nothing else, and the start is free"
    require_nodes(graph, ~wrong, lambda _: f"node {{}} {what} and something else; {rule}")
