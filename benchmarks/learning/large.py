"""Policies of small graphs on large ones: seconds, memory, and what they are worth beside greedy and local search.

    python benchmarks/learning/large.py RUN [RUN ...] [--sizes 1000 10000 100000] [--out docs/tables/large.md]

RUN: a run of vertex-cover or independent-set. Every cell is a process of its own with one thread, so that its peak
memory is its own; the table gives it with the median seconds of `repeats` solves by `--decode parallel`, reading not
included. Ratios are cost over the bound (of independent sets, bound over weight), by cliques and, for unit weights,
linear programming. Local search has the same time from greedy as the policy took, then `--improve` seconds from each.
The last lines fit seconds and memory to a power of nodes + edges.
"""

from __future__ import annotations

import math
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from graphwright.training.agent import load
from graphwright.training.decode import Decoding

FAMILIES: dict[str, Callable[[int], str]] = {
    "watts-strogatz": lambda n: "watts-strogatz:k=4,p=0.3",
    "barabasi-albert": lambda n: "barabasi-albert:m=2",
    "random-geometric": lambda n: f"random-geometric:radius={math.sqrt(6 / (math.pi * n)):.7g}",
    "erdos-renyi": lambda n: f"erdos-renyi:p={4 / n:.7g}",
}
"""Name → generator of graphs of n nodes, of mean degree 4, 4, 6 and 4."""
_ONE_BY_ONE = 10_000
"""Up to so many nodes, decisions are also taken one at a time."""


@dataclass(frozen=True)
class Options:
    """What to run."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run directories."""
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Numbers of nodes."""
    families: tuple[str, ...] = tuple(FAMILIES)
    """Kinds of graphs."""
    law: str = "uniform"
    """The law of the weights."""
    improve: float = 10.0
    """Seconds of local search."""
    repeats: int = 3
    """Solves of each graph, of which the median time counts."""
    seed: int = 1
    """Seed of the graphs."""
    out: Path | None = None
    """Markdown file to write."""


_COLUMNS = ("problem", "graph", "nodes", "edges", "seconds", "MB", "bound", "policy", "one at a time", "greedy")
_COLUMNS += ("greedy, same time", "policy, improved", "greedy, improved")


def main(options: Options) -> None:
    cells, lines = [], []
    for run in options.runs:
        for family in options.families:
            for size in options.sizes:
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                    cells += alone.map(measure, [options], [run], [family], [size])
                lines.append(_line(cells[-1]))
                print(lines[-1], flush=True)
    table = ["| " + " | ".join(_COLUMNS) + " |", "|---|---|" + "---:|" * (len(_COLUMNS) - 2), *lines]
    fits = [f"- {text}" for text in _fits(cells)]
    print("\n".join(fits))
    if options.out is not None:
        options.out.write_text("\n".join([*_introduction(options), "", *table, "", *fits]) + "\n")


@torch.no_grad()
def measure(options: Options, run: Path, family: str, size: int) -> dict[str, Any]:
    """One cell of the table, in a process of its own."""
    torch.set_num_threads(1)
    agent = load(run)
    problem, environment = agent.problem, agent.config.environment
    topology = FAMILIES[family](size)
    instance = problem.generator(topology, (size,), options.law)(1, torch.Generator().manual_seed(options.seed))
    assert problem.bound_quickly is not None
    assert problem.improve is not None
    bound = float(problem.bound_quickly(environment, instance)[0])

    def ratio(state: Any) -> float:
        objective = float(environment.objective(state))
        return bound / objective if environment.maximise else objective / bound

    def solve(decoding: Decoding) -> Any:
        return agent.solve(instance, decoding)

    seconds, peak = [], 0.0
    for _ in range(options.repeats):
        start = time.perf_counter()
        policy = solve("parallel")
        seconds.append(time.perf_counter() - start)
        peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    taken = statistics.median(seconds)
    greedy = problem.heuristics["greedy"](environment, instance)
    found = {"policy": policy, "greedy": greedy}
    if size <= _ONE_BY_ONE:
        found["one at a time"] = solve("greedy")
    found["greedy, same time"] = problem.improve(environment, greedy, taken, 0)
    for name in ("policy", "greedy"):
        found[f"{name}, improved"] = problem.improve(environment, found[name], options.improve, 0)
    assert all(bool(environment.is_complete(state).all()) for state in found.values())
    facts = {"problem": problem.name, "graph": family, "nodes": size, "edges": instance.num_edges // 2}
    return facts | {"seconds": taken, "MB": peak, "bound": bound} | {name: ratio(each) for name, each in found.items()}


def _line(cell: dict[str, Any]) -> str:
    words = []
    for name in _COLUMNS:
        value = cell.get(name)
        if isinstance(value, float):
            words.append(
                f"{value:,.0f}" if name in ("MB", "bound") else f"{value:.4g}" if name == "seconds" else f"{value:.4f}"
            )
        else:
            words.append("" if value is None else f"{value:,}" if isinstance(value, int) else str(value))
    return "| " + " | ".join(words) + " |"


def _fits(cells: list[dict[str, Any]]) -> list[str]:
    """What powers of nodes + edges the seconds and the memory grow with."""
    texts = []
    for problem, family in dict.fromkeys((cell["problem"], cell["graph"]) for cell in cells):
        mine = [cell for cell in cells if (cell["problem"], cell["graph"]) == (problem, family)]
        if len(mine) > 1:
            sizes = np.log([cell["nodes"] + cell["edges"] for cell in mine])
            powers = [np.polyfit(sizes, np.log([cell[name] for cell in mine]), 1)[0] for name in ("seconds", "MB")]
            texts.append(f"{problem}, {family}: seconds grow with power {powers[0]:.2f}, memory with {powers[1]:.2f}")
    return texts


def _introduction(options: Options) -> list[str]:
    command = f"python benchmarks/learning/large.py RUN RUN --sizes {' '.join(map(str, options.sizes))}"
    return [
        "# Large graphs",
        "",
        f"`{command} --improve {options.improve:g} --repeats {options.repeats}`, {date.today()}, one thread, seed "
        f"{options.seed} of the graphs, weights `{options.law}`; policies trained for a minute on graphs of at most 50 "
        "nodes (`graphwright train PROBLEM --seconds 60`). Ratios are to the bound, 1 is optimal and less is better; "
        "a row has one bound, so that its columns are compared whether the bound is tight or not.",
    ]


if __name__ == "__main__":
    main(tyro.cli(Options))
