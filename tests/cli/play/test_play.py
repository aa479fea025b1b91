"""The page's server by HTTP, and the game in the terminal."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from graphwright.cli.play.page import PAGE
from graphwright.cli.play.server import PlayServer
from graphwright.cli.play.text import TextGame
from graphwright.envs.registry import find_problem
from graphwright.nn.policies import ValuedPolicy
from graphwright.training.config import TrainConfig
from graphwright.training.games.played import PlayedGame
from graphwright.training.games.players import PolicyPlayer
from strategies import seeded

HEAD = {"problem": "tic-tac-toe", "size": 3, "seed": 1}


def played() -> PlayedGame:
    problem = find_problem("tic-tac-toe")
    config = TrainConfig.for_problem(problem, encoder={"kind": "gin", "width": 8, "depth": 1})
    torch.manual_seed(0)
    policy = ValuedPolicy(problem.environment.features, problem.environment.actions, config.encoder, config.heads)
    board = problem.generator(sizes=(3,))(1, seeded())
    return PlayedGame(problem.game, board, policy, PolicyPlayer(policy))


@pytest.fixture(name="server")
def _server() -> Iterator[PlayServer]:
    with PlayServer(played(), HEAD) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: PlayServer, what: str, request: Any, token: str | None = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=120)
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    path = f"/{server.token if token is None else token}/{what}"
    connection.request("POST" if what else "GET", path, body if what else None, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, json.loads(data) if answer.getheader("Content-Type") == "application/json" else data.decode()


def test_a_game_is_played_to_its_end(server: PlayServer) -> None:
    status, found = ask(server, "position", {"moves": [], "opinion": True})
    assert status == 200
    assert [node["name"] for node in found["nodes"]] == ["a3", "b3", "c3", "a2", "b2", "c2", "a1", "b1", "c1"]
    assert len(found["legal"]) == 9
    assert sum(move["probability"] for move in found["legal"]) == pytest.approx(1, abs=0.01)
    assert -1 <= found["value"] <= 1
    assert len(found["links"]) == 20
    while not found["over"]:
        status, found = ask(server, "reply", {"moves": found["moves"]})
        assert status == 200
        assert sum(node["owner"] >= 0 for node in found["nodes"]) == len(found["moves"])
    assert found["outcome"] in (-1, 0, 1)
    assert found["legal"] == []
    status, refused = ask(server, "reply", {"moves": found["moves"]})
    assert (status, refused["error"]) == (400, "the game is over; take a move back, or begin another")
    status, back = ask(server, "position", {"moves": found["moves"][:-1]})
    assert (status, back["over"]) == (200, False)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"moves": [4, 4]}, "move 2: b2 is not legal; it changes nothing"),
        ({"moves": [99]}, "move 1: 99 is not legal; it changes nothing"),
        ({"moves": [0, 3, 1, 4, 2, 5]}, "move 6: the game is over after 5 moves"),
        ({"moves": [True]}, "moves: give a list of at most 10000 whole numbers"),
        ({"moves": "4"}, "moves: give a list of at most 10000 whole numbers"),
        ({}, "moves: give a list of at most 10000 whole numbers"),
        ({"moves": [], "size": 4}, "is a game of size 4, and here size is 3"),
        ([], "give an object with moves"),
        (b'{"moves": [1, 2', "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"\xff", "is no JSON"),
    ],
)
def test_what_is_no_game_is_refused_in_one_line(server: PlayServer, request_: Any, reason: str) -> None:
    assert ask(server, "position", request_) == (400, {"error": reason})


def test_whatever_goes_wrong_is_said_and_nothing_is_printed(
    server: PlayServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A length of thousands of digits, a player that refuses a position, a browser that is gone amid its request."""
    assert ask(server, "position", b"", **{"Content-Length": "9" * 5000})[0] == 413
    monkeypatch.setattr(server.played, "player", refuse)
    assert ask(server, "reply", {"moves": []}) == (400, {"error": "a board that is too large"})
    gone = socket.create_connection(("127.0.0.1", server.server_port))
    gone.sendall(f"POST /{server.token}/position HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n".encode())
    gone.sendall(b"Content-Length: 100\r\n\r\n{")
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by a reset
    gone.close()
    assert ask(server, "position", {"moves": []})[0] == 200
    assert capsys.readouterr().err == ""


def refuse(game: Any, states: Any, generator: Any) -> Any:
    raise ValueError("a board that is too large")


def test_others_are_refused(server: PlayServer) -> None:
    """Another host in the request, another page, another token; and all that is not there."""
    good = {"moves": []}
    for what in ("", "position"):
        assert ask(server, what, good, token="x" * 22)[0] == 403
        assert ask(server, what, good, token="")[0] == 403
        assert ask(server, what, good, Host="evil.example")[0] == 403
        assert ask(server, what, good, Host=f"evil.example:{server.server_port}")[0] == 403
        assert ask(server, what, good, Origin="http://evil.example")[0] == 403
        assert ask(server, what, good, Host=f"localhost:{server.server_port}")[0] == 200
    assert ask(server, "secrets", good)[0] == 404
    assert ask(server, "position", b" " * ((1 << 18) + 1))[0] == 413
    assert server.server_address[0] == "127.0.0.1"


def test_two_at_once_and_one_that_leaves_lose_nothing(server: PlayServer) -> None:
    def play(first: int) -> list[int]:
        moves = [first]
        while not (found := ask(server, "reply", {"moves": moves})[1])["over"]:
            moves = found["moves"]
        return found["moves"]

    alone = [play(first) for first in (0, 4)]
    gone = http.client.HTTPConnection("127.0.0.1", server.server_port)
    gone.request("POST", f"/{server.token}/reply", b'{"moves": []}')
    gone.close()
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(play, (0, 4, 0, 4)))
    assert together == alone * 2


def test_the_page_needs_nothing_from_outside(server: PlayServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    connection.request("GET", f"/{server.token}/")
    answer = connection.getresponse()
    page = answer.read().decode()
    policy = answer.getheader("Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; connect-src 'self'; ")
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert page == PAGE.replace("NONCE", nonce)
    assert "http" not in PAGE.replace("http://www.w3.org/2000/svg", "")
    for needed in ('role="status"', 'role="alert"', 'lang="en"', "aria-label", "tabindex", "width=device-width"):
        assert needed in PAGE


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_script_of_the_page_is_valid(tmp_path: Path) -> None:
    script = PAGE.split('<script nonce="NONCE">')[1].split("</script>")[0]
    (tmp_path / "page.js").write_text(script)
    done = subprocess.run(["node", "--check", tmp_path / "page.js"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_game_in_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved, cut = tmp_path / "game.json", tmp_path / "cut.json"
    cut.write_text('{"moves": [1, 2')
    words = iter(
        [
            *("b2", "b2", "hint", f"save {saved}", "a3", "back", f"load {cut}", f"load {saved}"),
            *("a3", "c3", "a1", "b3", "c1", "new", "", "quit"),
        ]
    )
    monkeypatch.setattr("builtins.input", lambda _: next(words))
    TextGame(played(), HEAD, None).run()
    shown = capsys.readouterr().out
    assert shown.startswith("tic-tac-toe, size 3. Say a move by its name, back, hint,")
    assert "a3 b3 c3\na2 b2 c2\na1 b1 c1\nX to move, of 9 moves.\n" in shown
    assert "b2: is no legal move" in shown
    assert "value " in shown
    assert f"{cut}: is no saved game; it may be cut off" in shown
    assert "X  O  X\n" in shown or "O  X" in shown
    assert json.loads(saved.read_text()) == {**HEAD, "moves": [4]}


def test_the_policy_answers_in_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = iter(["b2"])

    def said(_: str) -> str:
        try:
            return next(words)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", said)
    TextGame(played(), HEAD, 0).run()
    assert "O plays " in capsys.readouterr().out
