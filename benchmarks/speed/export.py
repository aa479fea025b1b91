"""The exported forward pass beside the library's own: milliseconds for a batch of graphs, on one thread.

python benchmarks/speed/export.py [--repeats 20] [--sizes 20 100 1000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from graphwright.envs.registry import PROBLEMS
from graphwright.training.config import TrainConfig
from graphwright.training.export import export_policy, inputs_of
from graphwright.training.networks import make_policy

GRAPHS = 16


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """The median of `repeats`, after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * sorted(times[1:])[repeats // 2]


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 100, 1000])
    options = parser.parse_args()
    torch.set_num_threads(1)
    problem = PROBLEMS["vertex-cover"]
    config = TrainConfig.for_problem(problem)
    policy, played = make_policy(config, torch.device("cpu")), config.played
    batches = {
        size: played.observe(played.reset(problem.generator(sizes=(size,))(GRAPHS, torch.Generator().manual_seed(0))))
        for size in options.sizes
    }
    program = export_policy(policy, next(iter(batches.values()))).module()
    print(f"{GRAPHS} graphs of each size, {config.encoder.kind}, width {config.encoder.width}\n")
    print("| nodes | policy, ms | program, ms |\n|---:|---:|---:|")
    for size, seen in batches.items():
        inputs = inputs_of(policy, seen)
        own = milliseconds(lambda seen=seen: policy.best(seen), options.repeats)
        plain = milliseconds(lambda inputs=inputs: program(*inputs), options.repeats)
        print(f"| {size} | {own:.2f} | {plain:.2f} |")


if __name__ == "__main__":
    main()
