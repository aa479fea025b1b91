"""Behaviour cloning of MaxWeight, and of the exact independent set: how near the clone comes to its expert.

    python benchmarks/learning/imitation.py [--seeds 5] [--seconds 60 | --steps N] [--picture conflict-line.png]

`single-hop`: MaxWeight on 3 to 5 queues, run on these and on up to 20. `conflict-graph`: the exact set on the line of
three links and on rings of 4 to 8, run on lines, rings and grids of up to 64; `conflict-graph-sequential`: the same,
one link after the other. A clone learns from a recording (`--algorithm bc`) and, beside it, from an expert that
comments on what it does itself (`--algorithm imitation`, β from 1 to 0), after which reinforcement may go on from it
(`--algorithm policy-iteration --from RUN`); "DAgger, linear" is a weighted sum of columns and no network. Backlogs over
--slots slots from empty queues on, of the same arrivals; mean backlog over 8 networks as a multiple of the expert's,
mean and standard error over seeds, and in brackets the median over networks and seeds, and how many of them have more
than three times the expert's backlog. Seconds are those of the processor. The picture shows for which
queues of the line a clone does not do what its expert does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from linear import POLICIES
from processor_time import ProcessorClock
from rich.console import Console

from graphwright.core import GraphBatch
from graphwright.envs.experts import find_expert
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.training.agent import Agent
from graphwright.training.config import TrainConfig, changed, make_generator
from graphwright.training.control import ControlOptions, evaluate_policy, evaluate_rule
from graphwright.training.record import ExpertActor, record
from graphwright.training.train import train

RING, LINE, GRID = "watts-strogatz:k=2,p=0", "path", "grid"
Kind = tuple[str | None, int]
LINKS: dict[str, Kind] = {
    "line 3": (LINE, 3),
    "ring 6": (RING, 6),
    "ring 8": (RING, 8),
    "line 20": (LINE, 20),
    "line 64": (LINE, 64),
    "ring 64": (RING, 64),
    "grid 16": (GRID, 16),
    "grid 64": (GRID, 64),
}
TRAINING: dict[str, list[tuple[str | None, tuple[int, ...]]]] = {
    "single-hop": [(None, (3, 4, 5))],
    "conflict-graph": [(LINE, (3,)), (RING, (4, 5, 6, 7, 8))],
    "conflict-graph-sequential": [(LINE, (3,)), (RING, (4, 5, 6, 7, 8))],
}
TESTS: dict[str, dict[str, Kind]] = {
    "single-hop": {f"{size} queues": (None, size) for size in (3, 5, 10, 20)},
    "conflict-graph": LINKS,
    "conflict-graph-sequential": LINKS,
}
EXPERT = "max-weight"
NETWORKS = 8
DIVERGED = 3.0


def drawn(problem: Problem, topology: str | None, sizes: tuple[int, ...], count: int, seed: int) -> GraphBatch:
    """Random instances."""
    return make_generator(problem, topology, sizes, None)(count, torch.Generator().manual_seed(seed))


def separate(problem: Problem, kinds: dict[str, Kind]) -> dict[str, GraphBatch]:
    """`NETWORKS` random instances of each of the `kinds`, each by itself, so that what diverges is seen."""
    return {
        f"{label}, {place}": batch.select(torch.tensor([place]))
        for label, (which, size) in kinds.items()
        for batch in [drawn(problem, which, (size,), NETWORKS, 11)]
        for place in range(NETWORKS)
    }


def kinds(backlogs: np.ndarray) -> np.ndarray:
    """The networks of each kind, [kinds, `NETWORKS`]."""
    return backlogs.reshape(-1, NETWORKS)


def compared(found: np.ndarray, expert: np.ndarray) -> str:
    """What the backlogs `found` [seeds, networks] come to beside those of the `expert` [networks]."""
    ratio, each = found.mean(1) / expert.mean(), found / expert
    error = ratio.std() / max(len(ratio) - 1, 1) ** 0.5
    spread = f"{np.median(each):.3f}; {(each > DIVERGED).sum()} of {each.size}"
    return f"{ratio.mean():.3f} ± {error:.3f} ({spread})"


def cloned(name: str, seed: int, options: argparse.Namespace, folder: Path) -> Agent:
    """A policy that has learned a recording of the expert."""
    problem = find_problem(name)
    generator = torch.Generator().manual_seed(seed)
    parts = [drawn(problem, *which, options.graphs, 100 + seed) for which in TRAINING[name]]
    actor = ExpertActor(problem.environment, find_expert(problem, problem.environment, EXPERT), 1.0, generator)
    path = folder / f"{name}-{seed}"
    record(problem.environment, actor, GraphBatch.concat(parts), options.slots, {"by": EXPERT}).save(path)
    learned = {"data": str(path)}
    if name == "conflict-graph-sequential":
        learned["targets"] = "soft"  # whichever link of a set comes first
    return trained(name, "bc", seed, options, folder, {"bc": learned})


def guided(name: str, seed: int, options: argparse.Namespace, folder: Path, policy: str = "network") -> Agent:
    """A policy, one of `POLICIES`, whose own steps the expert has commented on, more and more of them."""
    collection = {"expert": EXPERT, "num_instances": 64, "expert_share": 1.0, "final_expert_share": 0.0}
    if name != "single-hop":
        collection |= {"law": "bernoulli-opened", "sizes": (3, 4, 5, 6, 7, 8)}  # rings, and lines
    return trained(name, "imitation", seed, options, folder, collection, policy=policy)


def improved(name: str, seed: int, options: argparse.Namespace, folder: Path) -> Agent:
    """What policy iteration makes of the policy of `guided`, for as long again."""
    if not run_folder(folder, name, "imitation", seed).exists():
        guided(name, seed, options, folder)
    collection = {"law": "bernoulli-opened", "sizes": (3, 4, 5, 6, 7, 8)} if name != "single-hop" else {}
    start = str(run_folder(folder, name, "imitation", seed))
    return trained(name, "policy-iteration", seed, options, folder, collection, start)


HOW = {
    "cloned": cloned,
    "DAgger": guided,
    "DAgger, linear": partial(guided, policy="linear"),
    "DAgger, then policy iteration": improved,
}


def run_folder(folder: Path, name: str, algorithm: str, seed: int, policy: str = "network") -> Path:
    """Where a run is kept."""
    return folder / f"{name}-{algorithm}-{policy}-{seed}-run"


def trained(
    name: str,
    algorithm: str,
    seed: int,
    options: argparse.Namespace,
    folder: Path,
    collection: dict[str, object],
    start: str | None = None,
    policy: str = "network",
) -> Agent:
    """The policy of a run, which begins with that of the run `start`, if given; policy: one of `POLICIES`."""
    config = TrainConfig.for_problem(
        name,
        algorithm,
        seconds=None if options.steps else options.seconds,
        steps=options.steps,
        seed=seed,
        threads=1,
        encoder={"kind": "graphconv", "width": options.width, "depth": options.depth, **options.encoder},
        heads=options.heads if name == "conflict-graph" else {},
        collection=collection,
        validation={"graphs": 4, "slots": min(100, options.slots), "every": 40},
        start=start,
    )
    directory = run_folder(folder, name, algorithm, seed, policy)
    return train(
        name, changed(config, POLICIES[policy]), directory, Console(quiet=True), callbacks=(ProcessorClock(),)
    ).agent()


def draw_line(agent: Agent, path: Path, most: int = 16) -> float:
    """The picture of the line of three links; the share of states of up to `most` packets in which the clone errs."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    problem, environment = agent.problem, agent.config.environment
    lines = drawn(problem, LINE, (3,), 1, 5)
    queues = torch.cartesian_prod(*[torch.arange(most)] * 3)
    state = environment.reset(lines).select(torch.zeros(len(queues), dtype=torch.int64))
    state = state.with_nodes(queue=queues.flatten(), capacity=torch.ones(queues.numel(), dtype=torch.int64))
    ours = agent.policy.best(environment.observe(state)).view(-1, 3)
    theirs = problem.baselines[EXPERT].rule(environment, state).view(-1, 3)
    ends, middle = queues[:, 0] + queues[:, 2], queues[:, 1]
    tied = ends == middle  # either set weighs as much
    errs = ((ours != theirs).any(1) & ~tied).numpy()
    total, wrong = np.zeros((2 * most - 1, most)), np.zeros((2 * most - 1, most))
    np.add.at(total, (ends.numpy(), middle.numpy()), 1)
    np.add.at(wrong, (ends.numpy(), middle.numpy()), errs)
    figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
    image = axes.imshow(wrong / total, origin="lower", aspect="auto", cmap="magma_r", vmin=0, vmax=1)
    axes.plot([0, most - 1], [0, most - 1], color="tab:blue", linewidth=1, label="both sets weigh as much")
    axes.set_xlabel("packets at the middle link")
    axes.set_ylabel("packets at both ends together")
    axes.legend(loc="upper left")
    figure.colorbar(image, label="share of states in which the clone errs")
    figure.savefig(path, dpi=120)
    return float(errs.mean())


def main() -> None:
    """A table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(TRAINING))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--slots", type=int, default=2000)
    parser.add_argument("--graphs", type=int, default=32)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--encoder", type=json.loads, default={}, help="options of the encoder, as JSON")
    parser.add_argument("--heads", type=json.loads, default={}, help="options of heads of conflict-graph, as JSON")
    parser.add_argument("--how", nargs="+", default=list(HOW), choices=HOW)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    control = ControlOptions(slots=options.slots, seed=7)
    for name in options.only:
        problem = find_problem(name)
        tests = separate(problem, TESTS[name])
        rules = {
            rule: np.array([row.backlog for row in evaluate_rule(problem, problem.environment, rule, tests, control)])
            for rule in (EXPERT, *[other for other in problem.baselines if other != EXPERT], "random")
        }
        backlogs: dict[str, list[np.ndarray]] = {how: [] for how in options.how}
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(options.seeds):
                for how in options.how:
                    start = time.process_time()
                    agent = HOW[how](name, seed, options, Path(folder))
                    used = time.process_time() - start
                    found = np.array([row.backlog for row in evaluate_policy(agent, control, tests)])
                    backlogs[how].append(found)
                    ratios = kinds(found).mean(1) / kinds(rules[EXPERT]).mean(1)
                    print(f"{how}, seed {seed}, {used:.0f} CPU-seconds: {np.round(ratios, 3).tolist()}", flush=True)
                    if name == "conflict-graph" and options.picture is not None and seed == 0:
                        path = options.picture.with_stem(f"{options.picture.stem}-{how.lower()}")
                        print(f"errs in {100 * draw_line(agent, path):.2f} % of the states of the line ({how})")
        print(f"\n| {name} | {' | '.join([*rules, *backlogs])} |\n|---|{'---:|' * (len(rules) + len(backlogs))}")
        for place, label in enumerate(TESTS[name]):
            means = [f"{kinds(backlog)[place].mean():.2f}" for backlog in rules.values()]
            expert = kinds(rules[EXPERT])[place]
            shown = [compared(np.array([kinds(run)[place] for run in runs]), expert) for runs in backlogs.values()]
            print(f"| {label} | {' | '.join([*means, *shown])} |", flush=True)


if __name__ == "__main__":
    main()
