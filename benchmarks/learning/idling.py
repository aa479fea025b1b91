"""What work-conserving masks are for: the criss-cross network at load 0.9, with and without them.

    python benchmarks/learning/idling.py [--seconds 60] [--picture idling.png]

`multiclass` rules out idling while there is something to serve (the mask); with `--environment.idling` servers
may idle. Both are learned by the same algorithm for the same time, and random choice stands beside them. Backlogs over
--slots slots from empty queues on, of the same arrivals, beside MaxWeight: the mean of the last quarter, and the slope
of the last half, in jobs a slot (0: it is stable).
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.drawing.queues import plot_backlogs
from graphwright.envs.problem import random_choice
from graphwright.envs.queueing.multiclass import rules
from graphwright.envs.queueing.multiclass.environment import Multiclass
from graphwright.envs.queueing.multiclass.problem import MULTICLASS, criss_cross
from graphwright.training.averages import BACKLOG, Act, run
from graphwright.training.config import TrainConfig
from graphwright.training.train import train

LAW = "criss-cross-0.9-1.5"


def learned(environment: Multiclass, options: argparse.Namespace, folder: Path) -> Act:
    """What was learned in `environment`."""
    problem = replace(MULTICLASS, environment=environment)
    config = TrainConfig.for_problem(
        problem,
        options.algorithm,
        seconds=options.seconds,
        threads=1,
        seed=options.seed,
        encoder={"width": options.width},
        collection={"law": LAW, "sizes": (2,)},
        validation={"graphs": 1, "slots": 1, "every": 10**6},  # the last policy is the one to use
    )
    policy = train(problem, config, folder, Console(quiet=True)).learned()

    def act(state: GraphBatch) -> Tensor:
        return policy.best(environment.observe(state))  # type: ignore[no-any-return]

    return act


def main() -> None:
    """A table, and the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithm", default="ppo")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--slots", type=int, default=6000)
    parser.add_argument("--copies", type=int, default=32)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    instances = criss_cross(0.9, 1.5).select(torch.zeros(options.copies, dtype=torch.int64))
    instances = instances.with_graphs(seed=torch.arange(options.copies))
    curves: dict[str, np.ndarray] = {}

    def play(name: str, environment: Multiclass, act: Act) -> None:
        curves[name] = run(environment, act, instances, options.slots, 7)[BACKLOG].mean(1)

    plain = Multiclass()
    with tempfile.TemporaryDirectory() as folder:
        for name, idling in (("with the mask", False), ("without", True)):
            environment = replace(MULTICLASS.environment, idling=idling)
            assert isinstance(environment, Multiclass)
            choose = random_choice(environment, torch.Generator().manual_seed(0))
            play(f"random, {name}", environment, lambda state, e=environment, c=choose: c(e.observe(state)))  # type: ignore[misc]
            play(f"{options.algorithm}, {name}", environment, learned(environment, options, Path(folder) / str(idling)))
            if not idling:
                play("MaxWeight", plain, lambda state: rules.max_weight(plain, state))
    print("| criss-cross, load 0.9 | mean backlog, last quarter | jobs a slot more, last half |\n|---|---:|---:|")
    for name, curve in curves.items():
        half = curve[len(curve) // 2 :]
        slope = np.polyfit(np.arange(len(half)), half, 1)[0]
        print(f"| {name} | {curve[-len(curve) // 4 :].mean():,.1f} | {slope:+.4f} |")
    if options.picture is not None:
        plot_backlogs(curves, options.picture, "criss-cross at load 0.9, with and without idling")


if __name__ == "__main__":
    main()
