"""Whether a sampler of several objectives builds what it is asked for: `qed-sa-logp`, one objective wanted alone.

    python benchmarks/learning/preferences.py [--seconds 480] [--seed 0] [--num 500] [--options="--flow.passes 2"]

A run of the task on one thread for so many seconds, then molecules for each objective alone. A column for each, with
the mean QED (greater is better), SA (from 1, easy to make, to 10) and log P (wanted up to 6) of what was built.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from pathlib import Path

import numpy as np

from graphwright.cli.main import main as graphwright
from graphwright.envs.generative.molecules.chemistry import rdMolDescriptors, sa_score
from graphwright.envs.generative.molecules.rewards import drawn, qed
from graphwright.training.agent import load
from graphwright.training.gflownet.conditions import Goal

NAMES = ("QED", "SA", "log P")


def main() -> None:
    """A row for each property."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=480.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--num", type=int, default=500)
    parser.add_argument("--options", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        words = ["--seconds", str(options.seconds), "--seed", str(options.seed), "--threads", "1", "--run", str(run)]
        graphwright(["train", "qed-sa-logp", *words, *shlex.split(options.options)])
        agent = load(run)
    score, columns = sa_score(), []
    for wanted in range(len(NAMES)):
        goal = Goal(preference=tuple(float(wanted == other) for other in range(len(NAMES))))
        found = drawn(agent.config.environment, agent.sample(options.num, options.seed, goal))
        log_p = [rdMolDescriptors.CalcCrippenDescriptors(one)[0] for one in found]
        columns.append((qed(found).mean(), np.mean([score(one) for one in found]), np.mean(log_p)))
    print("| mean | " + " | ".join(f"wanted: {name}" for name in NAMES) + " |")
    print("|---|" + "---:|" * len(NAMES))
    for name, row in zip(NAMES, zip(*columns, strict=True), strict=True):
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |")


if __name__ == "__main__":
    main()
