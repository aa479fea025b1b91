"""One version of Graphwright beside another: what policies are worth, by the command line of each.

    git worktree add ../before v0.1 && python benchmarks/versions.py --before ../before [--out docs/tables]

Both versions train the same problems for as many steps, with the same seeds and one thread, and judge the policies on
instances of their own; `speed/iterations.py` compares how fast they are. The same seed need not give the same instances
in both: ratios to the optimum are means over seeds, with the half-width of a 95 % interval of the mean.
"""

from __future__ import annotations

import itertools
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
    """A run of a problem. evaluation: options of `evaluate`; figure: what of its JSON is compared."""

    problem: str
    steps: int
    evaluation: Sequence[str]
    figure: str


SIZED = ("--sizes", "50", "--time-limit", "5")
JOBS = {
    "vertex-cover, 50 nodes": Job("vertex-cover", 120_000, SIZED, "ratio"),
    "independent-set, 50 nodes": Job("independent-set", 120_000, SIZED, "ratio"),
    "tour, 20 nodes": Job("tour", 120_000, ("--sizes", "20", "--time-limit", "5"), "ratio"),
    "ring-edges": Job("ring-edges", 60_000, (), "total_variation"),
    "hyper-grid": Job("hyper-grid", 60_000, (), "total_variation"),
}


@dataclass(frozen=True)
class Run:
    """What one run gave: the figure that is compared."""

    job: str
    seed: int
    version: str
    figure: float


def quality(job: Job, seed: int, checkout: Path, steps: int) -> float:
    """The figure of `evaluate` after training."""
    with tempfile.TemporaryDirectory() as folder:
        _command(checkout, *_training(job, seed, steps, f"{folder}/run"))
        found = _command(checkout, "evaluate", f"{folder}/run", "--json", *job.evaluation, "--threads", "1")
    return _figure(json.loads(found), job.figure)


def _training(job: Job, seed: int, steps: int, run: str) -> list[str]:
    length = ("--steps", str(steps), "--seed", str(seed), "--threads", "1")
    return ["train", job.problem, "--run", run, *length]


def _command(checkout: Path, *arguments: str) -> str:
    """Standard output of a command."""
    done = subprocess.run(_call(*arguments), env=_surroundings(checkout), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{checkout}: {' '.join(arguments)}: {done.stderr[-2000:]}")
    return done.stdout


def _call(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "graphwright", *arguments]


def _surroundings(checkout: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(checkout.resolve() / "src"), "OMP_NUM_THREADS": "1"}


def _figure(found: dict[str, Any], name: str) -> float:
    return float(found[name] if name in found else found["rows"][0][name])


def table(runs: list[Run], now: str, before: str) -> str:
    """As Markdown."""
    lines = [
        f"Version {now} beside {before}, in turns; {date.today()}, {platform.machine()}, torch {torch.__version__}, "
        "one thread; `python benchmarks/versions.py`.",
        "",
        f"| job | figure | {before} | {now} |",
        "|---|---|---:|---:|",
    ]
    for name, job in JOBS.items():
        pairs = _pairs([run for run in runs if run.job == name])
        if not pairs:
            continue
        sides = list(zip(*pairs, strict=True))
        old, new = (_mean(side) for side in sides)
        lines.append(f"| {name} | {job.figure.replace('_', ' ')} | {old} | {new} |")
    return "\n".join(lines) + "\n"


def _pairs(runs: list[Run]) -> list[tuple[float, float]]:
    """Figures of the same seed: before, now."""
    sides: dict[str, dict[int, float]] = {"before": {}, "now": {}}
    for run in runs:
        sides[run.version][run.seed] = run.figure
    return [(sides["before"][seed], sides["now"][seed]) for seed in sides["before"] if seed in sides["now"]]


def _mean(values: Sequence[float]) -> str:
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
    checkouts = {"before": options.before, "now": ROOT}
    for name, seed in itertools.product(options.only or JOBS, range(options.seeds)):
        job = JOBS[name]
        steps = max(int(job.steps * options.steps), 2)
        missing = {
            version: checkout
            for version, checkout in checkouts.items()
            if not any((run.job, run.seed, run.version) == (name, seed, version) for run in runs)
        }
        for version, checkout in missing.items():
            runs.append(Run(name, seed, version, quality(job, seed, checkout, steps)))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps([asdict(run) for run in runs], indent=1))
    text = table(runs, _name(ROOT), _name(options.before))
    print(text)
    if options.out is not None:
        (options.out / "versions.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
