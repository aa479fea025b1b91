"""Policies of small graphs on large ones: seconds, memory, and what they are worth beside rules and local search.

    python benchmarks/learning/large.py RUN [RUN ...] [--sizes 1000 10000 100000] [--improve 10] [--out FILE.md]

RUN: a run of vertex-cover, independent-set, max-cut or tour, or the name of one whose policy comes with the package.
Every cell is a process of its own with one thread, so that its peak memory is its own; the table gives it with the
median seconds of `repeats` solves, many nodes at once where the problem can, reading not included. Ratios are to the
bound of the problem where it has one, otherwise to the best of all that the cell found; 1 is best and less is better.
The first rule is then improved by local search for as long as the policy took, and everything for `improve` seconds.
The last lines fit the policy's seconds and memory to a power of nodes + edges.
"""

from __future__ import annotations

import math
import resource
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from graphwright.core import GraphBatch
from graphwright.training.agent import Agent, load
from graphwright.training.pretrained import pretrained, pretrained_names

_SPARSE = {
    "watts-strogatz": lambda n: "watts-strogatz:k=4,p=0.3",
    "barabasi-albert": lambda n: "barabasi-albert:m=2",
    "random-geometric": lambda n: f"random-geometric:radius={math.sqrt(6 / (math.pi * n)):.7g}",
    "erdos-renyi": lambda n: f"erdos-renyi:p={4 / n:.7g}",
}
"""Name → generator of graphs of n nodes, of mean degree 4, 4, 6 and 4."""
_LIKE_GSET = {
    "random": lambda n: f"erdos-renyi:p={48 / n:.7g}",
    "sparse-random": lambda n: f"erdos-renyi:p={5 / n:.7g}",
    "torus": lambda n: "grid",
}
"""As rudy made those of the Gset (Helmberg & Rendl 2000): G1 has 800 nodes of mean degree 48, G55 5,000 of degree 5,
and G81 is a torus of 20,000."""
_PUBLIC = {
    "delaunay_n16": lambda n: "delaunay",
    "graph500, scale 14": lambda n: "kronecker",
    "hamming10-4": lambda n: "hamming:n=10,d=4",
    "johnson32-2-4": lambda n: "johnson:n=32,w=2,d=4",
}
"""Public graphs above 10⁵ edges that are made by published rules: of the tenth and the second DIMACS challenge, and
Graph500; points and draws are our own."""
_SIZES = {"delaunay_n16": 2**16, "graph500, scale 14": 2**14, "hamming10-4": 1024, "johnson32-2-4": 496}
FAMILIES: dict[str, Any] = {**_SPARSE, **_LIKE_GSET, **_PUBLIC, "points": lambda n: "points"}
OF_PROBLEM = {"max-cut": tuple(_LIKE_GSET), "tour": ("points",)}
"""The families of a problem, otherwise those of `_SPARSE`."""
RULES = {"tour": ("greedy-edges", "space-filling", "nearest-neighbour"), "max-cut": ("greedy", "local-search")}
"""Of a problem, otherwise greedy."""
LAWS = {"vertex-cover": "uniform", "independent-set": "uniform", "max-cut": "signed"}
_ONE_BY_ONE = 10_000
"""Up to so many nodes, decisions are also taken one at a time."""


@dataclass(frozen=True)
class Options:
    """What to run."""

    runs: tyro.conf.Positional[tuple[str, ...]]
    """Run directories, or problems whose policy comes with the package."""
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Numbers of nodes."""
    families: tuple[str, ...] | None = None
    """Kinds of graphs; by default some of the problem. Public graphs have a size of their own."""
    law: str | None = None
    """The law of the weights."""
    improve: float = 10.0
    """Seconds of local search; 0 measures the policy alone, without rules beside it."""
    repeats: int = 3
    """Solves of each graph, of which the median time counts."""
    seed: int = 1
    """Seed of the graphs."""
    one_by_one: bool = True
    """Whether decisions are also taken one at a time, of up to 10,000 nodes."""
    out: Path | None = None
    """Markdown file to write."""


_COLUMNS = ("problem", "graph", "nodes", "edges", "ratio to", "who", "seconds", "MB", "ratio", "after local search")


def main(options: Options) -> None:
    rows, lines = [], ["| " + " | ".join(_COLUMNS) + " |", "|---|---|---:|---:|---|---|---:|---:|---:|---:|"]
    print("\n".join(lines), flush=True)
    for run in options.runs:
        problem = _agent(run).problem.name
        for family in options.families or OF_PROBLEM.get(problem, tuple(_SPARSE)):
            for size in (_SIZES[family],) if family in _SIZES else options.sizes:
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                    cell = next(alone.map(measure, [options], [run], [family], [size]))
                rows += cell
                lines += [_line(row) for row in cell]
                print("\n".join(lines[-len(cell) :]), flush=True)
    fits = [f"- {text}" for text in _fits(rows)]
    print("\n".join(fits))
    if options.out is not None:
        options.out.write_text("\n".join([*_introduction(options), "", *lines, "", *fits]) + "\n")


def _agent(run: str) -> Agent:
    return pretrained(run) if run in pretrained_names() else load(Path(run))


@torch.no_grad()
def measure(options: Options, run: str, family: str, size: int) -> list[dict[str, Any]]:
    """The rows of one graph, in a process of its own."""
    torch.set_num_threads(1)
    agent = _agent(run)
    problem, environment = agent.problem, agent.config.environment
    law = options.law or LAWS.get(problem.name)
    topology = FAMILIES[family](size)
    instance = problem.generator(topology, (size,), law)(1, torch.Generator().manual_seed(options.seed))
    facts = {"problem": problem.name, "graph": family, "nodes": size, "edges": instance.num_edges // 2}
    at_once = agent.why_not_parallel is None
    improve = problem.improve
    assert improve is not None
    seconds = []
    for _ in range(options.repeats):
        found, taken = _timed(lambda: agent.solve(instance, "parallel" if at_once else "greedy"))
        seconds.append(taken)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    median = statistics.median(seconds)
    rows = [facts | {"who": "policy", "seconds": median, "MB": peak, "state": found}]
    if at_once and options.one_by_one and size <= _ONE_BY_ONE:
        state, taken = _timed(lambda: agent.solve(instance, "greedy"))
        rows.append(facts | {"who": "policy, one at a time", "seconds": taken, "state": state})
    rules = RULES.get(problem.name, ("greedy",)) if options.improve else ()
    for name in rules:
        state, taken = _timed(lambda name=name: problem.heuristics[name](environment, instance))
        rows.append(facts | {"who": name, "seconds": taken, "state": state})
        if name == rules[0]:
            state = improve(environment, state, median, 0)
            rows.append(facts | {"who": f"{name}, the policy's time", "seconds": taken + median, "state": state})
    for row in rows:
        row["improved"] = improve(environment, row["state"], options.improve, 0)
    states = [row[name] for row in rows for name in ("state", "improved")]
    assert all(bool(environment.is_complete(state).all()) for state in states)
    reference, called = _reference(agent, instance, states)
    for row in rows:
        for name, ratio in (("state", "ratio"), ("improved", "after local search")):
            value = float(environment.objective(row.pop(name)))
            row[ratio] = reference / value if environment.maximise else value / reference
        row["ratio to"] = called
    return rows


def _timed(solve: Any) -> tuple[GraphBatch, float]:
    begin = time.perf_counter()
    found = solve()
    return found, time.perf_counter() - begin


def _reference(agent: Agent, instance: GraphBatch, states: list[GraphBatch]) -> tuple[float, str]:
    """What the objectives are compared with, and what it is."""
    environment = agent.config.environment
    if agent.problem.bound_quickly is not None:
        bound, called = agent.problem.bound_quickly(environment, instance)
        return float(bound[0]), f"bound ({called}) {float(bound[0]):,.4g}"
    values = [float(environment.objective(state)) for state in states]
    best = max(values) if environment.maximise else min(values)
    return best, f"best here {best:,.4g}"


def _line(row: dict[str, Any]) -> str:
    words = []
    for name in _COLUMNS:
        value = row.get(name)
        form = {"MB": ",.0f", "seconds": ".3g"}.get(name, ".4f" if isinstance(value, float) else ",")
        words.append("" if value is None else value if isinstance(value, str) else format(value, form))
    return "| " + " | ".join(words) + " |"


def _fits(rows: list[dict[str, Any]]) -> list[str]:
    """What powers of nodes + edges the policy's seconds and memory grow with."""
    texts = []
    for problem, family in dict.fromkeys((row["problem"], row["graph"]) for row in rows):
        mine = [row for row in rows if (row["problem"], row["graph"], row["who"]) == (problem, family, "policy")]
        if len(mine) > 1:
            sizes = np.log([row["nodes"] + row["edges"] for row in mine])
            powers = [np.polyfit(sizes, np.log([row[name] for row in mine]), 1)[0] for name in ("seconds", "MB")]
            texts.append(f"{problem}, {family}: seconds grow with power {powers[0]:.2f}, memory with {powers[1]:.2f}")
    return texts


def _introduction(options: Options) -> list[str]:
    sizes = " ".join(map(str, options.sizes))
    command = f"python benchmarks/learning/large.py {' '.join(options.runs)} --sizes {sizes}"
    return [
        "# Large graphs",
        "",
        f"`{command} --improve {options.improve:g} --repeats {options.repeats}`, {date.today()}, one thread, seed "
        f"{options.seed} of the graphs. Ratios are to what is named, 1 is best and less is better.",
    ]


if __name__ == "__main__":
    main(tyro.cli(Options))
