"""What is learned of a queueing problem, beside its rules, on networks that it never saw.

    python benchmarks/learning/control.py multi-hop [--train FILE...] [--seeds 5] [--seconds 120] [--networks 90]

The policy is learned as `graphwright train PROBLEM` does, on random networks, or on those of the files. It is judged on
`--networks` random ones by the mean backlog over `--slots` slots from empty queues, on the same arrivals as the rules:
the ratio to the backlog of `--reference`, by default the first rule of the problem; its mean with a 95 % interval over
networks, its median, and on what share of the networks it is below 1. Beside the network a linear policy learns alike,
where what is chosen has a linear head.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import processor_time
import torch
from linear import POLICIES, has_linear

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.envs.randomness import with_seeds
from graphwright.envs.registry import CONTROLLED, resolve
from graphwright.training.averages import BACKLOG, Act, require_endless, run
from graphwright.training.config import TrainConfig, changed

UNSEEN = 2**20  # the seed of the networks that are judged


def trained_on(problem: Problem, files: list[Path]) -> Problem:
    """The problem, whose random networks are those of `files` with arrivals of their own; as it is, without files."""
    if not files:
        return problem
    given = GraphBatch.concat([problem.environment.instance(read_graph(file).graph) for file in files])

    def draw(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
        which = torch.randint(len(files), (graph.num_graphs,), generator=generator)
        return with_seeds(given.select(which), generator)

    return replace(problem, laws={"files": draw})


def learned(problem: Problem, options: argparse.Namespace, policy: str, seed: int) -> Act:
    """What such a policy, one of `POLICIES`, learns with that seed."""
    config = TrainConfig.for_problem(
        problem,
        options.algorithm,
        seconds=None if options.steps else options.seconds,
        steps=options.steps,
        seed=seed,
        threads=1,
        settings=options.learning,
        collection=options.collection,
    )
    run = processor_time.learned(problem, changed(config, POLICIES[policy]))
    found: Any = run.algorithm.policy
    environment = problem.environment
    return lambda state: found.best(environment.observe(state))


def add_learning(parser: argparse.ArgumentParser) -> None:
    """What `learned` asks for, but the algorithm."""
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), choices=list(POLICIES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120.0, help="of the processor, each seed")
    parser.add_argument("--steps", type=int, help="in place of --seconds")
    parser.add_argument("--collection", type=json.loads, default={}, help="options of collection, as JSON")
    parser.add_argument("--learning", type=json.loads, default={}, help="options of the algorithm, as JSON")


def main() -> None:
    """A row for each rule, and for each policy and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem", choices=CONTROLLED)
    parser.add_argument("--reference", help="the rule to compare with")
    parser.add_argument("--algorithm", help="by default the problem's own")
    parser.add_argument("--train", type=Path, nargs="*", default=[])
    add_learning(parser)
    parser.add_argument("--networks", type=int, default=90)
    parser.add_argument("--slots", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    problem = resolve(options.problem)
    environment, reference = problem.environment, options.reference or next(iter(problem.baselines))
    networks = problem.generator()(options.networks, torch.Generator().manual_seed(UNSEEN))

    def backlogs(played: Environment, act: Act) -> np.ndarray:
        mean: np.ndarray = run(require_endless(problem, played), act, networks, options.slots, 0)[BACKLOG].mean(0)
        return mean

    rules = {}
    for name, rule in problem.baselines.items():
        played = rule.environment(environment)
        rules[name] = backlogs(played, lambda state, r=rule, p=played: r.rule(p, state))  # type: ignore[misc]
    print(f"| {problem.name} | mean of the ratios to {reference} | median | better | CPU-seconds |")
    print("|---|---:|---:|---:|---:|")

    def row(name: str, found: np.ndarray, used: str) -> None:
        ratio = found / rules[reference]
        half = 1.96 * ratio.std(ddof=1) / np.sqrt(len(ratio)) if len(ratio) > 1 else np.inf
        wins = 100 * (ratio < 1).mean()
        print(
            f"| {name} | {ratio.mean():.3f} ± {half:.3f} | {np.median(ratio):.3f} | {wins:.0f} % | {used} |", flush=True
        )

    for name, found in rules.items():
        row(f"`{name}`", found, "")
    policies = [each for each in options.policies if each != "linear" or has_linear(environment.actions)]
    for policy, seed in product(policies, range(options.seeds)):
        start = time.process_time()
        act = learned(trained_on(problem, options.train), options, policy, seed)
        used = time.process_time() - start
        row(f"{policy}, seed {seed}", backlogs(environment, act), f"{used:.0f}")


if __name__ == "__main__":
    main()
