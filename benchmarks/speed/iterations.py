"""Iterations of training of one version of Graphwright beside those of another, in turns, for every problem of both.

    git worktree add ../before v0.1 && python benchmarks/speed/iterations.py --before ../before

A process of each version makes iterations of a run with its defaults (collection and update, one thread), one at a
time and in turns, so that what else happens on the machine meets both. What the defaults of later versions add to an
iteration is left out: PPO's updates end early in neither (`target-kl`), and flow networks learn once from each batch,
with Adam, without replay and without walks. Figures are steps (of environments, or sampled objects) a CPU second,
medians, and the median of new over old by pairs with its quartiles: above 1 is faster.
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
import sys, tempfile, time
import torch
torch.set_num_threads(1)
kind, name = sys.argv[1:]
directory = tempfile.mkdtemp() + "/run"

def now():
    from graphwright.core.heap import keeping_freed_memory
    from graphwright.training.config import TrainConfig
    from graphwright.training.train import new_run
    keeping_freed_memory(above_large=False).__enter__()
    if kind == "samples":
        once = {"passes": 1, "optimizer": "adam"}
        fresh, plain = {"sources": {"replay": 0}}, {"walks": 0}
        config = TrainConfig.for_problem(
            name, "tb", steps=10**9, threads=1, settings=once, collection=fresh, encoder=plain, heads=plain
        )
    else:
        config = TrainConfig.for_problem(name, steps=10**9, threads=1)
        if config.algorithm == "ppo":
            config = TrainConfig.for_problem(name, steps=10**9, threads=1, settings={"target_kl": None})
    run = new_run(name, config, directory)
    run.algorithm.begin(lambda: run.collector.collect(run.policy).batch)
    return lambda: run.iterate()["new_steps"]

def before():
    from dataclasses import replace
    if kind == "samples":
        from graphwright.training.flow.config import FlowConfig
        from graphwright.training.flow.trainer import FlowTrainer, find_task
        from pathlib import Path
        run = FlowTrainer(find_task(name), FlowConfig.for_task(name, steps=10**9, threads=1), Path(directory))
        run.learner.objective.begin(lambda: run._collect()[0])
    else:
        from graphwright.training.config import TrainConfig
        from graphwright.training.loop import new_run
        config = TrainConfig.for_problem(name, steps=10**9, threads=1)
        run = new_run(name, replace(config, ppo=replace(config.ppo, target_kl=None)), directory)
    return lambda: run.iterate()[0]

try:
    import graphwright.training.train
    iterate = now()
except ImportError:
    iterate = before()
iterate()
for _ in sys.stdin:
    begin = time.process_time()
    steps = iterate()
    print(steps / (time.process_time() - begin), flush=True)
"""
PROBLEMS = (
    "vertex-cover",
    "independent-set",
    "public-goods",
    "max-cut",
    "tour",
    "path-search",
    "grid-navigation",
    "steiner-tree",
    "graph-robustness",
    "network-repair",
    "locomotion",
)
SAMPLED = ("ring-edges", "two-colour", "hyper-grid", "toy-sequences", "dag", "rings", "qed")


@dataclass(frozen=True)
class Options:
    """What to compare."""

    before: Path = ROOT
    """A checkout of the version to compare with, 0.1 or later."""
    problems: tuple[str, ...] = PROBLEMS
    """Optimised, and learned in the problem's own way."""
    sampled: tuple[str, ...] = SAMPLED
    """Sampled by a flow network that learns by trajectory balance."""
    pairs: int = 9
    """Iterations of each version."""


def measure(before: Path, kind: str, name: str, pairs: int) -> str:
    """A row of the table."""
    sides = [_start(checkout, kind, name) for checkout in (before, ROOT)]
    speeds = [[_iterate(side) for side in sides] for _ in range(pairs)]
    for side in sides:
        side.communicate()
    old, new = (statistics.median(side) for side in zip(*speeds, strict=True))
    ratios = [b / a for a, b in speeds]
    low, middle, high = statistics.quantiles(ratios, n=4) if pairs > 1 else ratios * 3
    return f"| {name}, {kind} | {old:,.0f} | {new:,.0f} | **{middle:.2f}** | {low:.2f} to {high:.2f} |"


def _start(checkout: Path, kind: str, name: str) -> subprocess.Popen[str]:
    surroundings = {**os.environ, "PYTHONPATH": str(checkout.resolve() / "src"), "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-c", _SIDE, kind, name]
    return subprocess.Popen(call, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _iterate(side: subprocess.Popen[str]) -> float:
    """Steps a CPU second of one iteration."""
    assert side.stdin is not None
    assert side.stdout is not None
    side.stdin.write("\n")
    side.stdin.flush()
    return float(side.stdout.readline())


def main(options: Options) -> None:
    print("| run | steps a CPU second, before | now | now / before | quartiles |")
    print("|---|---:|---:|---:|---|")
    for kind, names in (("optimised", options.problems), ("samples", options.sampled)):
        for name in names:
            print(measure(options.before, kind, name, options.pairs), flush=True)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
