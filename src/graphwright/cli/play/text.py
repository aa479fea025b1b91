"""A game in the terminal: the board as text, moves by their names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphwright.core import GraphError
from graphwright.core.files import read_whole, write_atomically
from graphwright.drawing.letters import printable
from graphwright.training.games.played import PlayedGame, Position

_HELP = "a move by its name, back, hint, save FILE, load FILE, new, quit"
_STONES = ("X", "O")
_MOST_BYTES = 1 << 18


class TextGame:
    """Plays `played` on stdin and stdout; `you` has the given side, or both where it is None."""

    def __init__(self, played: PlayedGame, head: Mapping[str, Any], you: int | None) -> None:
        self.played = played
        self.head = dict(head)
        self.you = you
        self.moves: list[int] = []

    def run(self) -> None:
        """Play until the input ends, or says quit."""
        print(f"{self.head['problem']}, size {self.head['size']}. Say {_HELP}.")
        while True:
            position = self._replied()
            print(drawn(position))
            if position.over:
                print(_result(position))
            else:
                print(f"{_STONES[position.side]} to move, of {len(position.legal)} moves.")
            try:
                words = input("> ").split()
            except EOFError:
                print()
                return
            except UnicodeDecodeError:
                print(f"that is no text; say {_HELP}")
                continue
            if words == ["quit"]:
                return
            try:
                self._obey(words, position)
            except (GraphError, OSError) as error:
                print(printable(str(error)))

    def _replied(self) -> Position:
        position = self.played.position(self.moves)
        while not position.over and self.you is not None and position.side != self.you:
            move = self.played.reply(position)
            print(f"{_STONES[position.side]} plays {position.name(position.legal.index(move))}")
            self.moves.append(move)
            position = self.played.position(self.moves)
        return position

    def _obey(self, words: list[str], position: Position) -> None:
        match words:
            case ["back"]:
                self._step_back()
            case ["new"]:
                self.moves = []
            case ["hint"]:
                shares, value = position.opinion()
                best = sorted(range(len(shares)), key=lambda place: -shares[place])[:5]
                print("  ".join(f"{position.name(place)} {shares[place]:.0%}" for place in best))
                print(f"value {value:+.2f}")
            case ["save", name]:
                write_atomically(Path(name), json.dumps({**self.head, "moves": self.moves}).encode())
            case ["load", name]:
                self.moves = self._read(Path(name))
            case [_, *_]:
                said = " ".join(words)
                names = [position.name(place) for place in range(len(position.legal))]
                if said not in names:
                    raise GraphError(f"{said}: is no legal move; say {_HELP}")
                self.moves.append(position.legal[names.index(said)])
            case _:
                pass

    def _step_back(self) -> None:
        """To where you last moved."""
        while self.moves:
            self.moves.pop()
            if self.you is None or self.played.position(self.moves).side == self.you:
                return

    def _read(self, path: Path) -> list[int]:
        try:
            saved = json.loads(read_whole(path, _MOST_BYTES))
            moves = saved["moves"]
            if not isinstance(moves, list) or any(type(move) is not int for move in moves):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            raise GraphError(f"{path}: is no saved game; it may be cut off") from None
        for name, value in self.head.items():
            if name in saved and saved[name] != value:
                raise GraphError(f"{path}: is a game of {name} {saved[name]!r}, and here {name} is {value!r}")
        self.played.position(moves)
        return moves


def drawn(position: Position) -> str:
    """The board: in rows where nodes stand on a grid, as a list elsewhere."""
    owner, names, marks = position.owner, position.node_names, position.marks
    shown = [_STONES[side] if side >= 0 else name for side, name in zip(owner, names, strict=True)]
    places = position.positions
    if places is None:
        rows = [f"{name}: {_STONES[side] if side >= 0 else mark or 'free'}"
                for name, side, mark in zip(names, owner, marks, strict=True)]  # fmt: skip
        return "\n".join(rows)
    wide = max(map(len, shown)) + 1
    lines: dict[float, list[tuple[float, str]]] = {}
    for (x, y), text in zip(places.tolist(), shown, strict=True):
        lines.setdefault(round(y, 3), []).append((x, text))
    left, found = min(place for line in lines.values() for place, _ in line), []
    for _, line in sorted(lines.items()):
        row = ""
        for x, text in sorted(line):
            row = row.ljust(round((x - left) * wide)) + text
        found.append(row.rstrip())
    return "\n".join(found)


def _result(position: Position) -> str:
    if not position.outcome:
        return "A draw. Say back, new or quit."
    return f"{_STONES[0 if position.outcome > 0 else 1]} has won. Say back, new or quit."
