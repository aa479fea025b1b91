"""Fine-tuning: what another size or law of graphs gains, and what is forgotten, with each way not to forget.

    python benchmarks/learning/fine_tuning.py [--seconds 60] [--seeds 1] [--out docs/tables]

A policy is trained on graphs of 10 to 20 nodes by PPO; from it begin runs on larger graphs and on graphs of another
law, by PPO alone, with each trust region, and by AWAC. Each run says how its policy does on the old and the new
instances of validation before and after (`fine-tuning.json`).
"""

from __future__ import annotations

import json
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import tyro

TARGETS = {
    "100 nodes": "--sizes 100",
    "Barabási–Albert, 50 nodes": "--generator barabasi-albert:m=4 --sizes 50",
}
WAYS = {
    "ppo": "",
    "ppo, penalty": "--trust-region.kind penalty --trust-region.weight 1",
    "ppo, line search": "--trust-region.kind line-search",
    "ppo, MMD": "--trust-region.kind mmd --trust-region.weight 1",
    "awac": "--algorithm awac",
}


@dataclass(frozen=True)
class Options:
    """What to train."""

    problem: str = "vertex-cover"
    """An optimisation problem."""
    seconds: float = 60.0
    """Of each run."""
    seeds: int = 1
    """Runs of each kind, with the seeds 0, 1, ..."""
    ways: tuple[str, ...] = tuple(WAYS)
    """Ways to go on."""
    options: str = ""
    """More options for `graphwright train`."""
    out: Path | None = None
    """Folder for the table, as fine-tuning.md."""


def train(options: Options, seed: int, run: Path, arguments: str) -> None:
    """`graphwright train`, on one thread."""
    fixed = ["--run", run, "--seconds", options.seconds, "--seed", seed, "--threads", 1]
    more = shlex.split(f"{arguments} {options.options}")
    command = [sys.executable, "-m", "graphwright", "train", options.problem, *map(str, fixed), *more]
    subprocess.run(command, check=True, capture_output=True)


def main(options: Options) -> None:
    """A row for each way and target."""
    found: dict[tuple[str, str], list[dict[str, dict[str, float]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            start = Path(folder) / f"start-{seed}"
            train(options, seed, start, "--sizes 10 12 14 16 18 20")
            for target, graphs in TARGETS.items():
                for way in options.ways:
                    run = Path(folder) / f"{len(found)}-{seed}"
                    train(options, seed, run, f"{graphs} {WAYS[way]} --from {shlex.quote(str(start))}")
                    report = json.loads((run / "fine-tuning.json").read_text())
                    found.setdefault((target, way), []).append(report)
    lines = [
        f"{options.problem}: {options.seconds:g} s of training on 10 to 20 nodes, then as long from there; one thread, "
        f"{options.seeds} seeds; {date.today()}, {platform.machine()}; `python benchmarks/learning/fine_tuning.py`.",
        "",
        "| new graphs | way | new, before | new, after | old, before | old, after |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for (target, way), reports in found.items():
        cells = [
            f"{statistics.mean(report[which][when] for report in reports):.4f}"
            for which in ("new", "old")
            for when in ("before", "after")
        ]
        lines.append(f"| {target} | {way} | " + " | ".join(cells) + " |")
    print("\n".join(lines))
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "fine-tuning.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
