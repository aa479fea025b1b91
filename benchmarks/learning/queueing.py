"""Queueing networks: published figures beside ours, baselines beside each other, and pictures, in one command.

    python benchmarks/learning/queueing.py --networks FILE... --pictures docs/images

Optima by value iteration, priority rules on reentrant lines, the baselines of every problem on its random networks, and
back-pressure and shortest-path routing on networks in the form of a published set, with the means that it gives.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import tyro

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch
from graphwright.drawing.queues import draw_network, plot_backlogs, plot_loads
from graphwright.envs.endless import Endless
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.queueing.multiclass.problem import MULTICLASS, criss_cross, n_model, reentrant_line
from graphwright.envs.queueing.multiclass.value_iteration import value_iteration
from graphwright.envs.queueing.single_hop.environment import SINGLE_HOP
from graphwright.envs.registry import CONTROLLED
from graphwright.training.averages import ARRIVED, BACKLOG, DEPARTED, run

PUBLISHED = {"spbp": "SPBP", "shortest-path": "SPTS"}
_LIGHT = 2.0  # optima above this take large state spaces


@dataclass(frozen=True)
class Options:
    """What is run."""

    networks: tuple[Path, ...] = ()
    """Files of multi-hop networks with published means."""
    pictures: Path | None = None
    """Folder for three pictures."""
    slots: int = 20_000
    """Slots of each network; published means are of 1,000."""
    copies: int = 64
    """Runs of each network, with random numbers of their own."""
    heavy: bool = False
    """Also the optima that take minutes."""


def optima(options: Options) -> None:
    """Value iteration beside published optima."""
    print("| network | published | ours, between | seconds |")
    print("|---|---:|---:|---:|")
    cases = [
        *((f"criss-cross {a}, {d}", criss_cross(a, d), best, (m,) * 3) for a, d, best, m in (
            (0.3, 1.5, 0.671, 12), (0.3, 1.0, 0.843, 12), (0.6, 1.5, 2.084, 24), (0.6, 1.0, 2.829, 24),
            (0.9, 1.5, 9.970, 80), (0.9, 1.0, 15.228, 90))),
        ("N-model 0.9", n_model(0.9), 23.53, (150, 300)),
        ("N-model 0.95", n_model(0.95), 46.07, (250, 500)),
    ]  # fmt: skip
    for name, network, published, most in cases:
        if published > _LIGHT and not options.heavy:
            continue
        start = time.perf_counter()
        found = value_iteration(network, most, tolerance=2e-4)
        print(f"| {name} | {published} | {found.low:.4f} to {found.high:.4f} | {time.perf_counter() - start:.1f} |")


def play(problem: Problem, name: str, instances: GraphBatch, slots: int) -> Mapping[str, np.ndarray]:
    """The series of a baseline, or of random choice."""
    environment = problem.environment
    assert isinstance(environment, Endless)
    if name == "random":
        choose = random_choice(environment, torch.Generator().manual_seed(0))
        return run(environment, lambda state: choose(environment.observe(state)), instances, slots, 0)
    baseline = problem.baselines[name]
    played = baseline.environment(environment)
    assert isinstance(played, Endless)
    return run(played, partial(baseline.rule, played), instances, slots, 0)


def several(instance: GraphBatch, copies: int) -> GraphBatch:
    """`copies` of one network with random numbers of their own."""
    return instance.select(torch.zeros(copies, dtype=torch.int64)).with_graphs(seed=torch.arange(copies))


def row(series: Mapping[str, np.ndarray]) -> str:
    """Mean backlog over runs with its standard error, and throughput."""
    means = series[BACKLOG].mean(0)
    error = means.std(ddof=1) / len(means) ** 0.5 if len(means) > 1 else float("nan")
    return f"{means.mean():.2f} ± {error:.2f} | {series[DEPARTED].sum() / series[ARRIVED].sum():.3f}"


def baselines(options: Options) -> None:
    """The baselines of every problem on random networks of its own."""
    print("| problem | policy | mean backlog ± standard error | throughput |")
    print("|---|---|---:|---:|")
    for name, problem in CONTROLLED.items():
        instances = problem.generator()(options.copies, torch.Generator().manual_seed(1))
        for policy in (*problem.baselines, "random"):
            print(f"| {name} | {policy} | {row(play(problem, policy, instances, options.slots // 10))} |", flush=True)


def lines(options: Options) -> None:
    """Priority rules on reentrant lines at a load of 0.9, the first tenth left out."""
    print("| stations | policy | mean backlog ± standard error | throughput |")
    print("|---:|---|---:|---:|")
    for stations in (2, 3):
        instances = several(reentrant_line(stations), options.copies)
        for policy in MULTICLASS.baselines:
            series = play(MULTICLASS, policy, instances, options.slots)
            print(f"| {stations} | {policy} | {row({k: v[len(v) // 10 :] for k, v in series.items()})} |", flush=True)


def published(options: Options) -> None:
    """Multi-hop networks beside the means that their files give."""
    print("| network | load | policy | published ± deviation | ours ± standard error | throughput |")
    print("|---|---:|---|---:|---:|---:|")
    problem = CONTROLLED["multi-hop"]
    for path in options.networks:
        given = json.loads(path.read_text(encoding="utf-8")).get("baselines", {})
        instance = problem.environment.instance(read_graph(path).graph)  # type: ignore[attr-defined]
        load = float(problem.environment.load(instance))  # type: ignore[attr-defined]
        for policy in problem.baselines:
            theirs = given.get(PUBLISHED.get(policy, ""), {})
            said = f"{theirs['backlog']} ± {theirs['backlog_std']}" if theirs else "–"
            ours = row(play(problem, policy, several(instance, options.copies), 1000))
            print(f"| {path.stem} | {load:.2f} | {policy} | {said} | {ours} |", flush=True)


def pictures(folder: Path, options: Options) -> None:
    """Backlogs over time, backlogs against the load, a network with its queues."""
    instances = SINGLE_HOP.generator(sizes=(4,))(options.copies, torch.Generator().manual_seed(2))
    names = [*SINGLE_HOP.baselines, "random"]
    slots = max(options.slots // 10, 10)
    series = {name: play(SINGLE_HOP, name, instances, slots)[BACKLOG].mean(1) for name in names}
    plot_backlogs(series, folder / "queueing-backlog.png", "single-hop, four queues")
    line, loads = reentrant_line(2), (0.5, 0.6, 0.7, 0.8, 0.9)
    means: dict[str, list[float]] = {name: [] for name in MULTICLASS.baselines}
    for load in loads:
        scaled = several(reentrant_line(2, load), options.copies)
        for name, found in means.items():
            found.append(play(MULTICLASS, name, scaled, slots)[BACKLOG].mean())
    plot_loads(loads, means, folder / "queueing-load.png", f"reentrant line, {line.num_nodes - 2} classes")
    problem = CONTROLLED["multi-hop"]
    instance = problem.generator(sizes=(12,))(1, torch.Generator().manual_seed(3))
    environment, rule = problem.environment, problem.baselines["spbp"].rule
    state = environment.reset(instance)
    for _ in range(min(300, options.slots)):
        state = environment.step(state, rule(environment, state)).state
    place, queue = state.nodes["place"], state.nodes["queue"]
    waits = torch.zeros(int(place.max()) + 1).index_add(0, place, queue.float())
    pairs = place[state.edge_index.T].sort(1).values.tolist()
    links = {tuple(pair): rate for pair, rate in zip(pairs, state.edges["rate"].tolist(), strict=True)}
    title = f"multi-hop under spbp: {waits.sum():.0f} packets wait"
    ends, rates = np.array(list(links)), np.array(list(links.values()))
    draw_network(ends, waits.numpy(), rates, folder / "queueing-network.png", title)


def main(options: Options) -> None:
    """Print the tables."""
    optima(options)
    print()
    lines(options)
    print()
    baselines(options)
    print()
    published(options)
    if options.pictures is not None:
        pictures(options.pictures, options)


if __name__ == "__main__":
    main(tyro.cli(Options))
