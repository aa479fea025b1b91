"""Whether defaults find every mode: sixteen small tasks of different kinds, enumerated, half of them set aside.

    python benchmarks/learning/modes.py [--half chosen|aside] [--seconds 60] [--seeds 5] [--settings JSON] [--out FILE]

Defaults are chosen on the first half; the second half is for judging them. Every run is one thread for so many seconds
of its own processor time, so that other programs disturb little, and the learning rate falls along with it. Total
variation is half the L1 distance between R / Z and the exact distribution of what the policy builds, 0 at best; beside
it that of random building. --settings changes all tasks alike, as in '{"settings": {"passes": 4}}'.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import networkx as nx
import torch
import tyro
from processor_time import learned

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.generation import Generation
from graphwright.envs.generative.context import GraphContext
from graphwright.envs.generative.enumeration import in_pieces, total_variation
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.rewards import reward_of_graphs
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem
from graphwright.training.config import TrainConfig, changed
from graphwright.training.gflownet.evaluator import DistributionEvaluator
from graphwright.training.gflownet.exact import Exact

GIN: dict[str, Any] = {"encoder": {"kind": "gin", "depth": 4}}
Half = Literal["chosen", "aside"]


def triangles(graphs: list[nx.Graph]) -> list[float]:
    """0.2 and one for each triangle."""
    return [0.2 + sum(nx.triangles(graph).values()) / 3 for graph in graphs]


def bipartite(graphs: list[nx.Graph]) -> list[float]:
    """Much where no edge joins two nodes of one colour, and more for every edge."""
    colour = [nx.get_node_attributes(graph, "type") for graph in graphs]
    right = [all(own[u] != own[v] for u, v in graph.edges) for own, graph in zip(colour, graphs, strict=True)]
    return [0.02 + fits * graph.number_of_edges() ** 2 for fits, graph in zip(right, graphs, strict=True)]


def long_trees(graphs: list[nx.Graph]) -> list[float]:
    """The diameter squared."""
    return [0.1 + nx.diameter(graph) ** 2 for graph in graphs]


def regular(graphs: list[nx.Graph]) -> list[float]:
    """Much where all degrees are the same."""
    return [5.0 if len({degree for _, degree in graph.degree}) == 1 else 0.1 for graph in graphs]


def marked_leaves(graphs: list[nx.Graph]) -> list[float]:
    """Marks on leaves and wide edges elsewhere, each for itself."""
    worth = []
    for graph in graphs:
        good = sum((graph.degree[v] == 1) == (mark > 0) for v, mark in graph.nodes(data="mark"))
        wide = sum(bool(value) for *_, value in graph.edges(data="wide"))
        worth.append(0.05 + 2.0 ** (good + wide) * (good == len(graph)))
    return worth


def even(graphs: list[nx.Graph]) -> list[float]:
    """More for every node, and for an even number of edges."""
    return [0.5 * len(graph) * (4.0 if graph.number_of_edges() % 2 == 0 else 1.0) for graph in graphs]


def alternating(graphs: list[nx.Graph]) -> list[float]:
    """2 to the number of edges between colours, over 3 to that of edges within."""
    colour = [nx.get_node_attributes(graph, "type") for graph in graphs]
    across = [sum(own[u] != own[v] for u, v in graph.edges) for own, graph in zip(colour, graphs, strict=True)]
    return [2.0**a / 3.0 ** (graph.number_of_edges() - a) for a, graph in zip(across, graphs, strict=True)]


def bridges(graphs: list[nx.Graph]) -> list[float]:
    """The number of bridges squared."""
    return [0.1 + len(list(nx.bridges(graph))) ** 2 for graph in graphs]


def unlike(graphs: list[nx.Graph]) -> list[float]:
    """3 to the number of edges between colours."""
    colour = [nx.get_node_attributes(graph, "type") for graph in graphs]
    return [3.0 ** sum(own[u] != own[v] for u, v in graph.edges) for own, graph in zip(colour, graphs, strict=True)]


@dataclass(frozen=True)
class Marked(GraphContext):
    """Trees whose nodes may be marked and whose edges may be made wide."""

    max_nodes: int = 4
    cycles: bool = False

    @property
    def node_attributes(self) -> Mapping[str, int]:
        """A mark."""
        return {"mark": 1}

    @property
    def edge_attributes(self) -> Mapping[str, int]:
        """Wide or not."""
        return {"wide": 1}


@dataclass(frozen=True)
class EvenEnd(GraphContext):
    """Graphs of two or four nodes."""

    max_nodes: int = 4

    def may_stop(self, state: GraphBatch) -> torch.Tensor:
        """Of an even number of nodes."""
        return (state.node_segments.lengths % 2 == 0) & (state.node_segments.lengths > 0)


def own(name: str, context: GraphContext, function: Callable[[list[nx.Graph]], list[float]]) -> Problem:
    """A task as a user would write it."""
    generation = Generation(reward_of_graphs(function, floor=1e-3), training=GIN)
    return Problem(f"modes-{name.replace(' ', '-')}", name, environment=GraphBuilding(context), generation=generation)


@dataclass(frozen=True)
class Task:
    """A row of the table: a problem, the half that it is in, and what is changed of its settings."""

    problem: Problem
    half: Half
    changes: Mapping[str, Any]


def tasks() -> dict[str, Task]:
    """All of them by name."""
    written: list[tuple[str, GraphContext, Callable[[list[nx.Graph]], list[float]], Half]] = [
        ("triangles", GraphContext(max_nodes=5), triangles, "chosen"),
        ("bipartite", GraphContext(node_types=2, max_nodes=4), bipartite, "chosen"),
        ("marked leaves", Marked(), marked_leaves, "chosen"),
        ("long trees", GraphContext(max_nodes=7, cycles=False), long_trees, "aside"),
        ("regular", GraphContext(max_nodes=5), regular, "chosen"),
        ("even", EvenEnd(), even, "aside"),
        ("alternating", GraphContext(node_types=2, max_nodes=4), alternating, "aside"),
        ("bridges", GraphContext(max_nodes=5), bridges, "aside"),
        ("unlike trees", GraphContext(node_types=2, max_nodes=5, cycles=False), unlike, "aside"),
    ]
    found = {name: Task(own(name, context, function), half, {}) for name, context, function, half in written}
    ours: list[tuple[str, str, Half, dict[str, Any]]] = [
        ("grid 8 × 8", "hyper-grid", "chosen", {}),
        ("words", "toy-sequences", "chosen", {"environment": {"max_length": 6}}),
        ("rings", "rings", "chosen", {}),
        ("ring edges", "ring-edges", "aside", {"environment": {"num_nodes": 3}}),
        ("dag", "dag", "chosen", {}),
        ("cube", "hyper-grid", "aside", {"environment": {"dimensions": 3, "side": 6}}),
        ("two colours", "two-colour", "aside", {"environment": {"context": {"max_nodes": 5}}}),
    ]
    return found | {name: Task(find_problem(of), half, changes) for name, of, half, changes in ours}


@dataclass(frozen=True)
class Options:
    """What to run."""

    half: Half | None = None
    """Tasks that defaults are chosen on, or those set aside; by default all."""
    only: tuple[str, ...] = ()
    """Tasks by name."""
    seconds: float = 60.0
    """Processor time of each run."""
    seeds: int = 1
    """Runs of each."""
    settings: str = "{}"
    """Changes of all settings, as JSON."""
    workers: int = 1
    """Runs side by side."""
    out: Path | None = None
    """File to append the table to."""


def random_distance(exact: Exact) -> float:
    """The total variation of building by uniform random choice."""
    environment = exact.environment

    def log_probs(states: GraphBatch) -> torch.Tensor:
        mask = environment.actions.arrange(states, environment.observe(states).masks)
        candidates = environment.actions.segments(states)
        count = segment_sum(mask, candidates).clamp(min=1).float()
        return torch.where(mask, -count.log()[candidates.index], -torch.inf)

    return total_variation(exact.space.reached(in_pieces(exact.space.states, log_probs))[1], exact.target)


def run(name: str, seed: int, options: Options) -> dict[str, float]:
    """One run: train for so much processor time, and compare exactly."""
    task = tasks()[name]
    config = TrainConfig.for_problem(task.problem, seconds=options.seconds, seed=seed, threads=1)
    config = changed(config, task.changes | json.loads(options.settings))
    training = learned(task.problem, config)
    evaluator, policy = training.evaluator, training.policy
    assert isinstance(evaluator, DistributionEvaluator)
    assert evaluator.exact is not None
    exact = evaluator.exact
    sampled = exact.sampled(policy)  # type: ignore[arg-type]
    rare = sampled < exact.target / 3
    return {
        "objects": float((exact.target > 0).sum()),
        "trajectories": float(training.counters.steps),
        "distance": total_variation(sampled, exact.target),
        "missed": float(exact.target[rare].sum()),
        "random": random_distance(exact),
    }


def main(options: Options) -> None:
    """Run, and print a table."""
    chosen = {name: task for name, task in tasks().items() if options.half in (None, task.half)}
    names = [name for name in chosen if not options.only or name in options.only]
    jobs = [(name, seed) for name in names for seed in range(options.seeds)]
    if options.workers > 1:
        with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
            found = list(pool.map(run, *zip(*jobs, strict=True), [options] * len(jobs)))
    else:
        found = [run(name, seed, options) for name, seed in jobs]
    results = dict(zip(jobs, found, strict=True))
    lines = [
        f"{options.seconds:g} s of processor time a run, {options.seeds} seeds, settings {options.settings}; "
        f"{date.today()}, {platform.machine()}. Mean over seeds (worst in brackets).",
        "",
        "| task | half | objects | trajectories | total variation | share of what is wanted that is missed | random |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name in names:
        rows = [results[name, seed] for seed in range(options.seeds)]
        distance, missed = [row["distance"] for row in rows], [row["missed"] for row in rows]
        lines.append(
            f"| {name} | {chosen[name].half} | {rows[0]['objects']:,.0f} | {rows[0]['trajectories']:,.0f} "
            f"| {sum(distance) / len(rows):.4f} ({max(distance):.4f}) | {100 * max(missed):.1f} % "
            f"| {rows[0]['random']:.3f} |"
        )
    table = "\n".join(lines) + "\n"
    print(table, flush=True)
    if options.out is not None:
        with options.out.open("a") as file:
            file.write(table + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
