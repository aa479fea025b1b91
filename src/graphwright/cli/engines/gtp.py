"""`graphwright gtp`: the Go Text Protocol, for Hex."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import torch
import tyro

import graphwright
from graphwright.cli.engines.player import Conversation, Engine, EngineOptions
from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.games.hex.problem import HEX
from graphwright.envs.games.shannon.measures import measured
from graphwright.envs.generators.board import MOST_ROWS

_COLOURS = {"b": 0, "black": 0, "w": 1, "white": 1}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
SWAP = "swap-pieces"
_STONES = {-1: ".", 0: "B", 1: "W"}


@dataclass(frozen=True)
class Gtp:
    """Play Hex by the Go Text Protocol, on stdin and stdout, for programs that show a board.

    Black joins the upper and the lower border. Without a RUN the opponent resistance plays. The command list_commands
    says what can be asked.
    """

    swap: bool = False
    """White may answer the first move by swap-pieces: its stone becomes white, mirrored at the long diagonal."""
    options: Annotated[EngineOptions, tyro.conf.arg(name="")] = field(default_factory=EngineOptions)

    def run(self) -> None:
        """Answer until stdin ends or somebody says quit."""
        engine = self.options.player(HEX.name, "resistance")
        session = GtpSession(engine, self.swap, self.options.seed)
        Conversation(session.answer, is_over=lambda: session.is_over).run()


class GtpSession:
    """What an engine knows between two commands: a board and the moves that led to where it is."""

    def __init__(self, engine: Engine, swap: bool = False, seed: int = 0) -> None:
        self.player, self.name, self.game = engine
        self.swap = swap
        self.generator = torch.Generator().manual_seed(seed)
        self.is_over = False
        self.commands: dict[str, Callable[[list[str]], str]] = {
            "protocol_version": lambda words: "2",
            "name": lambda words: f"Graphwright {self.name}",
            "version": lambda words: str(graphwright.__version__),
            "known_command": lambda words: str(words[:1] != [] and words[0] in self.commands).lower(),
            "list_commands": lambda words: "\n".join(self.commands),
            "boardsize": self._board_size,
            "clear_board": lambda words: self._clear(self.size),
            "komi": self._komi,
            "play": self._play,
            "genmove": self._generate,
            "undo": self._undo,
            "showboard": lambda words: self._show(),
            "quit": self._quit,
        }
        self._clear(11)

    def answer(self, line: str) -> str | None:
        """The answer to a command, "" to an empty line; None after quit."""
        if self.is_over:
            return None
        text = re.sub(r"[^\x20-\x7e]", " ", line.partition("#")[0].replace("\t", " ")).strip()
        found = re.fullmatch(r"(?:(\d+)\s+)?(\S.*)", text)
        if found is None:
            return ""
        number, (word, *words) = found[1] or "", found[2].split()
        if word not in self.commands:
            return f"?{number} unknown command\n"
        try:
            return f"={number} {self.commands[word](words)}\n"
        except ValueError as error:
            return f"?{number} {' '.join(str(error).split())}\n"

    def _clear(self, size: int) -> str:
        state = self.game.reset(HEX.generator(sizes=(size,))(1, torch.Generator()))
        self.states = [state.with_graphs(exchanged=torch.tensor([True]))]  # swaps are played here
        self.size = size
        return ""

    def _board_size(self, words: list[str]) -> str:
        if not words or len(words) > 2 or len(set(words)) > 1 or not re.fullmatch(r"-?\d{1,9}", words[0]):
            raise ValueError("syntax error: boardsize takes a number of rows")
        if not 1 <= int(words[0]) <= MOST_ROWS:
            raise ValueError(f"unacceptable size: boards have 1 to {MOST_ROWS} rows")
        return self._clear(int(words[0]))

    def _komi(self, words: list[str]) -> str:
        if len(words) != 1 or not re.fullmatch(r"-?\d{1,9}(\.\d{0,9})?", words[0]):
            raise ValueError("syntax error: komi takes a number, which means nothing in Hex")
        return ""

    def _colour(self, words: list[str]) -> int:
        if not words or words[0].lower() not in _COLOURS:
            raise ValueError("syntax error: say black or white")
        return _COLOURS[words[0].lower()]

    def _to_move(self, colour: int) -> GraphBatch:
        """Where the game is, with that colour to move. Raises ValueError where it is over."""
        state = self.states[-1]
        if int(state.graphs["winner"]) >= 0:
            raise ValueError(f"the game is over: {('black', 'white')[int(state.graphs['winner'])]} has won")
        return state.with_graphs(player=torch.tensor([colour]))

    def _play(self, words: list[str]) -> str:
        colour = self._colour(words)
        if words[1:] == [SWAP]:
            return self._exchange(colour, "")
        found = re.fullmatch(r"([a-z])(\d{1,3})", words[1].lower()) if len(words) == 2 else None
        if found is None:
            raise ValueError("syntax error: play takes a colour and a cell such as b3")
        column, row = _LETTERS.index(found[1]), int(found[2]) - 1
        state = self._to_move(colour)
        if column >= self.size or not 0 <= row < self.size:
            raise ValueError(f"illegal move: the board has {self.size} rows")
        if int(state.nodes["owner"][row * self.size + column]) >= 0:
            raise ValueError(f"illegal move: {words[1].lower()} is taken")
        return self._make(state, row * self.size + column, "")

    def _generate(self, words: list[str]) -> str:
        colour = self._colour(words)
        may_swap = self._may_swap(colour)
        state = self._to_move(colour).with_graphs(exchanged=torch.tensor([not may_swap]))
        place = int(self.player(self.game, state, self.generator))
        if may_swap and not _knows_swap(self.game) and self._is_behind(state, place):
            return self._exchange(colour, SWAP)
        if place == state.num_nodes:
            return self._exchange(colour, SWAP)
        return self._make(state, place, f"{_LETTERS[place % self.size]}{place // self.size + 1}")

    def _may_swap(self, colour: int) -> bool:
        owner = self.states[-1].nodes["owner"][: self.size**2]
        return self.swap and colour == 1 and int((owner == 0).sum()) == int((owner >= 0).sum()) == 1

    def _is_behind(self, state: GraphBatch, place: int) -> bool:
        """Whether black is ahead by the circuits, before and after white's reply taken together."""
        after = self.game.step(state, torch.tensor([place])).state
        return float(measured(state).lead + measured(after).lead) > 0

    def _exchange(self, colour: int, answer: str) -> str:
        """Let white take the first stone over: it keeps its colour and its borders, so the stone is mirrored."""
        self._to_move(colour)
        if not self._may_swap(colour):
            raise ValueError("illegal move: only white swaps, after black's first move, where the rule is on (--swap)")
        cell = int((self.states[-1].nodes["owner"][: self.size**2] == 0).nonzero())
        begin = self.states[0].with_graphs(player=torch.tensor([1]))
        return self._make(begin, cell % self.size * self.size + cell // self.size, answer)

    def _make(self, state: GraphBatch, place: int, answer: str) -> str:
        self.states.append(self.game.step(state, torch.tensor([place])).state)
        return answer

    def _undo(self, words: list[str]) -> str:
        if len(self.states) == 1:
            raise ValueError("cannot undo")
        self.states.pop()
        return ""

    def _show(self) -> str:
        rows = self.states[-1].nodes["owner"][: self.size**2].view(self.size, self.size).tolist()
        letters = "  " + " ".join(_LETTERS[: self.size])
        lines = [
            f"{' ' * row}{row + 1:2d} {' '.join(_STONES[stone] for stone in cells)}" for row, cells in enumerate(rows)
        ]
        return "\n".join(["", f" {letters}", *lines])

    def _quit(self, words: list[str]) -> str:
        self.is_over = True
        return ""


def _knows_swap(game: Game) -> bool:
    """Whether whoever plays decides itself, since its game has the rule."""
    return len(game.actions.blocks) > 1
