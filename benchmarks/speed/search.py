"""What a tree search costs beside the network that it asks.

    python benchmarks/speed/search.py [--game hex] [--size 7] [--games 64] [--simulations 32] [--repeats 3]

Positions are a few random moves from the beginning. "network" is the time of its passes over the leaves (what is
observed of them included), "rules" that of the steps of the game, "tree" the rest. Overhead is all time over that of
the network. The search believes it, or knows nothing (equal priors and a value of 0, whatever it says), which decides
how deep trees become. Where pgx and mctx are installed, `--size 11` also searches their Hex, knowing nothing, where a
network costs nothing: its time there is ours. Seconds are of processor time.
"""

from __future__ import annotations

import platform
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

import torch
import tyro

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_log_softmax
from graphwright.envs.game import Game
from graphwright.envs.registry import find_problem
from graphwright.nn.policies import ValuedPolicy
from graphwright.search.evaluation import Evaluate, Evaluation, by_network
from graphwright.search.search import Kind, SearchSettings, search
from graphwright.training.config import TrainConfig
from graphwright.training.games.players import PlayoutPlayer


@dataclass(frozen=True)
class Options:
    """What is searched."""

    game: str = "hex"
    """Its name."""
    size: int = 7
    """Size of the boards."""
    games: int = 64
    """Positions side by side."""
    simulations: int = 32
    """Simulations of each search."""
    kinds: tuple[Kind, ...] = ("puct", "gumbel")
    """Rules."""
    repeats: int = 3
    """Searches, of which the fastest counts."""
    threads: int = 1
    """CPU threads."""


def timed(seconds: dict[str, float], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, whose time is added up."""

    def call(*arguments: Any) -> Any:
        begin = time.process_time()
        found = function(*arguments)
        seconds[name] += time.process_time() - begin
        return found

    return call


class Watched:
    """A game whose steps are timed."""

    def __init__(self, game: Game, seconds: dict[str, float]) -> None:
        self.game = game
        self.step = timed(seconds, "rules", game.step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.game, name)


def positions(game: Game, boards: GraphBatch) -> GraphBatch:
    """Three random moves from the beginning."""
    state, generator = game.reset(boards), torch.Generator().manual_seed(0)
    for _ in range(3):
        state = game.step(state, find_problem("hex").opponents["random"](game, state, generator)).state
    return state


def knowing_nothing(evaluate: Evaluate) -> Evaluate:
    """`evaluate`, whose time is spent and whose word is not heard."""

    def equal(states: GraphBatch) -> Evaluation:
        evaluation = evaluate(states)
        log_probs = torch.where(evaluation.log_probs > -torch.inf, 0.0, -torch.inf)
        log_probs = segment_log_softmax(log_probs, evaluation.candidates)
        return Evaluation(log_probs, evaluation.candidates, torch.zeros_like(evaluation.value))

    return equal


BELIEFS: dict[str, Callable[[Evaluate], Evaluate]] = {"as it says": lambda it: it, "knowing nothing": knowing_nothing}


def beside(options: Options, kind: Kind, network: float) -> None:
    """The row of mctx, as if it asked a network that takes as long as ours."""
    try:
        from pgx_games import searches
    except ImportError:
        print("| pgx or mctx is not installed | | | | | |")
        return
    measure = searches(options.games, options.simulations, kind)
    rest = min(measure() for _ in range(options.repeats))
    speed, share = options.games * options.simulations / (network + rest), network / (network + rest)
    print(f"| {kind}, mctx, knowing nothing | {speed:,.0f} | {share:.0%} | | {1 - share:.0%} | {1 / share:.2f} |")


def main(options: Options) -> None:
    torch.set_num_threads(options.threads)
    problem = find_problem(options.game)
    game, config = problem.game, TrainConfig.for_problem(problem)
    torch.manual_seed(0)
    policy = ValuedPolicy(game.features, game.actions, config.encoder, config.heads)
    states = positions(game, problem.generator(sizes=(options.size,))(options.games, torch.Generator().manual_seed(0)))
    print(
        f"{options.game}, size {options.size}, {options.games} games, {options.simulations} simulations, "
        f"{options.threads} threads; {date.today()}, {platform.machine()}\n\n"
        "| search | simulations/s | network | rules | tree | overhead |\n|---|---:|---:|---:|---:|---:|"
    )
    count = options.games * options.simulations
    for kind, believed in product(options.kinds, BELIEFS):
        rows = []
        for _ in range(options.repeats + 1):
            seconds: dict[str, float] = defaultdict(float)
            evaluate = BELIEFS[believed](timed(seconds, "network", by_network(game, policy)))
            begin = time.process_time()
            search(Watched(game, seconds), states, evaluate, SearchSettings(options.simulations, kind))  # type: ignore[arg-type]
            rows.append((time.process_time() - begin, seconds["network"], seconds["rules"]))
        whole, network, rules = min(rows[1:])
        shares = (network / whole, rules / whole, 1 - (network + rules) / whole)
        print(
            f"| {kind}, {believed} | {count / whole:,.0f} | "
            + " | ".join(f"{s:.0%}" for s in shares)
            + f" | {whole / network:.2f} |"
        )
        if (options.game, options.size, believed) == ("hex", 11, "knowing nothing"):
            beside(options, kind, network)
    begin = time.process_time()
    PlayoutPlayer(options.simulations)(game, states, torch.Generator().manual_seed(0))
    print(f"| uct | {count / (time.process_time() - begin):,.0f} | | | | |")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
