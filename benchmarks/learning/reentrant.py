"""One network for reentrant lines of every length: learned on two and three stations, run on two to seven.

    python benchmarks/learning/reentrant.py [--seeds 5] [--seconds 120]

Each line has three classes a station and is busy 90 % of the time (`multiclass --law reentrant-90`). The policy is
learned by the algorithm and options that are the problem's own. All are judged on the same arrivals, lines of all
lengths side by side: mean backlogs over `--slots` events after as many that do not count, of `--copies` runs; for each
length the rules, then what was learned from each seed, by a network and by a linear policy, and the mean of the
differences to last-buffer-first-served with its 95 % interval over the runs of all.
Published for two and three stations: 14.130 and 23.269 (Dai & Gluzman 2022, PPO on 50 cores).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from control import add_learning, learned

from graphwright.core import GraphBatch
from graphwright.envs.queueing.multiclass.environment import Multiclass
from graphwright.envs.queueing.multiclass.problem import MULTICLASS, reentrant_line
from graphwright.training.averages import BACKLOG, Act, run

PLAIN, REFERENCE = Multiclass(), "lbfs"


def backlogs(act: Act, options: argparse.Namespace) -> np.ndarray:
    """[lengths, copies]: the mean backlog of each run, all by the same arrivals for every `act`."""
    copies = torch.arange(options.copies)
    lines = [reentrant_line(stations).select(0 * copies).with_graphs(seed=copies) for stations in options.run]
    slots = run(PLAIN, act, GraphBatch.concat(lines), 2 * options.slots, 1)[BACKLOG]
    mean: np.ndarray = slots[options.slots :].mean(0).reshape(len(lines), -1)
    return mean


def main() -> None:
    """A row for each length."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithm", default="policy-iteration")
    parser.add_argument("--train", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--run", type=int, nargs="+", default=[2, 3, 4, 5, 6, 7])
    parser.add_argument("--rules", nargs="*", default=list(MULTICLASS.baselines), choices=list(MULTICLASS.baselines))
    add_learning(parser)
    parser.add_argument("--slots", type=int, default=6000)
    parser.add_argument("--copies", type=int, default=256)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    law = {"reentrant-90": MULTICLASS.laws["reentrant-90"]}
    problem = replace(MULTICLASS, laws=law, sizes=tuple(options.train))
    policies = {
        kind: [learned(problem, options, kind, seed) for seed in range(options.seeds)] for kind in options.policies
    }
    used = (time.process_time() - start) / options.seeds / len(policies)
    names = [REFERENCE, *(name for name in options.rules if name != REFERENCE)]
    print(f"{options.algorithm} on {options.train} stations, {used:.0f} CPU-seconds a seed\n")
    columns = [column for kind in policies for column in (f"{kind}, by seed", f"{kind} − {REFERENCE}")]
    print(f"| stations | {' | '.join([*names, *columns])} |\n|---:|" + "---:|" * len([*names, *columns]))
    rules = {name: backlogs(partial(MULTICLASS.baselines[name].rule, PLAIN), options) for name in names}
    ours = [[backlogs(act, options) for act in acts] for acts in policies.values()]
    for row, stations in enumerate(options.run):
        cells = [f"{rules[name][row].mean():.2f}" for name in names]
        for found in ours:
            apart = np.mean([mean[row] for mean in found], axis=0) - rules[REFERENCE][row]
            half = 1.96 * apart.std(ddof=1) / np.sqrt(len(apart)) if len(apart) > 1 else np.inf
            cells += [", ".join(f"{mean[row].mean():.2f}" for mean in found), f"{apart.mean():+.2f} ± {half:.2f}"]
        print(f"| {stations} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
