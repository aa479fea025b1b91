"""The criss-cross network at six loads: one algorithm, one setting, and how far what it learns is from the optimum.

    python benchmarks/learning/criss_cross.py [--loads 0.9-1.0] [--seeds 1] [--seconds 150]

For each load a policy is learned as `graphwright train multiclass --law criss-cross-LOAD` does with the options FORKS
and LEARNING, the same everywhere. What it is above the optimum is summed up over the states that it meets
(`envs/queueing/multiclass/regret.py`), nearly without the noise of a simulation; so is what the baselines are.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import processor_time
import torch

from graphwright.core import GraphBatch
from graphwright.envs.queueing.multiclass.environment import Multiclass
from graphwright.envs.queueing.multiclass.problem import MULTICLASS, criss_cross
from graphwright.envs.queueing.multiclass.regret import regret
from graphwright.envs.queueing.multiclass.value_iteration import value_iteration
from graphwright.training.config import TrainConfig

MOST = {0.3: 12, 0.6: 24, 0.9: 120}
"""Arrival rate → the most jobs of a class, beyond which the chain is cut."""
FORKS = {"num_envs": 2048, "num_steps": 16, "num_states": 1 << 14, "ahead": 1000}
"""Many, and followed far: at the heaviest load a starved server is felt for a thousand slots, but seldom."""
LEARNING = {"epochs": 4, "minibatch_size": 1024}


def main() -> None:
    """A row for each load."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    loads = [name.removeprefix("criss-cross-") for name in MULTICLASS.laws if name.startswith("criss-cross-")]
    parser.add_argument("--loads", nargs="+", default=loads, choices=loads)
    parser.add_argument("--algorithm", default="policy-iteration")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=150.0, help="of the processor, each seed")
    parser.add_argument("--collection", type=json.loads, default=FORKS, help="options of collection, as JSON")
    parser.add_argument("--learning", type=json.loads, default=LEARNING, help="options of the algorithm, as JSON")
    parser.add_argument("--environment", type=json.loads, default={}, help="options of the environment, as JSON")
    parser.add_argument("--slots", type=int, default=1 << 24)
    options = parser.parse_args()
    torch.set_num_threads(1)
    environment = Multiclass()
    print("| λ, μ₃ | optimum | " + " | ".join(MULTICLASS.baselines) + f" | {options.algorithm}, % above the optimum |")
    print("|---|---:|" + "---:|" * (len(MULTICLASS.baselines) + 1))
    for load in options.loads:
        arrival, downstream = map(float, load.split("-"))
        network, most = criss_cross(arrival, downstream), MOST[arrival]
        optimal = value_iteration(network, (most,) * 3, tolerance=5e-4)
        found = []
        for baseline in MULTICLASS.baselines.values():
            gap, _ = regret(network, optimal, lambda state, b=baseline: b.rule(environment, state), slots=options.slots)
            found.append(f"{100 * gap / optimal.gain:.2f}")
        learned, start = [], time.process_time()
        for seed in range(options.seeds):
            config = TrainConfig.for_problem(
                MULTICLASS,
                options.algorithm,
                seconds=options.seconds,
                seed=seed,
                threads=1,
                environment=options.environment,
                settings=options.learning,
                collection={"law": f"criss-cross-{load}", "sizes": (2,), **options.collection},
            )
            policy: Any = processor_time.learned(MULTICLASS, config).algorithm.policy

            def act(state: GraphBatch, policy: Any = policy) -> torch.Tensor:
                return policy.best(environment.observe(state))

            learned.append(100 * regret(network, optimal, act, slots=options.slots)[0] / optimal.gain)
        used = (time.process_time() - start) / options.seeds
        each = ", ".join(f"{gap:.2f}" for gap in learned)
        print(
            f"| {arrival}, {downstream} | {optimal.gain:.3f} | {' | '.join(found)} | {each} ({used:.0f} CPU-s) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
