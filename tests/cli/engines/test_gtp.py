"""The Go Text Protocol, spoken to a session."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from graphwright.cli.engines.gtp import GtpSession
from graphwright.cli.main import main
from graphwright.envs.games.hex.problem import HEX


def session() -> GtpSession:
    return GtpSession(HEX.opponent("resistance"), "resistance")


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
