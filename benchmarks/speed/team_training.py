"""Training steps a second of teams, on level-based foraging.

    python benchmarks/speed/team_training.py [--seconds 10] [--memory 0 32] [--individual] [--depth 1] [--shared]

Two agents on 8 × 8 cells, one thread. As in EPyMARL's published loop, each step of a team is learned from as often, at
the same width: QMIX and IQL take a gradient step for 50 team steps, from 32 × 50 of the replay; MAPPO makes four passes
over what was collected, in gradient steps of 512. It plays one or ten environments side by side, we 50 or 64. A step is
one of a whole team; collection and learning are timed together, after a warm-up. Time is that of the processor.

`at most`: the steps a second if there were nothing but the dense matrix products of networks, at the speed that this
processor has for one of 6,400 rows of the width; messages, normalisations and all else come on top.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
from torch.utils.flop_counter import FlopCounterMode

from graphwright.training.config import TrainConfig
from graphwright.training.train import new_run

REPLAY = {"num_envs": 50, "num_steps": 4, "num_minibatches": 4, "minibatch_size": 1600, "n_step": 1, "warm_up": 1600}
STEPS = {"num_envs": 64, "num_steps": 16}
LEARNERS: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "qmix": (REPLAY, {}),
    "iql": (REPLAY, {}),
    "mappo": (STEPS, {"epochs": 4, "minibatch_size": 512}),
}
"""Algorithm → what feeds it, and its own settings."""
PUBLISHED_LOOP = {"qmix": 280, "iql": 208, "mappo": 531}
"""Team steps a second of EPyMARL's shape of loop, as measured on this class of machine for issue 16."""


@dataclass(frozen=True)
class Options:
    """What is timed."""

    only: tuple[str, ...] = tuple(LEARNERS)
    """Algorithms."""
    seconds: float = 10.0
    """Processor time of each, after the warm-up."""
    width: int = 64
    """Of all networks."""
    memory: tuple[int, ...] = (0,)
    """Numbers that agents remember."""
    layer: Literal["gin", "transformer"] = "gin"
    """How messages are passed; foraging's own is transformer, two rounds."""
    depth: int = 3
    """Rounds of messages."""
    shared: bool = False
    """Whether QMIX's mixer reads the team through the agents' encoder."""
    individual: bool = False
    """Whether each agent has networks of its own."""
    own_rhythm: bool = False
    """Whether each learns as often as it does here by default (each step of the replay twice), and not as there."""
    json: bool = False
    """Write JSON."""


@dataclass(frozen=True)
class Row:
    """Team steps a second of processor time, how many times those of the published loop they are, and the most."""

    algorithm: str
    memory: int
    ours: float
    times: float
    at_most: float


def timed(options: Options, algorithm: str, memory: int) -> Row:
    """Of one algorithm."""
    collection, settings = ({}, {}) if options.own_rhythm else LEARNERS[algorithm]
    settings = {**settings, "shared": True} if options.shared and algorithm == "qmix" else settings
    identity = {"identity": {"kind": "one-hot", "most": 2}} if options.individual else {}
    config = TrainConfig.for_problem(
        "foraging",
        algorithm,
        steps=10**9,
        threads=1,
        encoder={
            "kind": options.layer,
            "width": options.width,
            "depth": options.depth,
            "individual": options.individual,
        },
        collection={**collection, "sizes": (2,), "memory": memory, **identity},
        settings=settings,
    )
    with tempfile.TemporaryDirectory() as folder:
        run: Any = new_run("foraging", config, Path(folder) / "run")
        steps = began = 0.0
        for turn in range(10**9):
            if turn == 1:
                steps, began = 0.0, time.process_time()
            steps += run.iterate()["new_steps"]
            if turn >= 1 and time.process_time() - began >= options.seconds:
                break
        speed = steps / (time.process_time() - began)
        with FlopCounterMode(display=False) as products:
            steps = run.iterate()["new_steps"]
    at_most = steps * products_a_second(options.width) / products.get_total_flops()
    return Row(algorithm, memory, speed, speed / PUBLISHED_LOOP[algorithm], at_most)


def products_a_second(width: int) -> float:
    """Additions and multiplications a second of a product of 6,400 rows of `width`: the best of ten."""
    rows, weight = torch.randn(6400, width), torch.randn(width, width)
    out, best = torch.empty(6400, width), float("inf")
    for _ in range(10):
        began = time.process_time()
        for _ in range(20):
            torch.mm(rows, weight, out=out)
        best = min(best, (time.process_time() - began) / 20)
    return 2 * rows.numel() * width / best


def main(options: Options) -> None:
    """Time all and print them."""
    torch.set_num_threads(1)
    for algorithm in options.only:
        for memory in options.memory:
            row = timed(options, algorithm, memory)
            if options.json:
                rounded = replace(row, ours=round(row.ours), times=round(row.times, 1), at_most=round(row.at_most))
                print(json.dumps(asdict(rounded)), flush=True)
            else:
                name = f"{algorithm}{f', memory {memory}' if memory else ''}"
                times = f"{row.times:.1f} × {PUBLISHED_LOOP[algorithm]}"
                print(f"{name:20} {row.ours:8,.0f} steps/s   {times:10}   at most {row.at_most:,.0f}", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Options))
