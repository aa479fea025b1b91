"""The Go Text Protocol, spoken to a session."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from graphwright.cli.engines.gtp import GtpSession
from graphwright.cli.engines.player import Engine
from graphwright.cli.main import main
from graphwright.core import GraphBatch, Observation
from graphwright.envs.game import Game
from graphwright.envs.games.hex.problem import HEX
from graphwright.envs.games.shannon.environment import Shannon


def session() -> GtpSession:
    return GtpSession(Engine(HEX.opponent("resistance"), "resistance", HEX.game))


def test_a_game_is_played_shown_and_taken_back() -> None:
    engine = session()
    assert engine.answer("1 protocol_version") == "=1 2\n"
    assert engine.answer("known_command genmove") == "= true\n"
    assert engine.answer("boardsize 3") == "= \n"
    assert engine.answer("komi 6.5 # of no use") == "= \n"
    assert engine.answer("play black b2") == "= \n"
    assert engine.answer("play w A1") == "= \n"
    shown = engine.answer("7 showboard")
    assert shown is not None
    assert shown.splitlines()[2:4] == [" 1 W . .", "  2 . B ."]
    assert engine.answer("undo") == "= \n"
    assert engine.answer("undo") == "= \n"
    assert engine.answer("undo") == "? cannot undo\n"
    assert engine.answer("genmove b") == "= b2\n"  # through the middle flows most
    assert engine.answer("") == ""
    assert engine.answer("quit") == "= \n"
    assert engine.answer("name") is None


@pytest.mark.parametrize("decides", [False, True])
def test_white_takes_the_first_move_over_where_the_rule_is_on(decides: bool) -> None:
    """The resistance player leaves it to the circuits; of a game that has the rule, who plays it decides."""

    def swaps(game: Game, state: GraphBatch, generator: torch.Generator) -> torch.Tensor:
        seen = game.observe(state)
        assert seen.masks[1].tolist() == [len(asked) == 0]
        asked.append(seen)
        return torch.tensor([state.num_nodes if bool(seen.masks[1]) else 0])

    asked: list[Observation] = []
    game = Shannon(swap=True) if decides else HEX.game
    engine = GtpSession(Engine(swaps if decides else HEX.opponent("resistance"), "somebody", game), swap=True)
    engine.answer("boardsize 3")
    refused = "? illegal move: only white swaps, after black's first move, where the rule is on (--swap)\n"
    assert engine.answer("play w swap-pieces") == refused
    engine.answer("play b a2")
    assert engine.answer("play b swap-pieces") == refused
    assert engine.answer("play w swap-pieces") == "= \n"
    shown = engine.answer("showboard")
    assert shown is not None
    assert shown.splitlines()[2:5] == [" 1 . W .", "  2 . . .", "   3 . . ."]
    assert engine.answer("play w swap-pieces") == refused
    assert engine.answer("undo") == "= \n"
    assert engine.answer("undo") == "= \n"
    engine.answer("play b b2")  # which would win
    assert engine.answer("genmove w") == "= swap-pieces\n"
    assert engine.answer("genmove b") != "= swap-pieces\n"
    if not decides:
        engine.answer("clear_board")
        engine.answer("play b a1")  # which would not
        assert engine.answer("genmove w") != "= swap-pieces\n"
    without = session()
    without.answer("play b a1")
    assert without.answer("play w swap-pieces") == refused


def test_a_game_that_is_over_is_over() -> None:
    engine = session()
    engine.answer("boardsize 2")
    for move in ("b a1", "w b1", "b a2"):
        assert engine.answer(f"play {move}") == "= \n"
    assert engine.answer("genmove w") == "? the game is over: black has won\n"
    assert engine.answer("clear_board") == "= \n"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("boardsize 0", "? unacceptable size: boards have 1 to 26 rows\n"),
        ("boardsize 100", "? unacceptable size: boards have 1 to 26 rows\n"),
        ("boardsize", "? syntax error: boardsize takes a number of rows\n"),
        ("3 fly", "?3 unknown command\n"),
        ("play green b2", "? syntax error: say black or white\n"),
        ("play black", "? syntax error: play takes a colour and a cell such as b3\n"),
        ("play black z9", "? illegal move: the board has 3 rows\n"),
        ("play black a0", "? illegal move: the board has 3 rows\n"),
        ("play black a1", "? illegal move: a1 is taken\n"),
        ("genmove", "? syntax error: say black or white\n"),
        ("komi much", "? syntax error: komi takes a number, which means nothing in Hex\n"),
    ],
)
def test_what_is_no_command_or_move_is_said_in_a_line(line: str, answer: str) -> None:
    engine = session()
    engine.answer("boardsize 3")
    engine.answer("play w a1")
    assert engine.answer(line) == answer


def test_the_command_speaks_on_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said = b"boardsize 4\n\xff\xfe\n2 genmove black\nquit\nname\n"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(said)))
    main(["gtp", "--opponent", "random"])
    answers = capsys.readouterr().out.split("\n\n")
    assert answers[0] == "= "
    assert answers[-3].startswith("=2 ")
    for wrong in (["--opponent", "nobody"], ["no-such-run"], ["--simulations", "8"]):
        with pytest.raises(SystemExit):
            main(["gtp", *wrong])
        assert capsys.readouterr().err.count("\n") == 1


def test_quit_ends_the_command_while_stdin_is_still_open(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A controller says quit and waits for the process, without closing the pipe."""

    def lines() -> Iterator[bytes]:
        yield b"3 quit\n"
        pytest.fail("another line was asked for after quit")

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=lines()))
    main(["gtp", "--opponent", "random"])
    assert capsys.readouterr().out == "=3 \n\n"
