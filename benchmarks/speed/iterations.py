"""Iterations of training of one version of Graphwright beside those of another, in turns: all problems, all frameworks.

    git worktree add ../before v0.1 && python benchmarks/speed/iterations.py --before ../before

A process of each version makes iterations of a run with its defaults (collection and update, one thread), one at a
time and in turns, so that what else happens on the machine meets both. What the defaults of later versions add to an
iteration is left out: PPO's updates end early in neither (`target-kl`), and flow networks are the same GIN in both,
learn once from each batch, with Adam, without walks, replay objects where 0.1 did, and count what can be built in
several ways as often as it can. Frameworks are those of each version's own `frameworks.py`, on graphs of 15 nodes.
Figures are steps (of environments, or sampled objects) a CPU second, medians, and the median of new over old by pairs
with its quartiles: above 1 is faster.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

import tyro
from parts import ROOT, iterate, start

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
        from graphwright.envs.registry import find_problem
        own = find_problem(name).sampled.training.get("collection", {}).get("trajectories", {}).get("sources", {})
        collection = {"count_once": False, "sources": {"replay": own.get("replay", 0)}}
        config = TrainConfig.for_problem(
            name, "tb", steps=10**9, threads=1, settings={"passes": 1, "minibatches": 1, "optimizer": "adam"},
            collection=collection, encoder={"kind": "gin", "depth": 4, "walks": 0}, heads={"walks": 0},
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
        config = FlowConfig.for_task(name, steps=10**9, threads=1)
        config = replace(config, encoder=replace(config.encoder, kind="gin", depth=4))
        run = FlowTrainer(find_task(name), config, Path(directory))
        run.learner.objective.begin(lambda: run._collect()[0])
    else:
        from graphwright.training.config import TrainConfig
        from graphwright.training.loop import new_run
        config = TrainConfig.for_problem(name, steps=10**9, threads=1)
        run = new_run(name, replace(config, ppo=replace(config.ppo, target_kl=None)), directory)
    return lambda: run.iterate()[0]

def framework():
    import frameworks
    make = getattr(frameworks, "make_env_config", None) or frameworks.make_setting
    run = frameworks.FRAMEWORKS[name](make("vertex-cover", sizes=(15,)))
    return lambda: next(run) or frameworks.STEPS_AN_UPDATE

try:
    import graphwright.training.train
    own = now
except ImportError:
    own = before
told, sys.stdout = sys.stdout, sys.stderr
iterate = framework() if kind == "framework" else own()
iterate()
for _ in sys.stdin:
    begin = time.process_time()
    steps = iterate()
    print(steps / (time.process_time() - begin), file=told, flush=True)
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
FRAMEWORKS = ("Stable-Baselines3, ragged", "Stable-Baselines3, padded", "TorchRL, padded")
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
    frameworks: tuple[str, ...] = FRAMEWORKS
    """Other programs whose loop it is."""
    pairs: int = 9
    """Iterations of each version."""


def measure(before: Path, kind: str, name: str, pairs: int) -> str:
    """A row of the table."""
    sides = [start(_SIDE, checkout, kind, name) for checkout in (before, ROOT)]
    speeds = [[iterate(side)[0] for side in sides] for _ in range(pairs)]
    for side in sides:
        side.communicate()
    old, new = (statistics.median(side) for side in zip(*speeds, strict=True))
    ratios = [b / a for a, b in speeds]
    low, middle, high = statistics.quantiles(ratios, n=4) if pairs > 1 else ratios * 3
    return f"| {name}, {kind} | {old:,.0f} | {new:,.0f} | **{middle:.2f}** | {low:.2f} to {high:.2f} |"


def main(options: Options) -> None:
    print("| run | steps a CPU second, before | now | now / before | quartiles |")
    print("|---|---:|---:|---:|---|")
    for kind, names in (
        ("optimised", options.problems),
        ("samples", options.sampled),
        ("framework", options.frameworks),
    ):
        for name in names:
            print(measure(options.before, kind, name, options.pairs), flush=True)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
