"""The Universal Hive Protocol, spoken to a session, to `uhp-utils`, and by a program that says nonsense."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from graphwright.cli.engines.uhp import UhpSession
from graphwright.cli.main import main
from graphwright.envs.games.hive import notation
from graphwright.envs.games.hive.notation import legal_hive_moves, move_string, parse_move
from graphwright.envs.games.hive.problem import HIVE
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.policies import ValuedPolicy
from graphwright.training.games.players import policy_player


def session() -> UhpSession:
    return UhpSession(HIVE.opponent("one-ply"), "one-ply")


def said(engine: UhpSession, line: str) -> list[str]:
    answer = engine.answer(line)
    assert answer is not None
    *lines, last = answer.splitlines()
    assert last == "ok"
    return lines


def test_a_game_is_begun_played_and_taken_back() -> None:
    engine = session()
    assert said(engine, "info")[0].startswith("id Graphwright ")
    assert said(engine, "newgame Base+MLP") == ["Base+MLP;NotStarted;White[1]"]
    assert len(said(engine, "validmoves")[0].split(";")) == 7
    assert said(engine, "play wS1") == ["Base+MLP;InProgress;Black[1];wS1"]
    assert said(engine, "play bG1 wS1-") == ["Base+MLP;InProgress;White[2];wS1;bG1 wS1-"]
    assert said(engine, "play wQ /wS1") == ["Base+MLP;InProgress;Black[2];wS1;bG1 wS1-;wQ /wS1"]
    best = said(engine, "bestmove depth 1")[0]
    assert best in said(engine, "validmoves")[0].split(";")
    assert said(engine, "bestmove time 00:00:01")
    assert said(engine, "undo 2") == ["Base+MLP;InProgress;Black[1];wS1"]
    assert said(engine, "perft 2")[0] == "0 1"
    whole = said(engine, "newgame Base+MLP;InProgress;White[2];wS1;bG1 wS1-")
    assert whole == ["Base+MLP;InProgress;White[2];wS1;bG1 wS1-"]
    assert said(engine, "options") == ["Seed;int;0;0;0;2147483647"]
    assert said(engine, "options set Seed 7") == ["Seed;int;7;0;0;2147483647"]
    assert engine.answer("exit") is None


@pytest.mark.parametrize(
    ("line", "start"),
    [
        *(("", "err"), ("fly", "err Unknown command"), ("undo", "err 1 moves"), ("undo -1", "err"), ("undo x", "err")),
        *(
            ("play wQ", "invalidmove"),
            ("play wS2", "invalidmove"),
            ("play wS1 -wS1", "invalidmove"),
            ("pass", "invalid"),
        ),
        *(("play", "invalidmove"), ("play wZ9 -wQ", "invalidmove"), ("play wS1 -wQ-", "invalidmove")),
        *(("newgame Chess", "err"), ("newgame Base+MM", "err"), ("newgame Base;InProgress;White[1];wQ", "err")),
        *(("bestmove", "err"), ("bestmove depth", "err"), ("perft x", "err"), ("perft 99", "err")),
        *(("options set Seed -3", "err"), ("options get Nothing", "err"), ("newgame Base;a;b;wS1;;", "err")),
        ("\x00\ufffd", "err"),
    ],
)
def test_what_is_no_command_or_move_is_said_and_changes_nothing(line: str, start: str) -> None:
    engine = session()
    assert said(engine, "validmoves")[0].startswith("err No game")
    said(engine, "newgame Base")
    (answer,) = said(engine, line)
    assert answer.startswith(start)
    assert engine.game_string == "Base;NotStarted;White[1]"


def test_a_position_that_occurs_three_times_draws_the_game() -> None:
    engine = session()
    said(engine, "newgame Base;InProgress;White[3];wS1;bS1 wS1-;wQ -wS1;bQ bS1-")
    for turn in range(2):
        for move in ("wQ /wS1", "bQ bS1\\", "wQ -wS1", "bQ bS1-"):
            (stands,) = said(engine, f"play {move}")
            assert stands.split(";")[1] == ("Draw" if (turn, move) == (1, "bQ bS1-") else "InProgress")
    assert said(engine, "validmoves") == ["err The game is over"]
    assert said(engine, "play wA1 -wQ") == ["invalidmove the game is over"]
    assert said(engine, "undo")[0].split(";")[1] == "InProgress"
    whole = said(engine, "play bQ bS1-")[0]
    assert said(session(), f"newgame {whole}")[0].split(";")[1] == "Draw"


def test_a_search_keeps_to_a_time_and_looks_no_further_than_a_depth() -> None:
    network = EncoderConfig(kind="gin", width=4, depth=1), HeadsConfig()
    policy = ValuedPolicy(HIVE.environment.features, HIVE.environment.actions, *network)
    engine = UhpSession(policy_player(policy, 4), "untrained")
    said(engine, "newgame Base")
    legal = said(engine, "validmoves")[0].split(";")
    assert said(engine, "bestmove time 0:0:1")[0] in legal
    assert said(engine, "bestmove depth 1")[0] in legal


def test_words_and_moves_of_random_games_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    state, generator = (
        HIVE.game.reset(HIVE.generator(law="MLP")(1, torch.Generator())),
        torch.Generator().manual_seed(4),
    )
    for _ in range(50):
        moves = legal_hive_moves(state)
        monkeypatch.setattr(notation, "legal_hive_moves", lambda _, found=moves: found)  # once, not for every word
        words = [move_string(state, move) for move in moves]
        assert len(set(words)) == len(words)
        assert [parse_move(state, word) for word in words] == moves
        step = HIVE.game.step(state, HIVE.opponent("random")(HIVE.game, state, generator))
        state = step.state
        if bool(step.terminated):
            return


def test_uhp_utils_drives_the_engine() -> None:
    perft = pytest.importorskip("uhp_utils.perft")
    engine = pytest.importorskip("uhp_utils.engine")
    command = [sys.executable, "-m", "graphwright", "uhp", "--opponent", "random"]
    driven = engine.EngineWrapper(command, startup_timeout=60, command_timeout=60)
    try:
        assert driven.command("newgame Base+P")[0].startswith("Base+P;NotStarted")
        counted = perft.parse_perft_results(driven.command("perft 3"))
        assert counted[3] == 2_610
        assert driven.command("nonsense")[0].startswith("err")
        driven.command("newgame Base;InProgress;White[3];wS1;bS1 wS1-;wQ -wS1;bQ bS1-")
        for move in ("wQ /wS1", "bQ bS1\\", "wQ -wS1", "bQ bS1-") * 2:
            best = driven.command("bestmove time 00:00:01")[0]
            assert best in driven.command("validmoves")[0].split(";")
            stands = driven.command(f"play {move}")[0]
        assert stands.split(";")[1] == "Draw"
    finally:
        driven.terminate()


def test_perft_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    main(["perft", "hive", "--expansions", "MLP", "--depth", "3", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["expansions"] == "MLP"
    assert [row["count"] for row in document["counts"]] == [7, 294, 6_678]
    main(["perft", "hive", "--depth", "2"])
    assert "96" in capsys.readouterr().out
    for wrong in (["chess"], ["hive", "--expansions", "MX"], ["hive", "--depth", "0"], ["hive", "--depth", "99"]):
        with pytest.raises(SystemExit):
            main(["perft", *wrong])
        assert capsys.readouterr().err.count("\n") == 1
