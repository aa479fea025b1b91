"""What an agent knows of the nodes that it sees: the features of path search."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from graphwright.core import GraphBatch, out_edges
from graphwright.core.segment import segment_argmax, segment_max, segment_sum
from graphwright.envs.problems.path_search.known_part import known_part

View = Literal["local", "memory", "graph"]


def surroundings(state: GraphBatch, view: View) -> GraphBatch:
    """What is in view of `state`, which has the graph column `at`, with these columns for each node v that is.

    here, target: bool, whether the agent or the target is at v.
    visited: bool, whether the agent has been at v. visits: log(1 + how often).
    way_back: bool, v is the neighbour that was found last before the node on which the agent stands was: where
        depth-first search turns back to.
    unexplored: log(1 + d), d the neighbours of v where the agent has not been. It knows this number: it is told the
        degree of v, and has seen v from all other neighbours. 0 at a node that is no use but to turn back.
    log_degree: log(1 + degree) in the whole graph. relative_degree: the degree over the largest that is in view.
    distance: log(1 + d), d the Euclidean distance to the target in lengths of the longest edge around the agent.
    progress: how much nearer to the target v is than the agent, in the same unit, cut to [-1, 1].
    cosine: of the angle at the agent between v and the target.

    Nothing that an agent in the local view could not know goes into the columns of the star around it, and lengths have
    no unit. Without the column `position` the last three are 0.
    """
    visited = state.nodes["found"] >= 0
    unexplored = segment_sum(~visited[state.edge_index[0]], state.in_edges)
    known = ("here", "target", "found", "visits", *(["position", "to_target"] if "position" in state.nodes else []))
    graph = (
        _with_target(state)
        .keep(nodes=known, graphs=["at"])
        .with_nodes(visited=visited, unexplored=unexplored.float().log1p(), degree=state.in_degree.float())
    )
    if view != "graph":
        graph = known_part(graph, visited if view == "memory" else state.nodes["here"])
    degree = graph.nodes["degree"]
    largest = segment_max(degree, graph.node_segments).clamp(min=1)[graph.node_graph]
    return graph.with_nodes(
        visits=graph.nodes["visits"].float().log1p(),
        way_back=_way_back(graph),
        log_degree=degree.log1p(),
        relative_degree=degree / largest,
        **_geometry(graph),
    )


def _with_target(state: GraphBatch) -> GraphBatch:
    """`state`, where it has positions, with `to_target` [N, D]: the vector from each node to the target."""
    if "position" not in state.nodes:
        return state
    position = state.nodes["position"]
    return state.with_nodes(to_target=position[state.nodes["target"]][state.node_graph] - position)


def _way_back(graph: GraphBatch) -> Tensor:
    """[N] bool, see `surroundings`."""
    found, at = graph.nodes["found"], graph.node_ptr[:-1] + graph.graphs["at"]
    rows, neighbours = out_edges(graph)
    node = graph.edge_index[1, rows]
    earlier = (found[node] >= 0) & (found[node] < found[at][neighbours.index])
    latest = segment_argmax(torch.where(earlier, found[node].double(), -torch.inf), neighbours)
    way_back = torch.zeros_like(graph.nodes["here"])
    way_back[node[(neighbours.ptr[:-1] + latest)[latest >= 0]]] = True
    return way_back


def _geometry(graph: GraphBatch) -> dict[str, Tensor]:
    """`distance`, `progress` and `cosine` [N] float32, see `surroundings`."""
    if "position" not in graph.nodes:
        nothing = torch.zeros(graph.num_nodes, device=graph.device)
        return {"distance": nothing, "progress": nothing, "cosine": nothing}
    rows, neighbours = out_edges(graph)
    at = graph.node_ptr[:-1] + graph.graphs["at"]
    position, to_target = graph.nodes["position"], graph.nodes["to_target"]
    here = at[graph.node_graph]
    ahead = position - position[here]
    unit = segment_max(ahead[graph.edge_index[1, rows]].norm(dim=1), neighbours)
    unit = torch.where(unit > 0, unit, 1)[graph.node_graph]
    far, step = to_target.norm(dim=1), ahead.norm(dim=1)
    inner = (ahead * to_target[here]).sum(1)
    return {
        "distance": (far / unit).log1p(),
        "progress": ((far[here] - far) / unit).clamp(-1, 1),
        "cosine": inner / (step * far[here]).clamp(min=1e-12),
    }
