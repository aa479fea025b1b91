"""`graphwright match` and `evaluate` of a run on a game, as others call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from command_line import fails
from graphwright.cli.main import main
from graphwright.envs.registry import find_problem
from strategies import seeded

QUICK = (
    "--algorithm ppo --steps 1 --threads 1 --encoder.width 8 --encoder.depth 1 --num-envs 8 --num-steps 4 "
    "--validation.games 2"
)


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("games") / "run"
    main(["train", "tic-tac-toe", "--run", str(directory), *QUICK.split()])
    return directory


def test_the_moves_of_every_game_are_those_of_the_rules(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["match", str(run), "--opponent", "one-ply", "--games", "6", "--threads", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["games"] == found["wins"] + found["draws"] + found["losses"] == len(found["played"]) == 6
    assert found["sides"]["first"]["wins"] + found["sides"]["second"]["wins"] == found["wins"]
    assert 0 <= found["low"] <= found["score"] <= found["high"] <= 1
    problem = find_problem("tic-tac-toe")
    game, counts = problem.game, {"win": 0, "draw": 0, "loss": 0}
    for played in found["played"]:
        state = game.reset(problem.generator(sizes=(3,))(1, seeded()))
        for number, move in enumerate(played["moves"], 1):
            step = game.step(state, torch.tensor([move]))
            assert bool(step.terminated) == (number == len(played["moves"]))
            state = step.state
        points = int(game.outcome(state)) * (1 if played["side"] == "first" else -1)
        assert played["outcome"] == {1: "win", 0: "draw", -1: "loss"}[points]
        counts[played["outcome"]] += 1
    assert counts == {"win": found["wins"], "draw": found["draws"], "loss": found["losses"]}


def test_runs_and_searches_play_too(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--games", "4", "--threads", "1", "--opening", "1"]
    main(["match", str(run), "--opponent", str(run), "--simulations", "3", "--opponent-simulations", "2", *options])
    assert "both" in capsys.readouterr().out
    main(["match", str(run), "--opponent", "uct-3", "--size", "4", "--decode", "sample", *options])
    assert "tic-tac-toe, size 4" in capsys.readouterr().out


def test_evaluate_plays_all_that_know_the_size(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", str(run), "--sizes", "3", "5", "--games", "2", "--threads", "1", "--json"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["size"], row["opponent"]) for row in rows] == [
        *((3, name) for name in ("random", "one-ply", "perfect")),
        *((5, name) for name in ("random", "one-ply")),
    ]
    assert all(row["wins"] + row["draws"] + row["losses"] == 2 for row in rows)


def test_an_opponent_is_evaluated_without_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Named baselines ran for every problem but games."""
    words = ["evaluate", "tic-tac-toe", "--games", "20", "--threads", "1"]
    main([*words, "--policy", "one-ply", "--sizes", "3", "5", "--json"])
    document = json.loads(capsys.readouterr().out)
    rows = document["rows"]
    assert (document["problem"], document["policy"]) == ("tic-tac-toe", "one-ply")
    assert [(row["size"], row["opponent"]) for row in rows] == [
        *((3, name) for name in ("random", "one-ply", "perfect")),
        *((5, name) for name in ("random", "one-ply")),
    ]
    assert rows[0]["score"] > 0.6 > rows[2]["score"]
    for options, reason in (
        ("one-ply --simulations 4", "--simulations 4: is about what is trained, as --policy one-ply is not"),
        ("nobody", "--policy nobody: tic-tac-toe has none of this name; choose one of random, one-ply, perfect, uct-N"),
        ("perfect --sizes 5", "--policy perfect: perfect play is found of positions with at most 16"),
        ("random --opponents nobody", "--opponents nobody: tic-tac-toe has none of this name; choose one of random"),
    ):
        assert reason in fails(capsys, *words, "--policy", *options.split())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--opponent nobody", "--opponent nobody: tic-tac-toe has none of this name, and it is no run directory"),
        ("--opponent uct-0", "--opponent uct-0: give 1 to 100000 simulations"),
        ("--opponent random --games 3", "--games 3: give an even number"),
        ("--opponent random --size 0", "--size 0: give at least 1"),
        ("--opponent random --size 100", "--size 100: board: a board has 1 to 26 rows, not 100"),
        ("--opponent random --simulations -1", "--simulations -1: give 0 to 100000"),
        ("--opponent random --simulations 2 --decode sample", "--decode sample: a search makes the best move"),
        ("--opponent random --opponent-simulations 2", "--opponent-simulations: random is no run"),
        ("--opponent random --opening -1", "--opening -1: give at least 0"),
        ("--opponent perfect --size 5", "perfect play is found of positions with at most 16 empty cells"),
    ],
)
def test_what_makes_no_match_is_said_in_one_line(
    run: Path, options: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reason in fails(capsys, "match", str(run), *options.split())


def test_what_is_no_game_has_no_matches(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "holds no run" in fails(capsys, "match", str(tmp_path), "--opponent", "random")
    assert "--port 99999: give 0 to 65535" in fails(capsys, "play", str(run), "--port", "99999")
    graph = tmp_path / "a.txt"
    graph.write_text("a b\n")
    assert "is a game; see `graphwright match`" in fails(capsys, "solve", str(run), str(graph))


def test_openings_that_decide_games_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--opponent", "one-ply", "--games", "4", "--threads", "1", "--opening", "9")
    assert "4 of 4 games were over before a player made a move; draw fewer" in fails(capsys, "match", run, *options)


def test_one_game_has_no_interval(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["match", str(run), "--opponent", "one-ply", "--games", "2", "--threads", "1"])
    first = next(line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["first"])
    assert " to " not in first


def test_the_switching_game_is_played_on_a_graph_of_a_file(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the names of its nodes; a graph that is decided already, and games that read no files, are refused."""
    shannon, net = tmp_path / "shannon", tmp_path / "net.json"
    main(["train", "shannon", "--run", str(shannon), "--sizes", "8", *QUICK.split()])
    links = [{"source": one, "target": other} for one, other in ("ab", "ac", "bd", "cd", "ae", "ed", "bc", "ce")]
    net.write_text(json.dumps({"nodes": [{"id": name} for name in "abcde"], "links": links, "graph": {}}))
    words = ["match", str(shannon), "--opponent", "perfect", "--games", "4", "--threads", "1"]
    on = ["--instances", str(net), "--mark", "terminal=a,d"]
    main([*words, *on, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["instances"] == [str(net)]
    assert "size" not in found
    assert all(set(game["moves"]) <= {1, 2, 4} for game in found["played"])
    main([*words, *on])
    assert "both" in capsys.readouterr().out
    said = iter(["b", "quit"])
    monkeypatch.setattr("builtins.input", lambda _: next(said))
    main(["play", str(shannon), "--text", "--instance", str(net), "--mark", "terminal=a,d", "--threads", "1"])
    assert "\nb: X\n" in capsys.readouterr().out
    assert "decided before it begins" in fails(capsys, *words, "--instances", net, "--mark", "terminal=a,b")
    assert "--size 8: a file has a size of its own" in fails(capsys, *words, *on, "--size", 8)
    assert "reads no files" in fails(capsys, "match", run, "--opponent", "random", "--instances", net)
