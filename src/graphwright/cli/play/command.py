"""`graphwright play RUN`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from graphwright.cli.board_files import read_boards
from graphwright.cli.instances import FileOptions
from graphwright.cli.match import board_size, boards_of, require_game
from graphwright.cli.options import Threads, Trust
from graphwright.cli.play.server import PlayServer
from graphwright.cli.play.text import TextGame
from graphwright.core.numbers import require
from graphwright.training.agent import load
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.games.played import PlayedGame
from graphwright.training.games.players import policy_player

_SIDES = {"first": 0, "second": 1, "both": None}


@dataclass(frozen=True)
class Play:
    """Play against a policy: on a page in the browser of this machine, or with --text in the terminal.

    The page is at the address that is printed, which holds a secret; nothing is sent anywhere else.
    """

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    size: int | None = None
    """Size of the board, as for training; by default the largest that was trained on."""
    instance: Path | None = None
    """File of the graph to play on instead of a board of a size, where the game is played on any graph."""
    files: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)
    simulations: int = 0
    """Simulations of a tree search before each move of the policy; 0: none."""
    seed: int = 1
    """Seed of the board, where boards are random."""
    port: int = 0
    """Port of the page; 0: any that is free."""
    text: bool = False
    """Play in the terminal."""
    you: Literal["first", "second", "both"] = "first"
    """With --text: the side that you play; the page asks."""
    threads: Threads = 2
    trust: Trust = False

    def run(self) -> None:
        """Serve the page until Ctrl-C, or play in the terminal."""
        require("port", self.port, 0, 65_535)
        use_threads(self.threads)
        agent = load(self.directory, trust=self.trust)
        problem = require_game(agent)
        if self.instance is not None:
            ((named, board),) = read_boards(agent, (self.instance,), self.files, self.size)
            names, head = named.names, {"problem": problem.name, "size": board.num_nodes, "file": self.instance.name}
        else:
            size = board_size(agent, self.size)
            board, names = boards_of(agent, size, 1, self.seed), None
            head = {"problem": problem.name, "size": size, "seed": self.seed}
        player = policy_player(agent.policy, self.simulations)
        played = PlayedGame(agent.config.environment, board, agent.policy, player, self.seed, names)
        if self.text:
            TextGame(played, head, _SIDES[self.you]).run()
            return
        try:
            server = PlayServer(played, head, self.port)
        except OSError as error:
            raise ConfigError(f"--port {self.port}: cannot be listened on ({error.strerror}); take another") from None
        with server:
            print(f"{server.address}\nCtrl-C ends it.", flush=True)
            server.serve_forever()
