"""Moves of Hive in words, as the Universal Hive Protocol writes them: "wS1", "bG1 -wS1", "wB1 bQ", "pass".

What a piece is put beside or on top of follows its own name, with a mark on the side on which it comes to lie:
"-wQ" west of it, "wQ-" east, "\\wQ" north-west, "wQ/" north-east, "/wQ" south-west, "wQ\\" south-east.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from graphwright.core import GraphBatch
from graphwright.envs.games.hive.view import MOVE, view

PASS = "pass"
_LETTERS, _SINGLE = "QSBGAMLP", "QMLP"
_SIDES = {(-1, 0): "-{}", (0, -1): "\\{}", (-1, 1): "/{}", (1, 0): "{}-", (1, -1): "{}/", (0, 1): "{}\\"}
_REFERENCE = re.compile(r"([-\\/]?)([wb][A-Z][1-3]?)([-\\/]?)")


class HiveMove(NamedTuple):
    """A piece, by its place in the state (-1: to pass), and the cell to which it goes."""

    piece: int
    q: int
    r: int


def legal_hive_moves(state: GraphBatch) -> list[HiveMove]:
    """The moves of one position that is not over; to pass where there is no other."""
    graph = view(state)
    rows = (graph.edges["says"] == MOVE).nonzero().squeeze(1)
    pieces, to = graph.nodes["piece"][graph.edge_index[0, rows]].tolist(), graph.edges["to"][rows].tolist()
    return [HiveMove(piece, *cell) for piece, cell in zip(pieces, to, strict=True)] or [HiveMove(-1, 0, 0)]


def chosen_hive_move(state: GraphBatch, action: int) -> HiveMove:
    """The move that an action of one position is."""
    graph = view(state)
    if action >= graph.num_edges:
        return HiveMove(-1, 0, 0)
    q, r = graph.edges["to"][action].tolist()
    return HiveMove(int(graph.nodes["piece"][graph.edge_index[0, action]]), q, r)


def move_string(state: GraphBatch, move: HiveMove) -> str:
    """A move of one position in words."""
    if move.piece < 0:
        return PASS
    names, tops = names_of(state), _tops(state, move.piece)
    own = names[move.piece]
    if not tops:
        return own
    if (move.q, move.r) in tops:
        return f"{own} {names[tops[move.q, move.r]]}"
    for (right, down), form in _SIDES.items():
        beside = tops.get((move.q - right, move.r - down))
        if beside is not None:
            return f"{own} {form.format(names[beside])}"
    raise ValueError(f"{own} would lie beside nothing")


def parse_move(state: GraphBatch, text: str) -> HiveMove:
    """The move of one position that `text` describes. Raises ValueError, saying what it is not."""
    words = text.split()
    passes = [word.lower() for word in words] == [PASS]
    move = HiveMove(-1, 0, 0) if passes else _described(state, words)
    if move not in legal_hive_moves(state):
        raise ValueError(f"{' '.join(words)!r} is not a legal move now")
    return move


def names_of(state: GraphBatch) -> list[str]:
    """The names of the pieces of one position: w or b, a letter, and a number where there are several."""
    columns = (state.nodes[name].tolist() for name in ("kind", "owner", "number"))
    return [
        f"{'wb'[owner]}{_LETTERS[kind]}{'' if _LETTERS[kind] in _SINGLE else number}"
        for kind, owner, number in zip(*columns, strict=True)
    ]


def _described(state: GraphBatch, words: list[str]) -> HiveMove:
    places = {name: place for place, name in enumerate(names_of(state))}
    if not 1 <= len(words) <= 2 or words[0] not in places:
        raise ValueError(f"{' '.join(words)!r} names no piece of the game; write a move as in wA1 -bQ")
    if len(words) == 1:
        if bool((state.nodes["level"] >= 0).any()):
            raise ValueError(f"{words[0]} lies beside something; write where, as in {words[0]} -bQ")
        return HiveMove(places[words[0]], 0, 0)
    found = _REFERENCE.fullmatch(words[1])
    if found is None or found[2] not in places or (found[1] and found[3]):
        raise ValueError(f"{words[1]!r} is no place; write it as in -bQ, bQ/ or bQ")
    other = places[found[2]]
    if state.nodes["level"][other] < 0:
        raise ValueError(f"{found[2]} is not on the board")
    form = f"{found[1]}{{}}{found[3]}"
    right, down = next((step for step, known in _SIDES.items() if known == form), (0, 0))
    q, r = int(state.nodes["q"][other]), int(state.nodes["r"][other])
    return HiveMove(places[words[0]], q + right, r + down)


def _tops(state: GraphBatch, without: int) -> dict[tuple[int, int], int]:
    """The top piece of each cell, once the piece `without` has been lifted off."""
    tops: dict[tuple[int, int], int] = {}
    columns = [state.nodes[name].tolist() for name in ("q", "r", "level")]
    for level, place in sorted((level, place) for place, level in enumerate(columns[2])):
        if level >= 0 and place != without:
            tops[columns[0][place], columns[1][place]] = place
    return tops
