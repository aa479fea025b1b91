"""One version of Graphwright beside another: speed and quality by the command line of each, in turns.

    git worktree add ../before v0.1 && python benchmarks/versions.py --before ../before [--out docs/tables]

Both versions train the same problems for as many steps, with the same seeds and one thread, and judge the policies on
instances of their own. Speed is steps (environment steps, sampled objects) a CPU second, of both versions side by side:
they take turns of half a second on the machine, so that what else happens there slows both alike, and a short run is
taken off a long one, which leaves out the start. PPO's updates are equally long there (no `target-kl`).
The same seed need not give the same instances in both: ratios to the optimum are means over seeds, with the
half-width of a 95 % interval of the mean.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
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
EQUAL_UPDATES = ("--ppo.target-kl", "None")
JOBS = {
    "vertex-cover, speed": Job("vertex-cover", 60_000, EQUAL_UPDATES),
    "independent-set, speed": Job("independent-set", 60_000),
    "tour, speed": Job("tour", 120_000),
    "ring-edges, speed": Job("ring-edges", 20_000),
    "two-colour, speed": Job("two-colour", 20_000),
    "vertex-cover, 50 nodes": Job("vertex-cover", 120_000, (), (SIZED, "ratio")),
    "independent-set, 50 nodes": Job("independent-set", 120_000, (), (SIZED, "ratio")),
    "tour, 20 nodes": Job("tour", 120_000, (), (("--sizes", "20", "--time-limit", "5"), "ratio")),
    "ring-edges": Job("ring-edges", 60_000, (), ((), "total_variation")),
    "hyper-grid": Job("hyper-grid", 60_000, (), ((), "total_variation")),
}
TURN = 0.5
"""Seconds for which one version runs while the other waits."""
SILENT = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)]


@dataclass(frozen=True)
class Run:
    """What one run gave: steps a CPU second, or the figure that is compared."""

    job: str
    seed: int
    version: str
    figure: float


def speeds(job: Job, seed: int, checkouts: dict[str, Path], steps: int) -> dict[str, float]:
    """Steps a CPU second of each version."""
    short = max(steps // 5, 1)
    few, many = (_cpu_seconds(job, seed, checkouts, length) for length in (short, steps))
    return {version: (steps - short) / max(many[version] - few[version], 1e-9) for version in checkouts}


def _cpu_seconds(job: Job, seed: int, checkouts: dict[str, Path], steps: int) -> dict[str, float]:
    """Of training in each version, in turns of `TURN` seconds."""
    used: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        processes = {}
        for version, checkout in checkouts.items():
            call = _call(*_training(job, seed, steps, f"{folder}/{version}"))
            processes[version] = os.posix_spawn(call[0], call, _surroundings(checkout), file_actions=SILENT)
            os.kill(processes[version], signal.SIGSTOP)
        while processes:
            for version, process in list(processes.items()):
                os.kill(process, signal.SIGCONT)
                time.sleep(TURN)
                os.kill(process, signal.SIGSTOP)
                ended, status, usage = os.wait4(process, os.WNOHANG)
                if ended:
                    del processes[version]
                    used[version] = usage.ru_utime + usage.ru_stime
                    if status:
                        raise SystemExit(f"{version}: training {job.problem} ended with status {status}")
    return used


def quality(job: Job, seed: int, checkout: Path, steps: int) -> float:
    """The figure of `evaluate` after training."""
    arguments, figure = job.evaluation or ((), "")
    with tempfile.TemporaryDirectory() as folder:
        _command(checkout, *_training(job, seed, steps, f"{folder}/run"))
        found = _command(checkout, "evaluate", f"{folder}/run", "--json", *arguments, "--threads", "1")
    return _figure(json.loads(found), figure)


def _training(job: Job, seed: int, steps: int, run: str) -> list[str]:
    length = ("--steps", str(steps), "--seed", str(seed), "--threads", "1")
    return ["train", job.problem, "--run", run, *length, *job.options]


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
        f"| job | figure | {before} | {now} | new / old |",
        "|---|---|---:|---:|---:|",
    ]
    for name, job in JOBS.items():
        pairs = _pairs([run for run in runs if run.job == name])
        if not pairs:
            continue
        sides = list(zip(*pairs, strict=True))
        if job.evaluation is None:
            old, new = (f"{statistics.median(side):,.0f}" for side in sides)
            times = f"**{statistics.median(b / a for a, b in pairs):.2f}**"
            lines.append(f"| {name} | steps a CPU second | {old} | {new} | {times} |")
        else:
            old, new = (_mean(side) for side in sides)
            lines.append(f"| {name} | {job.evaluation[1].replace('_', ' ')} | {old} | {new} | |")
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
        if job.evaluation is None:
            figures = speeds(job, seed, checkouts, steps) if missing else {}
        else:
            figures = {version: quality(job, seed, checkout, steps) for version, checkout in missing.items()}
        runs += [Run(name, seed, version, figure) for version, figure in figures.items()]
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps([asdict(run) for run in runs], indent=1))
    text = table(runs, _name(ROOT), _name(options.before))
    print(text)
    if options.out is not None:
        (options.out / "versions.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
