"""Hive: surround the queen of the other side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Segments, Step, per_edge, per_graph
from graphwright.core.segment import segment_sum
from graphwright.envs.games.hive.board import KINDS, LADYBUG, MOSQUITO, PILLBUG, QUEEN
from graphwright.envs.games.hive.view import BESIDE, MOVE, OVER, UNDER, view
from graphwright.envs.games.stones import OwnedGame

BASE = (0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4)
"""The kinds of the pieces of a side: a queen, two spiders, two beetles, three grasshoppers, three ants."""
EXPANSIONS = {"M": MOSQUITO, "L": LADYBUG, "P": PILLBUG}
_STEPS = torch.tensor([[1, 0], [1, -1], [0, -1], [-1, 0], [-1, 1], [0, 1]])


@dataclass(frozen=True)
class Hive(OwnedGame):
    """Place insects and move them, each in its own way; who surrounds the queen of the other side wins.

    Instance: the graph of one node that is the first free cell, and the graph column `expansions` [B, 3] bool: whether
        mosquito, ladybug and pillbug belong to the game.
    State: the pieces as nodes, without edges: `kind`, `owner` (see `OwnedGame`) and `number` among alike ones; where
        each lies, (`q`, `r`) [N] int16 in axial coordinates and how high (`level` [N] int8, -1: in hand); `last` [N]
        bool, whether it moved last, so that it may not be moved now. Per graph `moves` [B] int64, how many there were,
        and `drawn` [B] bool.
    Observation: a graph of its own (`view`): pieces, alike pieces in hand as one node, and the free cells around. Per
        node `kind` [8], `mine`, `theirs`, `free`, `in_hand` (how many, over three), `level` (over three), `last`, and
        whether it is beside a queen (`near_mine`, `near_theirs`); per edge what it says: `beside`, `over`, `under` or
        `move`; per graph the part of the cells around each queen that is taken (`around_mine`, `around_theirs`).
    Action: an edge that is a move, from the piece to the cell or to the piece on top of it; to pass where, and only
        where, there is none. Reward: 1 for the move that wins, -1 for one that surrounds one's own queen alone, else 0.
    """

    limit: int = 200
    """Moves after which a game is drawn; 0 for none."""
    adjudicated: bool = False
    """Whether a game is won at the limit by the side whose queen has fewer neighbours: what random play learns from."""

    features = Features(
        nodes={
            "kind": KINDS,
            **dict.fromkeys(("mine", "theirs", "free", "in_hand", "level", "last", "near_mine", "near_theirs"), 1),
        },
        edges=dict.fromkeys(("beside", "over", "under", "move"), 1),
        graphs={"around_mine": 1, "around_theirs": 1},
    )
    actions = ActionSpec(per_edge("move"), per_graph("pass"))

    def __post_init__(self) -> None:
        """Raise ValueError for a limit below 0, and for games that are adjudicated at no limit."""
        if self.limit < 0:
            raise ValueError(f"environment.limit: {self.limit}; give a number of moves, or 0 for none")
        if self.adjudicated and not self.limit:
            raise ValueError("environment.adjudicated: games end at environment.limit moves; give one above 0")

    @property
    @override
    def edits_graph(self) -> bool:
        return True

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        expansions = instances.graphs["expansions"]
        extra = torch.tensor(list(EXPANSIONS.values()), device=instances.device)
        base = torch.tensor(BASE, device=instances.device).expand(instances.num_graphs, -1)
        kinds = torch.cat([base, extra.expand(instances.num_graphs, -1)], dim=1)
        there = torch.cat([torch.ones_like(base, dtype=torch.bool), expansions], dim=1)
        kind = torch.cat([kinds[:, None], kinds[:, None]], dim=1)[there[:, None].expand(-1, 2, -1)]
        nodes = Segments.from_lengths(2 * there.sum(1))
        owner = (nodes.position >= there.sum(1)[nodes.index]).to(torch.int8)
        nothing = torch.zeros(nodes.num_rows, dtype=torch.int16, device=instances.device)
        player = torch.zeros_like(instances.node_ptr[:-1])
        return GraphBatch(
            torch.zeros(2, 0, dtype=torch.int64, device=instances.device),
            nodes.ptr,
            torch.zeros_like(instances.node_ptr),
            nodes={
                "kind": kind.to(torch.int8),
                "owner": owner,
                "number": _numbers(kind + KINDS * owner, nodes),
                "q": nothing,
                "r": nothing,
                "level": (nothing - 1).to(torch.int8),
                "last": nothing.bool(),
            },
            graphs={
                "expansions": expansions,
                "player": player,
                "winner": player - 1,
                "moves": player,
                "drawn": player.bool(),
            },
        )

    @override
    def observe(self, state: GraphBatch) -> Observation:
        graph = view(state)
        piece = graph.nodes["piece"]
        free = piece < 0
        row = torch.where(free, 0, piece) + state.node_ptr[:-1][graph.node_graph]
        owner = torch.where(free, -1, state.nodes["owner"][row]).long()
        player = state.graphs["player"][graph.node_graph]
        says = graph.edges["says"]
        seen = graph.keep().with_nodes(
            kind=one_hot(state.nodes["kind"][row].long(), KINDS).float() * ~free.unsqueeze(1),
            mine=(owner == player).float(),
            theirs=(owner == 1 - player).float(),
            free=free.float(),
            in_hand=graph.nodes["number"] / 3,
            level=torch.where(free, 0, state.nodes["level"][row].clamp(min=0)) / 3,
            last=(state.nodes["last"][row] & ~free).float(),
            near_mine=_own(graph.nodes["near"], player),
            near_theirs=_own(graph.nodes["near"], 1 - player),
        )
        around, player = graph.graphs["around"] / 6, state.graphs["player"]
        seen = seen.with_graphs(
            around_mine=_own(around, player).unsqueeze(1), around_theirs=_own(around, 1 - player).unsqueeze(1)
        )
        kinds = {"beside": BESIDE, "over": OVER, "under": UNDER, "move": MOVE}
        seen = seen.with_edges(**{name: (says == number).float().unsqueeze(1) for name, number in kinds.items()})
        moves = says == MOVE
        playing = (state.graphs["winner"] < 0) & ~state.graphs["drawn"]
        return Observation(seen, (moves, playing & (segment_sum(moves, graph.edge_segments) == 0)))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        graph = view(state)
        passes = action >= graph.edge_segments.lengths
        edge = (graph.edge_ptr[:-1] + action)[~passes]
        piece, to = torch.full_like(action, -1), torch.zeros(action.numel(), 2, dtype=torch.int64, device=state.device)
        piece[~passes] = graph.nodes["piece"][graph.edge_index[0, edge]]
        to[~passes] = graph.edges["to"][edge]
        return self.move(state, piece, to)

    def move(self, state: GraphBatch, piece: Tensor, to: Tensor) -> Step:
        """What becomes of moving the `piece` [B] int64 of each state (-1: to pass) to its cell `to` [B, 2], (q, r)."""
        player, passes = state.graphs["player"], piece < 0
        row = state.node_ptr[:-1] + piece
        moved = torch.zeros(state.num_nodes, dtype=torch.bool, device=state.device)
        moved[row[~passes]] = True
        q, r = (torch.where(moved, to[state.node_graph, axis], state.nodes["qr"[axis]].long()) for axis in (0, 1))
        level = state.nodes["level"].long()
        under = (level >= 0) & ~moved & (q == to[state.node_graph, 0]) & (r == to[state.node_graph, 1])
        height = segment_sum(under, state.node_segments)
        level = torch.where(moved, height[state.node_graph], level)
        following = state.with_nodes(
            q=q.to(torch.int16), r=r.to(torch.int16), level=level.to(torch.int8), last=moved
        ).with_graphs(player=1 - player, moves=state.graphs["moves"] + 1)
        around = torch.stack([_around(following, side) for side in (0, 1)], dim=1)
        lost = around == 6
        winner = torch.where(lost[:, 0] == lost[:, 1], -1, lost[:, 0].long())
        late = following.graphs["moves"] >= self.limit if self.limit else torch.zeros_like(passes)
        if self.adjudicated:
            fewer = torch.where(around[:, 0] == around[:, 1], -1, (around[:, 0] > around[:, 1]).long())
            winner = torch.where(late & (winner < 0) & ~lost.all(1), fewer, winner)
        drawn = lost.all(1) | (late & (winner < 0))
        reward = torch.where(winner < 0, 0, torch.where(winner == player, 1.0, -1.0))
        over = drawn | (winner >= 0)
        return Step(following.with_graphs(winner=winner, drawn=drawn), reward, over, torch.zeros_like(over))


def with_expansions(letters: Iterable[str], graph: GraphBatch) -> GraphBatch:
    """Instances in which these expansions, of M, L and P, belong to the game, one for each of `graph`."""
    chosen = torch.tensor([letter in set(letters) for letter in EXPANSIONS], device=graph.device)
    one = torch.ones(graph.num_graphs, dtype=torch.int64, device=graph.device)
    cells = Segments.from_lengths(one)
    nothing = torch.zeros(2, 0, dtype=torch.int64, device=graph.device)
    return GraphBatch(
        nothing,
        cells.ptr,
        torch.zeros_like(cells.ptr),
        graphs={"expansions": chosen.expand(graph.num_graphs, -1).clone()},
    )


def _numbers(kind: Tensor, nodes: Segments) -> Tensor:
    """[N] int8: which of the alike pieces of its side each is, from 1, since they stand one after the other."""
    begins = torch.ones_like(kind, dtype=torch.bool)
    begins[1:] = (kind[1:] != kind[:-1]) | (nodes.index[1:] != nodes.index[:-1])
    place = torch.arange(kind.numel(), device=kind.device)
    return (place - place[begins][begins.cumsum(0) - 1] + 1).to(torch.int8)


def _own(columns: Tensor, side: Tensor) -> Tensor:
    """[R] float32: of `columns` [R, 2] that of the `side` [R] of each row."""
    return columns.gather(1, side.unsqueeze(1)).squeeze(1).float()


def _around(state: GraphBatch, side: int) -> Tensor:
    """[B] int64: how many of the six cells around the queen of `side` are taken; 0 while it is in hand."""
    place = torch.stack([state.nodes["q"], state.nodes["r"]], dim=1).long()
    queen = (state.nodes["kind"] == QUEEN) & (state.nodes["owner"] == side)
    placed = queen & (state.nodes["level"] >= 0)
    at = place[queen][state.node_graph]  # one of each graph
    ground = state.nodes["level"] == 0
    steps = _STEPS.to(state.device)
    beside = ((place - at).unsqueeze(1) == steps).all(2).any(1) & ground
    return segment_sum(beside, state.node_segments) * segment_sum(placed, state.node_segments)
