"""The page in a browser: played with the mouse and the keyboard, on a desk and on a phone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from cli.play.browser import CHROMIUM, Browser
from graphwright.cli.play.server import PlayServer
from graphwright.envs.registry import find_problem
from graphwright.nn.policies import ValuedPolicy
from graphwright.training.config import TrainConfig
from graphwright.training.games.played import PlayedGame
from graphwright.training.games.players import PolicyPlayer
from strategies import seeded

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
READY = 'board && !$("status").textContent.includes("thinking") && (board.over || isYours(board.side))'


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[PlayServer]:
    problem = find_problem("hex")
    config = TrainConfig.for_problem(problem, encoder={"width": 8, "depth": 1})
    torch.manual_seed(0)
    policy = ValuedPolicy(problem.environment.features, problem.environment.actions, config.encoder, config.heads)
    board = problem.generator(sizes=(5,))(1, seeded())
    played = PlayedGame(problem.game, board, policy, PolicyPlayer(policy))
    with PlayServer(played, {"problem": "hex", "size": 5, "seed": 1}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(name="page", scope="module")
def _page(server: PlayServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    browser.size(1280, 900)
    browser.call("Page.navigate", url=server.address)
    browser.wait(f'document.readyState === "complete" && typeof board !== "undefined" && {READY}')
    yield browser
    browser.close()


@pytest.mark.parametrize(("width", "height", "phone"), [(1280, 900, False), (390, 844, True)])
def test_everything_fits_and_can_be_hit(page: Browser, width: int, height: int, phone: bool, tmp_path: Path) -> None:
    page.size(width, height, phone)
    page.run("go([])")
    page.wait(f"board.moves.length === 0 && {READY}")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    assert page.run('[...document.querySelectorAll("button:not([disabled])")].every(b => b.offsetHeight >= 40)')
    smallest = 'Math.min(...[...document.querySelectorAll("#board circle")].map(c => c.getBoundingClientRect().width))'
    assert page.run(smallest) >= 24
    place = page.run('(r => [r.x + r.width / 2, r.y + r.height / 2])($("board").querySelector("[role=button] circle")'
                     ".getBoundingClientRect())")  # fmt: skip
    page.click(*place)
    page.wait(f"board.moves.length === 2 && {READY}")
    page.screenshot(tmp_path / "page.png")
    assert page.errors == []


def test_the_keyboard_plays_and_a_screen_reader_is_told(page: Browser) -> None:
    page.run("go([])")
    page.wait(f"board.moves.length === 0 && {READY}")
    page.run('document.querySelector("#board [role=button]").focus()')
    before = page.run("document.activeElement.dataset.key")
    page.press("ArrowRight")
    assert page.run("document.activeElement.dataset.key") != before
    page.press("Enter")
    page.wait(f"board.moves.length === 2 && {READY}")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    assert sum(role == "button" and name.endswith(": free") for role, name in named) == 23
    assert all(name for role, name in named if role in ("button", "combobox", "checkbox", "image"))
    assert any(role == "status" for role, _ in named)
    assert page.errors == []


def test_opinions_steps_back_reloads_and_broken_files(page: Browser, tmp_path: Path) -> None:
    page.run("go([])")
    page.wait(f"board.moves.length === 0 && {READY}")
    page.run('$("opinion").click()')
    page.wait("board.value !== undefined")
    assert page.run('$("value").textContent').startswith("Value for the first side")
    page.run('document.querySelector("#list button").click()')
    page.wait(f"board.moves.length === 2 && {READY}")
    page.call("Page.reload")
    page.wait(f'typeof board !== "undefined" && board && board.moves.length === 2 && {READY}')
    page.run('$("back").click()')
    page.wait(f"board.moves.length === 0 && {READY}")
    for name, text, said in (
        ("cut.json", '{"moves": [1, 2', "cut.json: is no saved game; it may be cut off"),
        ("wrong.json", json.dumps({"moves": [3, 3]}), "move 2: 4 is not legal; it changes nothing"),
    ):
        (tmp_path / name).write_text(text)
        root = page.call("DOM.getDocument")["root"]["nodeId"]
        chosen = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        page.call("DOM.setFileInputFiles", nodeId=chosen, files=[str(tmp_path / name)])
        page.wait(f'$("error").textContent === {json.dumps(said)}')
        assert page.run("board.moves.length") == 0
