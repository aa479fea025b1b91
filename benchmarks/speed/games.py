"""How fast games are played: Hex against OpenSpiel's Python loop and pgx, and the count of Hive's moves.

    python benchmarks/speed/games.py [--size 7] [--batch 512] [--seconds 5] [--depth 6]

Random games on one thread: a step is to draw one of the legal moves, to make it, to see whether the game is over, and
to begin another where it is. Of OpenSpiel that is `legal_actions`, `random.choice` and `apply_action`, one game after
the other; of pgx, which has 11 rows only, all games at once as here. They take turns, the time is the processor's, and
the best of three rounds counts. Then the sequences of
moves of Hive from the beginning, in `perft`, and how long perfect play of Hex takes on its small boards.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import tyro

from graphwright.envs.games.hex.problem import HEX
from graphwright.envs.games.hive.perft import perft
from graphwright.envs.games.hive.problem import HIVE
from graphwright.envs.games.shannon.environment import Shannon


@dataclass(frozen=True)
class Options:
    """What is measured."""

    size: int = 7
    """Rows of the board."""
    batch: int = 512
    """Games at once."""
    seconds: float = 5.0
    """Of each round."""
    depth: int = 6
    """Moves of Hive that are counted; 0 for none."""
    solve: int = 4
    """Rows of the largest board that is solved; 0 for none."""


KNOWN = {
    "base": (4, 96, 1_440, 21_600, 516_240, 12_219_480),
    "M": (5, 150, 2_610, 45_414, 1_252_800, 34_233_432),
    "L": (5, 150, 2_610, 45_414, 1_252_800, 34_233_672),
    "P": (5, 150, 2_610, 45_414, 1_255_932, 34_395_984),
    "MLP": (7, 294, 6_678, 151_686, 5_427_108, 192_353_904),
}
"""Sequences of moves from the beginning, by law."""


def ours(size: int, batch: int) -> Callable[[float], float]:
    """A round of so many seconds → steps a second."""
    game = HEX.environment
    assert isinstance(game, Shannon)
    begin = game.reset(HEX.generator(sizes=(size,))(batch, torch.Generator()))
    generator, random_moves = torch.Generator().manual_seed(0), HEX.opponent("random")
    fresh = begin.nodes["owner"].view(batch, -1)

    def play(seconds: float) -> float:
        state, steps, start = begin, 0, time.process_time()
        while time.process_time() - start < seconds:
            step = game.step(state, random_moves(game, state, generator))
            state, over = step.state, step.terminated.nonzero().squeeze(1)
            if over.numel():
                state.nodes["owner"].view(batch, -1)[over] = fresh[over]
                for name in ("player", "winner"):
                    state.graphs[name][over] = begin.graphs[name][over]
            steps += batch
        return steps / (time.process_time() - start)

    return play


def theirs(size: int) -> Callable[[float], float]:
    """The same of OpenSpiel."""
    import pyspiel

    game = pyspiel.load_game(f"hex(board_size={size})")
    random.seed(0)

    def play(seconds: float) -> float:
        steps, start = 0, time.process_time()
        while time.process_time() - start < seconds:
            state = game.new_initial_state()
            while not state.is_terminal():
                state.apply_action(random.choice(state.legal_actions()))
                steps += 1
        return steps / (time.process_time() - start)

    return play


def main(options: Options) -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    rounds = {"ours": ours(options.size, options.batch)}
    try:
        rounds["OpenSpiel"] = theirs(options.size)
    except ImportError:
        print("OpenSpiel is not installed")
    rounds["ours"](0.01)  # compiles
    if options.size == 11:
        try:
            from pgx_games import random_games

            rounds["pgx"] = random_games(options.batch)
        except ImportError:
            print("pgx is not installed")
    best = dict.fromkeys(rounds, 0.0)
    for _ in range(3):
        best = {name: max(best[name], play(options.seconds)) for name, play in rounds.items()}
    for name, rate in best.items():
        print(f"Hex {options.size} x {options.size}, random steps a second, {name}: {rate:,.0f}")
    for law, known in KNOWN.items():
        state = HIVE.game.reset(HIVE.generator(law=law)(1, torch.Generator()))
        for depth in range(1, options.depth + 1):
            begin = time.perf_counter()
            (count,) = perft(state, depth)
            right = "as known" if count == known[depth - 1] else f"WRONG: {known[depth - 1]:,} are known"
            print(f"Hive {law}, depth {depth}: {count:,} ({right}) in {time.perf_counter() - begin:.2f} s")
    for size in range(1, options.solve + 1):
        state, moves, begin = HEX.game.reset(HEX.generator(sizes=(size,))(1, torch.Generator())), 0, time.perf_counter()
        won = False
        while not won:
            step = HEX.game.step(state, HEX.opponent("perfect")(HEX.game, state, torch.Generator().manual_seed(0)))
            state, won, moves = step.state, bool(step.terminated), moves + 1
        print(f"Hex {size} x {size}, perfect play: {moves} moves in {time.perf_counter() - begin:.2f} s")


if __name__ == "__main__":
    main(tyro.cli(Options))
