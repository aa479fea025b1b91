"""Fine-tuning: what another size or law of graphs gains, and what is forgotten, with each way not to forget.

    python benchmarks/learning/fine_tuning.py [--seconds 60] [--seeds 5] [--ways ppo] [--runs DIR] [--out DIR]

A policy is trained on graphs of 10 to 20 nodes by PPO; from it begin runs on larger graphs and on graphs of another
law, by PPO alone, with each trust region, and by AWAC, of one thread and the given time of the processor each. Then
three policies are tested, greedily, on old and new instances that none of them has seen: the one before, the one that
validation chose, which is what a run leaves, and the last one, which may be worse than the first. What --runs holds
already is not trained again: give each choice of settings its own folder.
"""

from __future__ import annotations

import json
import platform
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import tyro
from kept_runs import once
from processor_time import ProcessorClock
from rich.console import Console

from graphwright.core import GraphBatch
from graphwright.envs.registry import find_problem
from graphwright.training.agent import Agent, load
from graphwright.training.checkpoint import TRAINER_FILE, load_checkpoint, without_prefix
from graphwright.training.config import TrainConfig, changed
from graphwright.training.control import ControlOptions, random_instances
from graphwright.training.evaluate_heuristic import evaluate_heuristic
from graphwright.training.evaluate_solutions import EvaluationOptions, evaluate_solutions
from graphwright.training.train import train

SMALL = (10, 12, 14, 16, 18, 20)
TARGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "max-cut, 100 nodes": ("max-cut", {"sizes": (100,)}),
    "max-cut, trees of 50 nodes": ("max-cut", {"generator": "barabasi-albert:m=1", "sizes": (50,)}),
    "independent-set, half of all edges, 50 nodes": (
        "independent-set",
        {"generator": "erdos-renyi:p=0.5", "sizes": (50,)},
    ),
}
"""Row of the table → the problem, and the graphs on which a run goes on."""
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "ppo": ("ppo", {}),
    "ppo, penalty": ("ppo", {"trust_region": {"kind": "penalty"}}),
    "ppo, line search": ("ppo", {"trust_region": {"kind": "line-search"}}),
    "ppo, MMD": ("ppo", {"trust_region": {"kind": "mmd"}}),
    "awac": ("awac", {}),
}
"""Row of the table → the algorithm that goes on, and what differs from its defaults."""
WATCHED = 48
"""Instances of validation, of each size."""
SEEN = {"new": (), "old": (15, 20)}
"""Which instances are tested, and their sizes where these are not those of the target."""
POLICIES = ("before", "chosen", "last")


@dataclass(frozen=True)
class Options:
    """What to train."""

    seconds: float = 60.0
    """Of the processor, of each run."""
    seeds: int = 5
    """Runs of each kind, with the seeds 0, 1, ..."""
    targets: tuple[str, ...] = tuple(TARGETS)
    """Graphs to go on with."""
    ways: tuple[str, ...] = tuple(WAYS)
    """Ways to go on."""
    options: str = "{}"
    """More settings of each run, as JSON."""
    graphs: int = 100
    """Test instances of each size."""
    time_limit: float = 5.0
    """Seconds for the exact solver, each test instance."""
    workers: int = 2
    """Runs side by side."""
    runs: Path | None = None
    """Folder for the runs; by default they are not kept."""
    out: Path | None = None
    """Folder for the table, as fine-tuning.md."""


def start(options: Options, folder: Path, job: tuple[str, int]) -> None:
    """In a process of its own: the run on small graphs, if it is not there."""
    problem, seed = job
    collection, validation = {"sizes": SMALL}, {"sizes": SEEN["old"], "graphs": WATCHED}
    _run(options, problem, "ppo", seed, begun(folder, job), {"collection": collection, "validation": validation})


def go_on(options: Options, folder: Path, job: tuple[int, str, str]) -> dict[tuple[str, str], float]:
    """In a process of its own: the run that begins with it. What each of `POLICIES` is worth on each of `SEEN`."""
    seed, target, way = job
    (problem, graphs), (algorithm, settings) = TARGETS[target], WAYS[way]
    before = begun(folder, (problem, seed))
    directory = folder / f"{target}-{way}-{seed}".replace(",", "").replace(" ", "-")
    validation = {"sizes": graphs["sizes"], "graphs": WATCHED}
    given = {"collection": graphs, "validation": validation, "start": str(before)}
    _run(options, problem, algorithm, seed, directory, given | settings)
    policies = {"before": load(before), "chosen": load(directory), "last": last(directory)}
    return {
        (seen, when): worth(agent, tested(options, target, seen))
        for (when, agent), seen in product(policies.items(), SEEN)
    }


def begun(folder: Path, job: tuple[str, int]) -> Path:
    """Where the run on small graphs is."""
    return folder / f"{job[0]}-small-{job[1]}"


def last(directory: Path) -> Agent:
    """With the weights that a run ended with."""
    agent = load(directory)
    state = without_prefix("algorithm.policy", load_checkpoint(directory / TRAINER_FILE)[0])
    agent.policy.load_state_dict({name: state[name] for name in agent.policy.state_dict()})
    return agent


def worth(agent: Agent, instances: dict[str, GraphBatch]) -> float:
    """The mean objective of greedy solutions."""
    rows = evaluate_solutions(agent, EvaluationOptions(time_limit=0, policy_only=True), instances)
    return statistics.mean(row.policy for row in rows)


def tested(options: Options, target: str, seen: str) -> dict[str, GraphBatch]:
    """Size → instances, the same for all seeds and ways."""
    problem, graphs = TARGETS[target]
    law = graphs.get("generator") if seen == "new" else None
    sizes = SEEN[seen] or graphs["sizes"]
    return random_instances(find_problem(problem), ControlOptions(sizes=sizes, graphs=options.graphs, generator=law))


def best_known(options: Options, target: str, seen: str) -> float:
    """The mean of what the exact solver finds in its time."""
    problem = find_problem(TARGETS[target][0])
    instances = tested(options, target, seen)
    rows = evaluate_heuristic(problem, problem.optimization, "solver", instances, time_limit=options.time_limit)
    return statistics.mean(row.objective for row in rows)


def _run(options: Options, problem: str, algorithm: str, seed: int, directory: Path, settings: dict[str, Any]) -> None:
    """Train, unless that was done to its end."""
    config = TrainConfig.for_problem(problem, algorithm, seconds=options.seconds, seed=seed, threads=1)
    config = changed(changed(config, settings), json.loads(options.options))

    def work(directory: Path) -> int:
        return train(problem, config, directory, Console(quiet=True), callbacks=(ProcessorClock(),)).counters.steps

    once(directory, work)


def table(options: Options, jobs: list[tuple[int, str, str]], reports: list[dict[tuple[str, str], float]]) -> str:
    """As Markdown: means over seeds of how much worse than the best known, and the range of each."""
    columns = list(product(SEEN, POLICIES))
    lines = [
        f"{options.seconds:g} s of PPO on 10 to 20 nodes, then as long from there; one thread, CPU seconds, seeds 0 to "
        f"{options.seeds - 1}; {date.today()}, {platform.machine()}; `python benchmarks/learning/fine_tuning.py`. How "
        f"much worse than what the exact solver finds in {options.time_limit:g} s, in %, on {options.graphs} test "
        "instances of each size: mean over seeds (best to worst).",
        "",
        "| new graphs | way | " + " | ".join(f"{seen}, {when}" for seen, when in columns) + " |",
        "|---|---|" + "---:|" * len(columns),
    ]
    for target in options.targets:
        problem = TARGETS[target][0]
        best = {seen: best_known(options, target, seen) for seen in SEEN}
        for way in options.ways:
            found = [report for job, report in zip(jobs, reports, strict=True) if job[1:] == (target, way)]
            cells = [
                _cell([_gap(problem, best[seen], report[seen, when]) for report in found]) for seen, when in columns
            ]
            lines.append(f"| {target} | {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _gap(problem: str, best: float, value: float) -> float:
    """How much worse, in %."""
    more = find_problem(problem).optimization.maximise
    return 100 * ((best / value if more else value / best) - 1)


def _cell(values: list[float]) -> str:
    """The mean of several runs, and their range."""
    return f"{statistics.mean(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def main(options: Options) -> None:
    """A row for each target and way."""
    problems = dict.fromkeys(TARGETS[target][0] for target in options.targets)
    jobs = list(product(range(options.seeds), options.targets, options.ways))
    with tempfile.TemporaryDirectory() as nowhere, ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        folder = options.runs or Path(nowhere)
        folder.mkdir(parents=True, exist_ok=True)
        list(pool.map(partial(start, options, folder), product(problems, range(options.seeds))))
        reports = list(pool.map(partial(go_on, options, folder), jobs))
    text = table(options, jobs, reports)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "fine-tuning.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
