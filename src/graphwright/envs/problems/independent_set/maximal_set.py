"""Independent sets that grow by a node a step until no further node fits: what the problems of this room share."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_node, simplify
from graphwright.core.segment import segment_max, segment_sum
from graphwright.envs.local import Local
from graphwright.envs.optimization import Optimization, Solution, chosen_nodes
from graphwright.envs.reversible import Move, Reversible
from graphwright.envs.undirected import require_undirected
from graphwright.envs.weights import node_numbers


class MaximalSet(Optimization, Reversible, Local):
    """Choose nodes, no two of them joined, until every node is chosen or has a chosen neighbour.

    Any chosen node may be taken back, so k! ways lead to a set of k nodes; there is no stop, so that every object is
    a maximal set.

    Instance: an undirected simple graph with a node column of numbers [N] float, whose name `number` says.
    State: adds the node columns `selected` [N] bool and `free` [N] bool: neither chosen nor next to a chosen node.
    Observation: the graph of the free nodes, on which alone the rest of the episode depends (the others stay, alone and
        with zeros), and those of these node columns that `columns` names: `selected`, `free`, its number x over `unit`,
        its free degree d as `log_degree` log(1 + d) and `relative_degree` d over the graph's largest, `per_node`
        x / (d + 1), and `share` of x in the sum over the node and its free neighbours.
    Action: one free node.
    Termination: no node is free. A graph without nodes is over before it begins.
    """

    actions = ActionSpec(per_node("select"))
    backward_actions = ActionSpec(per_node("drop"))

    @property
    @abstractmethod
    def number(self) -> str:
        """The node column of an instance that says what a node is worth, or what it costs."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The node columns that a network sees; others are not computed."""

    @abstractmethod
    def unit(self, state: GraphBatch) -> Tensor:
        """[B] float32: what the numbers of each graph are seen as multiples of."""

    @abstractmethod
    def node_reward(self, state: GraphBatch) -> Tensor:
        """[N] float: what choosing each node is worth."""

    @property
    @override
    def features(self) -> Features:
        return Features(nodes=dict.fromkeys(self.columns, 1))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """No node is chosen."""
        free = torch.ones(instances.num_nodes, dtype=torch.bool, device=instances.device)
        return instances.with_nodes(selected=~free, free=free)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        free, (source, destination) = state.nodes["free"], state.edge_index
        graph = state.keep(nodes=["free"], graphs=list(state.graphs)).filter_edges(free[source] & free[destination])
        number = (state.nodes[self.number] * free / self.unit(state)[state.node_graph]).float()
        columns = {name: self.column(name, state, graph, number) for name in self.columns}
        return Observation(graph.with_nodes(**columns), (free,))

    def column(self, name: str, state: GraphBatch, graph: GraphBatch, number: Tensor) -> Tensor:
        """[N]: the node column `name` of an observation.

        graph: that of the free nodes. number: [N] float32, the numbers of free nodes over `unit`, 0 of others. Raises
        ValueError for a column that does not exist.
        """
        match name:
            case "selected" | "free":
                return state.nodes[name]
            case self.number:
                return number
            case "log_degree":
                return graph.in_degree.to(torch.float32).log1p()
            case "relative_degree":
                degree = graph.in_degree.to(torch.float32)
                largest = state.graphs.get("largest_degree", segment_max(degree, graph.node_segments))
                return degree / largest[graph.node_graph].clamp(min=1)
            case "per_node":
                return number / (graph.in_degree + 1)
            case "share":
                exact = number.double()  # in which the order of the nodes does not show in their sum
                around = segment_sum(exact[graph.edge_index[0]], graph.in_edges).to(number.dtype)
                return number / (number + around).clamp(min=torch.finfo(number.dtype).tiny)
            case _:
                raise ValueError(f"there is no node column {name!r} to see")

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        following = self.advance(state, action).state
        complete = self.is_complete(following)
        reward = self.node_reward(state)[state.node_ptr[:-1] + action].float()
        return Step(following, reward, complete, torch.zeros_like(complete))

    @override
    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        return Move(self.decide(state, state.node_ptr[:-1] + action), action)

    @property
    @override
    def sight(self) -> int | None:
        return 1

    reach = 1

    @override
    def decide(self, state: GraphBatch, nodes: Tensor) -> GraphBatch:
        neighbours = state.edge_index[0, state.in_edges.select(nodes)[1]]
        return state.with_nodes(
            selected=state.nodes["selected"].index_fill(0, nodes, True),
            free=state.nodes["free"].index_fill(0, torch.cat([nodes, neighbours]), False),
        )

    @override
    def extremes(self, seen: GraphBatch) -> dict[str, Tensor]:
        return {"largest_degree": seen.in_degree.to(torch.float32)} if "relative_degree" in self.columns else {}

    @override
    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        selected = state.nodes["selected"].index_fill(0, state.node_ptr[:-1] + action, False)
        return Move(self.final_state(state, selected), action)

    @override
    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        return (state.nodes["selected"],)

    @override
    def given(self, state: GraphBatch) -> GraphBatch:
        nodes = [name for name in state.nodes if name not in ("selected", "free")]
        return state.keep(nodes=nodes, edges=list(state.edges), graphs=list(state.graphs))

    def is_complete(self, state: GraphBatch) -> Tensor:
        """Whether no further node fits."""
        return segment_sum(state.nodes["free"], state.node_segments) == 0

    def solution(self, state: GraphBatch) -> Solution:
        """The chosen nodes."""
        return chosen_nodes(state, "selected")

    def severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        """How many chosen nodes stand in the way: the chosen neighbours, and the node itself."""
        node = state.node_ptr[:-1] + action
        segments, rows = state.in_edges.select(node)
        selected = state.nodes["selected"]
        return (segment_sum(selected[state.edge_index[0, rows]], segments) + selected[node]).to(torch.float32)

    def final_state(self, instances: GraphBatch, selected: Tensor) -> GraphBatch:
        """The state of `instances` in which the nodes where `selected` [N] bool is true are chosen."""
        source, destination = instances.edge_index
        taken = selected.index_fill(0, destination[selected[source]], True)
        return instances.with_nodes(selected=selected, free=~taken)


def simple_graph(graph: GraphBatch, column: str, default: float) -> GraphBatch:
    """The undirected simple graph of `graph` with the one node column `column` [N], see `node_numbers`.

    Numbers are `default` where there are none; loops go, parallel edges are merged. Raises GraphError for a directed
    graph, and for numbers that are not one a node, finite and not negative.
    """
    require_undirected(graph, "an independent set needs an undirected one")
    number = node_numbers(graph, column, default, "give finite numbers, none negative")
    return simplify(graph.with_nodes(**{column: number}).keep(nodes=[column]))
