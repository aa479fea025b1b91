"""Teams under random actions, beside the same tasks in mpe2 and lbforaging.

    python benchmarks/speed/teams.py [--num-envs 512] [--seconds 2] [--json]

Ours play `num_envs` episodes side by side, observations, random legal actions and fresh instances included; theirs
play one environment through its own interface, as it is. A step is one of a whole team. All are timed in turn in one
process on one thread, `repeats` times; figures are medians. What is not installed is left out.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import tyro

from graphwright.data.sources import GeneratedInstances
from graphwright.envs.problem import random_choice
from graphwright.envs.registry import TEAMS
from graphwright.envs.vector import VectorEnvironment

AGENTS = {"coverage": 3, "spread": 3, "foraging": 2, "pursuit": 4, "patrol": 3, "path-finding": 16}


@dataclass(frozen=True)
class Options:
    """What is timed."""

    num_envs: int = 512
    """Our episodes side by side."""
    seconds: float = 2.0
    """For how long each is timed."""
    repeats: int = 3
    """How often."""
    only: tuple[str, ...] = tuple(AGENTS)
    """Problems."""
    json: bool = False
    """Write JSON."""


@dataclass(frozen=True)
class Row:
    """Team steps a second of ours and theirs, and how many times theirs ours are; None where there is no other."""

    problem: str
    agents: int
    ours: float
    other: str | None
    theirs: float | None
    times: float | None


def ours(problem: str, agents: int, num_envs: int) -> Callable[[], int]:
    """A step of all our episodes; how many that is."""
    found = TEAMS[problem]
    source = GeneratedInstances(found.generator(sizes=(agents,)), 0)
    vector = VectorEnvironment(found.environment, source, num_envs)
    choose = random_choice(found.environment, torch.Generator().manual_seed(0))

    def step() -> int:
        vector.step(choose(vector.observe()))
        return num_envs

    return step


def simple_spread(agents: int) -> Callable[[], int]:
    """A step of mpe2's spread."""
    from mpe2 import simple_spread_v3

    env = simple_spread_v3.parallel_env(N=agents, max_cycles=25)
    env.reset(seed=0)
    random = np.random.default_rng(0)

    def step() -> int:
        env.step({name: int(random.integers(5)) for name in env.agents})
        if not env.agents:
            env.reset()
        return 1

    return step


def level_based(agents: int) -> Callable[[], int]:
    """A step of lbforaging's 8 x 8 field with two pieces of food."""
    from lbforaging.foraging import ForagingEnv

    env = ForagingEnv(agents, 1, 2, 1, None, (8, 8), 2, 8, 50, True)
    env.reset(seed=0)
    random = np.random.default_rng(0)

    def step() -> int:
        done = env.step(random.integers(6, size=agents).tolist())[2]
        if done:
            env.reset()
        return 1

    return step


OTHERS: dict[str, tuple[str, Callable[[int], Callable[[], int]]]] = {
    "spread": ("mpe2", simple_spread),
    "foraging": ("lbforaging", level_based),
}


def rate(step: Callable[[], int], seconds: float) -> float:
    """Steps a second."""
    begun, steps = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        steps += step()
    return steps / (time.perf_counter() - begun)


def measure(problem: str, options: Options) -> Row:
    """Ours and theirs in turn."""
    agents = AGENTS[problem]
    sides: dict[str, Callable[[], int]] = {"ours": ours(problem, agents, options.num_envs)}
    name = None
    if problem in OTHERS:
        other, make = OTHERS[problem]
        with contextlib.suppress(ImportError):
            sides["theirs"], name = make(agents), other
    found: dict[str, list[float]] = {side: [] for side in sides}
    for side in sides.values():
        side()  # compiles
    for _ in range(options.repeats):
        for side, step in sides.items():
            found[side].append(rate(step, options.seconds))
    median = {side: statistics.median(rates) for side, rates in found.items()}
    theirs = median.get("theirs")
    return Row(problem, agents, median["ours"], name, theirs, median["ours"] / theirs if theirs else None)


def main(options: Options) -> None:
    """Time all, and print a table."""
    torch.set_num_threads(1)
    rows: list[Any] = [measure(problem, options) for problem in options.only]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print(f"| problem | agents | team steps/s, {options.num_envs} side by side | beside | steps/s | times |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        beside = (row.other, f"{row.theirs:,.0f}", f"{row.times:.0f}") if row.other else ("", "", "")
        print(f"| {row.problem} | {row.agents} | {row.ours:,.0f} | {' | '.join(beside)} |")


if __name__ == "__main__":
    main(tyro.cli(Options))
