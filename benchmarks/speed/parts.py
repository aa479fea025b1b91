"""Collection and update of one version beside those of another, in turns.

    git worktree add ../before v0.1 && python benchmarks/speed/parts.py --before ../before

A process of each version makes the iterations of its own `limit.py` (PPO on vertex cover, batches of B graphs of n
nodes, one thread), one at a time and in turns, so that what else happens on the machine meets both. Figures are CPU
milliseconds, medians, and the median of new over old by pairs with its quartiles: below 1 is faster.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

ROOT = Path(__file__).parents[2]
_SIDE = """
import sys, time
import torch
import limit
torch.set_num_threads(1)
vector, policy, ppo, generator = limit._setting(*map(int, sys.argv[1:]), 64)

def collect():
    return limit.collect_steps(vector, policy, limit.NUM_STEPS, generator)

ppo.update(collect(), 0.0)
for _ in sys.stdin:
    begin = time.process_time()
    rollout = collect()
    between = time.process_time()
    ppo.update(rollout, 0.0)
    print(between - begin, time.process_time() - between, flush=True)
"""


@dataclass(frozen=True)
class Options:
    """What to compare."""

    before: Path = ROOT
    """A checkout of the version to compare with."""
    batches: tuple[tuple[int, int], ...] = ((64, 10), (512, 20), (64, 100))
    """Graphs, and nodes of each."""
    pairs: int = 15
    """Iterations of each version."""


def measure(before: Path, graphs: int, nodes: int, pairs: int) -> list[str]:
    """A row of the table for each part of an iteration."""
    sides = [start(_SIDE, checkout, graphs, nodes) for checkout in (before, ROOT)]
    times = [[iterate(side) for side in sides] for _ in range(pairs)]
    for side in sides:
        side.communicate()
    rows = []
    for part, name in enumerate(("collection", "update")):
        old, new = ([1e3 * pair[side][part] for pair in times] for side in range(2))
        ratios = [b / a for a, b in zip(old, new, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4) if pairs > 1 else ratios * 3
        rows.append(
            f"| {graphs} × {nodes} | {name} | {statistics.median(old):,.0f} | {statistics.median(new):,.0f} | "
            f"**{middle:.2f}** | {low:.2f} to {high:.2f} |"
        )
    return rows


def start(side: str, checkout: Path, *arguments: object) -> subprocess.Popen[str]:
    """A process of a version that runs the program `side`, which makes an iteration for each line that it reads."""
    paths = os.pathsep.join(str(checkout.resolve() / folder) for folder in ("src", "benchmarks/speed"))
    surroundings = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-c", side, *map(str, arguments)]
    pipe, silent = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(call, env=surroundings, stdin=pipe, stdout=pipe, stderr=silent, text=True)


def iterate(side: subprocess.Popen[str]) -> list[float]:
    """What the process says of its next iteration."""
    assert side.stdin is not None
    assert side.stdout is not None
    side.stdin.write("\n")
    side.stdin.flush()
    return [float(word) for word in side.stdout.readline().split()]


def main(options: Options) -> None:
    print("| graphs × nodes | part | before, ms | now, ms | now / before | quartiles |")
    print("|---|---|---:|---:|---:|---|")
    for graphs, nodes in options.batches:
        print("\n".join(measure(options.before, graphs, nodes, options.pairs)), flush=True)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
