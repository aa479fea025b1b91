"""The criss-cross network at six loads: one algorithm, one setting, and how far what it learns is from the optimum.

    python benchmarks/learning/criss_cross.py [--loads 0.9-1.0] [--seeds 1] [--seconds 150]

For each load a policy is learned as `graphwright train multiclass --law criss-cross-LOAD` does with the options FORKS
and LEARNING, the same everywhere. What it is above the optimum is summed up over the states that it meets
(`envs/queueing/multiclass/regret.py`), nearly without the noise of a simulation; so is what the baselines are, and a
linear policy that learns alike.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial

import torch
from control import add_learning, learned

from graphwright.core import GraphBatch
from graphwright.envs.queueing.multiclass.environment import Multiclass
from graphwright.envs.queueing.multiclass.problem import MULTICLASS, criss_cross
from graphwright.envs.queueing.multiclass.regret import regret
from graphwright.envs.queueing.multiclass.value_iteration import Optimal, value_iteration
from graphwright.training.averages import Act

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
    add_learning(parser)
    parser.set_defaults(seconds=150.0, collection=FORKS, learning=LEARNING)
    parser.add_argument("--slots", type=int, default=1 << 24)
    options = parser.parse_args()
    torch.set_num_threads(1)
    environment = Multiclass()
    columns = ["optimum", *MULTICLASS.baselines, *(f"{kind}, by seed" for kind in options.policies)]
    print(f"{options.algorithm}; in % above the optimum\n")
    print(f"| λ, μ₃ | {' | '.join(columns)} | CPU-seconds |\n|---|" + "---:|" * (len(columns) + 1))
    for load in options.loads:
        arrival, downstream = map(float, load.split("-"))
        network, most = criss_cross(arrival, downstream), MOST[arrival]
        optimal = value_iteration(network, (most,) * 3, tolerance=5e-4)

        def above(act: Act, network: GraphBatch = network, optimal: Optimal = optimal) -> str:
            return f"{100 * regret(network, optimal, act, slots=options.slots)[0] / optimal.gain:.2f}"

        cells = [
            f"{optimal.gain:.3f}",
            *(above(partial(each.rule, environment)) for each in MULTICLASS.baselines.values()),
        ]
        law = f"criss-cross-{load}"
        problem, start = replace(MULTICLASS, laws={law: MULTICLASS.laws[law]}, sizes=(2,)), time.process_time()
        for kind in options.policies:
            cells.append(", ".join(above(learned(problem, options, kind, seed)) for seed in range(options.seeds)))
        used = (time.process_time() - start) / options.seeds / len(options.policies)
        print(f"| {arrival}, {downstream} | {' | '.join(cells)} | {used:.0f} |", flush=True)


if __name__ == "__main__":
    main()
