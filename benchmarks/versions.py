"""One version of Graphwright beside another: speed and quality by the command line of each, in turns.

    git worktree add ../before v0.1 && python benchmarks/versions.py --before ../before [--out docs/tables]

Both versions train the same problems for as many steps, with the same seeds and one thread, and judge the policies on
instances of their own. Speed is the median of `steps_per_second` in the run's metrics.csv (environment steps, sampled
objects), where PPO's updates are equally long (no `target-kl`); ratios of speed are medians over pairs that follow each
other.
The same seed need not give the same instances in both: ratios to the optimum are means over seeds, with the
half-width of a 95 % interval of the mean.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
import tyro

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Options:
    """What to compare."""

    before: Path = ROOT
    """A checkout of the version to compare with."""
    seeds: int = 5
    """Pairs of runs of each job."""
    steps: float = 1.0
    """Length of each run, as a multiple of the published one."""
    only: tuple[str, ...] = ()
    """Names of jobs; all by default."""
    out: Path | None = None
    """Folder for the table, as versions.md; runs that it holds as versions.json are not repeated."""


@dataclass(frozen=True)
class Job:
    """A run of a problem. evaluation: options of `evaluate`, and the figure of its JSON that is compared; None: only
    speed is."""

    problem: str
    steps: int
    options: Sequence[str] = ()
    evaluation: tuple[Sequence[str], str] | None = None


SIZED = ("--sizes", "50", "--time-limit", "5")
JOBS = {
    "vertex-cover, speed": Job("vertex-cover", 60_000, ("--ppo.target-kl", "None")),
    "independent-set, speed": Job("independent-set", 60_000),
    "tour, speed": Job("tour", 60_000),
    "ring-edges, speed": Job("ring-edges", 20_000),
    "two-colour, speed": Job("two-colour", 20_000),
    "vertex-cover, 50 nodes": Job("vertex-cover", 120_000, (), (SIZED, "ratio")),
    "independent-set, 50 nodes": Job("independent-set", 120_000, (), (SIZED, "ratio")),
    "tour, 20 nodes": Job("tour", 120_000, (), (("--sizes", "20", "--time-limit", "5"), "ratio")),
    "ring-edges": Job("ring-edges", 60_000, (), ((), "total_variation")),
    "two-colour": Job("two-colour", 60_000, (), ((), "total_variation")),
}


@dataclass(frozen=True)
class Run:
    """What one run gave. speed: steps a second, without the first two updates; quality: the figure that is compared."""

    job: str
    seed: int
    version: str
    speed: float
    quality: float | None


def measure(name: str, seed: int, version: str, checkout: Path, options: Options) -> Run:
    """One run of a job by the command line of the version in `checkout`."""
    job = JOBS[name]
    steps = max(int(job.steps * options.steps), 1)
    with tempfile.TemporaryDirectory() as folder:
        run, common = f"{folder}/run", ("--threads", "1")
        length = ("--steps", str(steps), "--seed", str(seed))
        _command(checkout, "train", job.problem, "--run", run, *length, *job.options, *common)
        with open(f"{run}/metrics.csv", newline="") as file:
            speeds = [float(row["steps_per_second"]) for row in csv.DictReader(file)]
        quality = None
        if job.evaluation is not None:
            arguments, figure = job.evaluation
            quality = _figure(json.loads(_command(checkout, "evaluate", run, "--json", *arguments, *common)), figure)
    return Run(name, seed, version, statistics.median(speeds[2:] or speeds), quality)


def _command(checkout: Path, *arguments: str) -> str:
    """Standard output of a command."""
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve() / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "graphwright", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{checkout}: {' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout


def _figure(found: dict[str, Any], name: str) -> float:
    return float(found[name] if name in found else found["rows"][0][name])


def table(runs: list[Run], now: str, before: str) -> str:
    """As Markdown."""
    lines = [
        f"Version {now} beside {before}, in turns; {date.today()}, {platform.machine()}, torch {torch.__version__}, "
        "one thread; `python benchmarks/versions.py`.",
        "",
        f"| job | figure | {before} | {now} | new / old |",
        "|---|---|---:|---:|---:|",
    ]
    for name, job in JOBS.items():
        pairs = _pairs([run for run in runs if run.job == name])
        if pairs and job.evaluation is None:
            old, new = (statistics.median(run.speed for run in side) for side in zip(*pairs, strict=True))
            times = statistics.median(b.speed / a.speed for a, b in pairs)
            lines.append(f"| {name} | steps a second | {old:,.0f} | {new:,.0f} | **{times:.2f}** |")
        elif pairs and job.evaluation is not None:
            old, new = (_mean([run.quality or 0.0 for run in side]) for side in zip(*pairs, strict=True))
            lines.append(f"| {name} | {job.evaluation[1].replace('_', ' ')} | {old} | {new} | |")
    return "\n".join(lines) + "\n"


def _pairs(runs: list[Run]) -> list[tuple[Run, Run]]:
    """Runs of the same seed: before, now."""
    sides: dict[str, dict[int, Run]] = {"before": {}, "now": {}}
    for run in runs:
        sides[run.version][run.seed] = run
    return [(sides["before"][seed], sides["now"][seed]) for seed in sides["before"] if seed in sides["now"]]


def _mean(values: list[float]) -> str:
    """With the half-width of its 95 % interval where there are several."""
    if len(values) < 2:
        return f"{values[0]:.4f}"
    t = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}.get(len(values), 2.26)
    return f"{statistics.mean(values):.4f} ± {t * statistics.stdev(values) / len(values) ** 0.5:.4f}"


def _name(checkout: Path) -> str:
    """The version of a checkout."""
    with (checkout / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def main(options: Options) -> None:
    kept = options.out / "versions.json" if options.out is not None else None
    runs = [Run(**row) for row in json.loads(kept.read_text())] if kept is not None and kept.exists() else []
    for name in options.only or JOBS:
        for seed in range(options.seeds):
            turns = [("before", options.before), ("now", ROOT)]
            for version, checkout in turns if seed % 2 == 0 else reversed(turns):
                if any((run.job, run.seed, run.version) == (name, seed, version) for run in runs):
                    continue
                runs.append(measure(name, seed, version, checkout, options))
                if kept is not None:
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_text(json.dumps([asdict(run) for run in runs], indent=1))
    text = table(runs, _name(ROOT), _name(options.before))
    print(text)
    if options.out is not None:
        (options.out / "versions.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
