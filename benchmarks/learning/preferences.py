"""Whether a sampler of several objectives builds what it is asked for: `qed-sa-logp`, one objective wanted alone.

    python benchmarks/learning/preferences.py [--seconds 200] [--seed 0] [--num 500] [--settings JSON]

A run of the task on one thread for so many seconds of processor time, then molecules for each objective alone. A column
for each, with the mean QED (greater is better), SA (from 1, easy to make, to 10) and log P (wanted up to 6) of what was
built. Settings are changes of the task's own.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import torch
from processor_time import learned

from graphwright.envs.generative.molecules.chemistry import rdMolDescriptors, sa_score
from graphwright.envs.generative.molecules.rewards import drawn, qed
from graphwright.envs.registry import find_problem
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.config import TrainConfig, changed
from graphwright.training.gflownet.conditions import Goal
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler

TASK = "qed-sa-logp"
NAMES = ("QED", "SA", "log P")


def main() -> None:
    """A row for each property."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=200.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--num", type=int, default=500)
    parser.add_argument("--settings", type=json.loads, default={})
    options = parser.parse_args()
    config = TrainConfig.for_problem(TASK, seconds=options.seconds, seed=options.seed, threads=1)
    config = changed(config, options.settings)
    training = learned(TASK, config)
    problem, environment = find_problem(TASK), config.environment
    score, columns = sa_score(), []
    for wanted in range(len(NAMES)):
        goal = Goal(preference=tuple(float(wanted == other) for other in range(len(NAMES))))
        generator = torch.Generator().manual_seed(options.seed)
        instances = config.collection.instances(problem, environment, options.num, generator, goal)
        assert isinstance(training.policy, FlowPolicy)
        built = Sampler(environment, training.policy, NO_EXPLORATION, generator).sample_forward(instances)
        found = drawn(environment, built.objects)
        log_p = [rdMolDescriptors.CalcCrippenDescriptors(one)[0] for one in found]
        columns.append((qed(found).mean(), np.mean([score(one) for one in found]), np.mean(log_p)))
    print(f"seed {options.seed}, {training.counters.steps:,} trajectories, settings {options.settings}\n")
    print("| mean | " + " | ".join(f"wanted: {name}" for name in NAMES) + " |")
    print("|---|" + "---:|" * len(NAMES))
    for name, row in zip(NAMES, zip(*columns, strict=True), strict=True):
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |")


if __name__ == "__main__":
    main()
