"""`graphwright uhp`: the Universal Hive Protocol."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import torch
import tyro

import graphwright
from graphwright.cli.engines.player import Conversation, EngineOptions
from graphwright.core import GraphBatch
from graphwright.envs.games.hive.environment import EXPANSIONS, Hive, with_expansions
from graphwright.envs.games.hive.notation import (
    PASS,
    HiveMove,
    chosen_hive_move,
    legal_hive_moves,
    move_string,
    parse_move,
)
from graphwright.envs.games.hive.perft import perft
from graphwright.envs.games.hive.problem import HIVE
from graphwright.envs.games.hive.repetition import Key, position_key
from graphwright.envs.problem import Opponent
from graphwright.training.games.bounded import move_in_time, move_to_depth

_DEEPEST = 7
_CAPABILITIES = "Mosquito;Ladybug;Pillbug"


@dataclass(frozen=True)
class Uhp:
    """Play Hive by the Universal Hive Protocol, on stdin and stdout, for programs that show a board.

    Without a RUN the opponent one-ply plays. Commands: info, newgame, play, pass, validmoves, bestmove, undo, options,
    perft, exit.
    """

    options: Annotated[EngineOptions, tyro.conf.arg(name="")] = field(default_factory=EngineOptions)

    def run(self) -> None:
        """Answer until stdin ends or somebody says exit."""
        engine = self.options.player(HIVE.name, "one-ply")
        session = UhpSession(engine.player, engine.name, self.options.seed)
        Conversation(session.answer, session.answer("info") or "").run()


class UhpSession:
    """What an engine knows between two commands: a game and the moves that led to where it is."""

    def __init__(self, player: Opponent, name: str, seed: int = 0) -> None:
        self.player, self.name = player, name
        self.game = Hive(limit=0)
        self.seed = seed
        self.generator = torch.Generator().manual_seed(seed)
        self.letters = ""
        self.states: list[GraphBatch] = []
        self.positions: list[Key] = []
        self.moves: list[str] = []
        self.commands: dict[str, Callable[[str], str]] = {
            "info": self._info,
            "newgame": self._new_game,
            "play": self._play,
            "pass": lambda rest: self._play(PASS),
            "validmoves": self._valid_moves,
            "bestmove": self._best_move,
            "undo": self._undo,
            "options": self._options,
            "perft": self._perft,
        }

    def answer(self, line: str) -> str | None:
        """The answer to a command, which ends with "ok"; None where it says to exit."""
        word, _, rest = line.strip().partition(" ")
        word = word.lower()
        if word in ("exit", "quit"):
            return None
        if not word:
            return "err Say a command: " + ", ".join([*self.commands, "exit"]) + "\nok"
        if word not in self.commands:
            return f"err Unknown command; choose one of {', '.join([*self.commands, 'exit'])}\nok"
        try:
            return f"{self.commands[word](rest.strip())}\nok"
        except InvalidMove as error:
            return f"invalidmove {error}\nok"
        except ValueError as error:
            return f"err {' '.join(str(error).split())}\nok"

    @property
    def state(self) -> GraphBatch:
        """Where the game is. Raises ValueError where none has begun."""
        if not self.states:
            raise ValueError("No game has begun; say newgame")
        return self.states[-1]

    @property
    def game_string(self) -> str:
        """The game as one line: its kind, how it stands, who moves, and all moves."""
        state, count = self.state, len(self.moves)
        winner = int(state.graphs["winner"])
        if winner >= 0:
            stands = ("WhiteWins", "BlackWins")[winner]
        elif bool(state.graphs["drawn"]) or self._repeated():
            stands = "Draw"
        else:
            stands = "InProgress" if count else "NotStarted"
        turn = f"{('White', 'Black')[count % 2]}[{count // 2 + 1}]"
        return ";".join([f"Base+{self.letters}" if self.letters else "Base", stands, turn, *self.moves])

    def _is_over(self) -> bool:
        return int(self.state.graphs["winner"]) >= 0 or bool(self.state.graphs["drawn"]) or self._repeated()

    def _repeated(self) -> bool:
        """Whether this position has occurred for the third time, which draws the game."""
        return self.positions.count(self.positions[-1]) >= 3

    def _info(self, rest: str) -> str:
        return f"id Graphwright {graphwright.__version__} {self.name}\n{_CAPABILITIES}"

    def _new_game(self, rest: str) -> str:
        kind, *parts = [part.strip() for part in rest.split(";")]
        found = re.fullmatch(r"(?:base)?(?:\+?([mlp]{1,3}))?", kind.lower())
        if found is None or len(set(found[1] or "")) != len(found[1] or ""):
            raise ValueError(f"{kind!r} is no kind of game; write Base, or Base+MLP with the expansions that are in it")
        before = self.letters, self.states, self.positions, self.moves
        try:
            self._begin(found[1] or "")
            for move in parts[2:]:
                self._play(move)
        except ValueError as error:
            self.letters, self.states, self.positions, self.moves = before
            raise ValueError(f"the game cannot be played: {error}") from None
        return self.game_string

    def _begin(self, letters: str) -> None:
        self.letters = "".join(letter for letter in EXPANSIONS if letter.lower() in letters)
        self.states, self.moves = (
            [self.game.reset(with_expansions(self.letters, HIVE.generator()(1, torch.Generator())))],
            [],
        )
        self.positions = [position_key(self.states[0])]

    def _play(self, text: str) -> str:
        state = self.state
        if self._is_over():
            raise InvalidMove("the game is over")
        try:
            move = parse_move(state, text)
        except ValueError as error:
            raise InvalidMove(str(error)) from None
        self._make(state, move)
        return self.game_string

    def _make(self, state: GraphBatch, move: HiveMove) -> None:
        step = self.game.move(state, torch.tensor([move.piece]), torch.tensor([[move.q, move.r]]))
        self.moves.append(move_string(state, move))
        self.states.append(step.state)
        self.positions.append(position_key(step.state))

    def _valid_moves(self, rest: str) -> str:
        state = self.state
        if self._is_over():
            raise ValueError("The game is over")
        return ";".join(move_string(state, move) for move in legal_hive_moves(state))

    def _best_move(self, rest: str) -> str:
        state = self.state
        if self._is_over():
            raise ValueError("The game is over")
        found = re.fullmatch(r"time (\d{1,3}):(\d{1,2}):(\d{1,2})|depth (\d{1,4})", rest.lower())
        if found is None:
            raise ValueError("Say bestmove time HH:MM:SS, or bestmove depth N")
        if found[4] is None:
            hours, minutes, seconds = (int(part) for part in found.groups()[:3])
            limit = 3600 * hours + 60 * minutes + seconds
            action = move_in_time(self.player, self.game, state, self.generator, limit)
        else:
            action = move_to_depth(self.player, self.game, state, self.generator, int(found[4]))
        return move_string(state, chosen_hive_move(state, int(action)))

    def _undo(self, rest: str) -> str:
        self.state  # noqa: B018 (raises where there is none)
        if not re.fullmatch(r"[0-9]{0,9}", rest):
            raise ValueError(f"{rest!r} is no number of moves")
        number = int(rest or 1)
        if not 1 <= number <= len(self.moves):
            raise ValueError(f"{number} moves cannot be taken back of {len(self.moves)}")
        kept = len(self.moves) - number
        self.states, self.positions, self.moves = (
            self.states[: kept + 1],
            self.positions[: kept + 1],
            self.moves[:kept],
        )
        return self.game_string

    def _options(self, rest: str) -> str:
        words = rest.split()
        line = f"Seed;int;{self.seed};0;0;{2**31 - 1}"
        if not words or [word.lower() for word in words] == ["get", "seed"]:
            return line
        if len(words) == 3 and [word.lower() for word in words[:2]] == ["set", "seed"]:
            if not re.fullmatch(r"[0-9]{1,10}", words[2]) or int(words[2]) >= 2**31:
                raise ValueError(f"Seed is a whole number from 0 to {2**31 - 1}")
            self.seed = int(words[2])
            self.generator.manual_seed(self.seed)
            return f"Seed;int;{self.seed};0;0;{2**31 - 1}"
        raise ValueError("Say options, options get Seed or options set Seed NUMBER; there is no other option")

    def _perft(self, rest: str) -> str:
        if not re.fullmatch(r"[0-9]{0,3}", rest) or not 0 <= int(rest or 4) <= _DEEPEST:
            raise ValueError(f"Say perft and a depth from 0 to {_DEEPEST}")
        return "\n".join(f"{depth} {perft(self.state, depth)[0]}" for depth in range(int(rest or 4) + 1))


class InvalidMove(ValueError):
    """A move that is none."""
