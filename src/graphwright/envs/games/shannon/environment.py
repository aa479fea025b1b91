"""The Shannon switching game on the nodes of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import (
    ActionSpec,
    Features,
    GraphBatch,
    GraphError,
    Observation,
    Step,
    per_graph,
    per_node,
    simplify,
)
from graphwright.core.kernels.jit import arrays
from graphwright.core.segment import segment_argmax, segment_sum
from graphwright.envs.games.shannon.kernels import FAR, decided, farthest, put_down, random_winners
from graphwright.envs.games.shannon.measures import measured
from graphwright.envs.games.stones import StoneGame
from graphwright.envs.readable import Inputs, Readable

_WHOSE, _MEASURED = ("my", "their"), ("way", "best", "current")
_PLAIN, _SWAPPING = ActionSpec(per_node("take")), ActionSpec(per_node("take"), per_graph("swap"))


@dataclass(frozen=True)
class Shannon(StoneGame, Readable):
    """Take nodes in turn: Short wins when its nodes join the two terminals, Cut when nothing can join them any more.

    Instance: an undirected simple graph; node columns [N] bool `terminal`, true at two nodes, and `dual_terminal`, true
        at none, or, where Cut has cut as soon as its nodes join two that are its own (the borders of a board of Hex),
        at these; graph column `short` [B] int64, the side that is Short (0 moves first).
    State: adds who owns each node, see `StoneGame`, the terminals being Short's and the dual ones Cut's; `connector`
        [B] int64, who is Short now; and `exchanged` [B] bool, whether the sides have changed their parts.
    Observation: per node `mine`, `theirs`, `terminal` (of both kinds), and of each empty node for both sides, see
        `Measures`: 1 over the stones that are needed through it (`my_way`, `their_way`), the fewest of all nodes over
        these (`my_best`, `their_best`), and its part of the current (`my_current`, `their_current`). Per graph
        `connects`, whether the side that moves is Short, and `lead`, the hyperbolic tangent of how much better it
        conducts.
    Action: an empty node; with `swap` also to exchange the sides. Reward: 1 for the move that wins, else 0; nothing is
        drawn. A game that is decided before it begins has no legal move.
    """

    swap: bool = False
    """The second side may answer the first move by taking it over: the sides change their parts."""

    features = Features(
        nodes=dict.fromkeys(
            ("mine", "theirs", "terminal", *(f"{who}_{what}" for what in _MEASURED for who in _WHOSE)), 1
        ),
        graphs={"connects": 1, "lead": 1},
    )
    inputs = Inputs(marks=("terminal",), graphs=("short",))

    @property
    @override
    def actions(self) -> ActionSpec:
        return _SWAPPING if self.swap else _PLAIN

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        terminal = graph.nodes.get("terminal", torch.zeros(graph.num_nodes)).bool()
        wrong = segment_sum(terminal, graph.node_segments) != 2
        if bool(wrong.any()):
            number = int(segment_sum(terminal, graph.node_segments)[wrong][0])
            raise GraphError(f"the game connects two nodes, and {number} are marked; mark two: --mark terminal=A,B")
        short = graph.graphs.get("short", torch.zeros(graph.num_graphs, dtype=torch.int64, device=graph.device)).long()
        if bool(((short != 0) & (short != 1)).any()):
            raise GraphError("graph column 'short': the side that connects is 0 (moves first) or 1")
        placed = ["position"] if "position" in graph.nodes else []
        dual = graph.nodes.get("dual_terminal", torch.zeros_like(terminal)).bool()
        ends = segment_sum(dual, graph.node_segments)
        if bool(((ends != 0) & (ends != 2)).any() | (dual & terminal).any()):
            raise GraphError("node column 'dual_terminal': true at no node, or at two that are no terminals")
        return simplify(graph.keep(placed)).with_nodes(terminal=terminal, dual_terminal=dual).with_graphs(short=short)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        short = instances.graphs["short"]
        connects = short[instances.node_graph].to(torch.int8)
        owner = torch.where(instances.nodes["terminal"], connects, -torch.ones_like(connects))
        owner = torch.where(instances.nodes["dual_terminal"], 1 - connects, owner)
        state = self.begun(instances, owner).with_graphs(
            connector=short, exchanged=torch.zeros_like(short, dtype=torch.bool)
        )
        first = _first_terminals(state)
        joined = self._decided(state, owner, first)
        cut_off = ~self._decided(state, torch.where(owner >= 0, owner, connects), first)
        return state.with_graphs(winner=torch.where(joined, short, torch.where(cut_off, 1 - short, -1)))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        mine, theirs = self.seen(state)
        ends = state.nodes["terminal"] | state.nodes["dual_terminal"]
        connects = state.graphs["connector"] == state.graphs["player"]
        need, current, lead = measured(state)
        least = torch.stack([_least(of, state) for of in need])[:, state.node_graph]
        measures = (
            torch.where(need < FAR, 1 / need, 0),
            torch.where(need < FAR, least / need, 0),
            current.float(),
        )
        columns = {}
        for what, (short, cut) in zip(_MEASURED, measures, strict=True):
            columns[f"my_{what}"] = torch.where(connects[state.node_graph], short, cut)
            columns[f"their_{what}"] = torch.where(connects[state.node_graph], cut, short)
        graph = state.keep([]).with_nodes(mine=mine, theirs=theirs, terminal=ends.float(), **columns)
        lead = torch.where(connects, lead, -lead).tanh().float()
        masks = (self.legal(state), self._can_swap(state)) if self.swap else (self.legal(state),)
        columns = {"connects": connects.float().unsqueeze(1), "lead": lead.unsqueeze(1)}
        return Observation(graph.with_graphs(**columns), masks)

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        if self.swap and bool((exchanges := action == state.node_segments.lengths).any()):
            return self._step_with_swap(state, action, exchanges)
        owner = state.nodes["owner"].clone()
        won = torch.empty(state.num_graphs, dtype=torch.bool)
        put_down(*_arrays(state, owner), *arrays(state.graphs["player"].cpu(), action.cpu(), won))
        won = won.to(state.device)
        return self.moved(state, owner, won, won)

    @override
    def legal(self, state: GraphBatch) -> Tensor:
        free, over = state.nodes["owner"] < 0, state.graphs["winner"] >= 0
        return free & ~over[state.node_graph] if bool(over.any()) else free

    @override
    def playout(self, state: GraphBatch, generator: torch.Generator) -> Tensor:
        if self.swap:
            return super().playout(state, generator)
        winner, key = torch.empty(state.num_graphs, dtype=torch.int64), torch.rand(state.num_nodes, generator=generator)
        random_winners(*self.arrays(state), *arrays(state.graphs["player"].cpu(), key, winner))
        return (1 - 2 * winner).float().to(state.device)

    def arrays(self, state: GraphBatch) -> tuple[Any, ...]:
        """What the kernels are given of a state."""
        return _arrays(state, state.nodes["owner"])

    @override
    def swapped(self, state: GraphBatch) -> GraphBatch:
        return super().swapped(state).with_graphs(connector=1 - state.graphs["connector"])

    def _decided(self, state: GraphBatch, owner: Tensor, node: Tensor) -> Tensor:
        won = torch.empty(state.num_graphs, dtype=torch.bool)
        decided(*_arrays(state, owner), *arrays(node.cpu(), won))
        return won.to(state.device)

    def _can_swap(self, state: GraphBatch) -> Tensor:
        ends = state.nodes["terminal"] | state.nodes["dual_terminal"]
        stones = segment_sum((state.nodes["owner"] >= 0) & ~ends, state.node_segments)
        return (stones == 1) & ~state.graphs["exchanged"] & (state.graphs["winner"] < 0)

    def _step_with_swap(self, state: GraphBatch, action: Tensor, exchanges: Tensor) -> Step:
        """The stones keep their parts, and the sides change them: who was Short is Cut."""
        other = super().swapped(state)
        owner, node = self.placed(state, torch.where(exchanges, 0, action))
        node = torch.where(exchanges, _first_terminals(state), node)
        owner = torch.where(exchanges[state.node_graph], other.nodes["owner"], owner)
        connector = torch.where(exchanges, 1 - state.graphs["connector"], state.graphs["connector"])
        changed = state.with_graphs(connector=connector, exchanged=state.graphs["exchanged"] | exchanges)
        won = self._decided(changed, owner, node) & ~exchanges
        return self.moved(changed, owner, won, won)


def draw_terminals(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Instances of one node that is drawn and one of those farthest from it; who is Short is drawn too.

    Nodes with three neighbours or more are drawn before all others, or Cut would often win with two moves.
    Raises GraphError for graphs of one node.
    """
    if graph.num_graphs and int(graph.node_segments.lengths.min()) < 2:
        raise GraphError("the game connects two nodes, and a graph has one; give larger sizes")
    key = torch.rand(graph.num_nodes, generator=generator)
    first = graph.node_ptr[:-1] + segment_argmax(key + (graph.in_degree >= 3), graph.node_segments)
    second, key = torch.empty_like(first), torch.rand(graph.num_nodes, generator=generator)
    farthest(*arrays(graph.node_ptr, graph.in_edges.ptr, graph.edge_index[0], first, key, second))
    terminal = torch.zeros(graph.num_nodes, dtype=torch.bool)
    terminal[first] = terminal[second] = True
    short = torch.randint(2, (graph.num_graphs,), generator=generator)
    return (
        graph.keep([name for name in ("position",) if name in graph.nodes])
        .with_nodes(terminal=terminal, dual_terminal=torch.zeros_like(terminal))
        .with_graphs(short=short)
    )


def _arrays(state: GraphBatch, owner: Tensor) -> tuple[Any, ...]:
    columns = (owner, state.nodes["terminal"], state.graphs["connector"])
    return arrays(*(tensor.cpu() for tensor in (state.node_ptr, state.in_edges.ptr, state.edge_index[0], *columns)))


def _first_terminals(state: GraphBatch) -> Tensor:
    """[B] int64: the first terminal of each graph, numbered over the batch."""
    return state.nodes["terminal"].nonzero().squeeze(1)[::2]


def _least(need: Tensor, state: GraphBatch) -> Tensor:
    """[B] int64: the smallest of `need` of each graph."""
    return torch.full_like(state.node_ptr[:-1], FAR).scatter_reduce(0, state.node_graph, need, "amin")
