"""How alike the nodes of a graph become, round after round, on a task in which one has to know how far away another is.

    python benchmarks/learning/over_smoothing.py [--depths 2 8 32] [--steps 10000] [--seeds 5]
        [--out docs/tables/over-smoothing.md]

The task is that of `long_range.py`, a search on a path of 17 nodes, with encoders of the depths that are asked for.
What is given is the mean over pairs of nodes of a graph of 1 − cos of their embeddings (MAD: Chen et al. 2020,
"Measuring and relieving the over-smoothing problem for graph neural networks from the topological view"): 0 where all
nodes are alike. Of each encoder it is measured with the weights that it begins with, and after training, beside what it
then solves; mean (least to greatest) over seeds. `--out` is written anew after each encoder.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch
import tyro
from long_range import (
    ENCODERS,
    ENVIRONMENT,
    SOLVED,
    fresh_searches,
    learn,
    mean_and_range,
    search_config,
    share_and_ratio,
    solved,
    table,
)

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.path_search.environment import PATH_SEARCH
from graphwright.training.agent import Agent
from graphwright.training.networks import make_policy

_DISTANCE = 8


@dataclass(frozen=True)
class Options:
    """What to run."""

    depths: tuple[int, ...] = (2, 8, 32)
    """Rounds of the encoders."""
    encoders: tuple[str, ...] = ("gcn", "gcn, no residual", "gcn, jumping", "gcn, virtual node")
    """Rows of the table, by the names of `long_range.py`."""
    steps: int = 10_000
    """Environment steps of each run."""
    width: int = 32
    """Size of an embedding."""
    graphs: int = 100
    """Fresh searches to measure on."""
    seeds: int = 5
    """Runs of each encoder at each depth."""
    out: Path | None = None
    """Markdown file to write."""


def main(options: Options) -> None:
    distances, shares, start = [], [], time.process_time()
    head = ["encoder", *(f"depth {depth}" for depth in options.depths)]
    for name in options.encoders:
        cells = [_measure(options, name, depth) for depth in options.depths]
        distances.append([name, *(_change(before, after) for before, after, _ in cells)])
        shares.append([name, *(solved(share) for _, _, share in cells)])
        print(name, *distances[-1][1:], *shares[-1][1:], sep=" | ", flush=True)
        if options.out is not None:
            lines = [*_introduction(options, time.process_time() - start), "", *table(head, distances)]
            lines += ["", *_solving(options), "", *table(head, shares)]
            options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _measure(options: Options, name: str, depth: int) -> tuple[list[float], list[float], list[float]]:
    """For each seed: the mean distance before and after training, and the share of shortest paths then."""
    encoder = replace(ENCODERS[name], width=options.width, depth=depth)
    instances = fresh_searches(_DISTANCE, options.graphs)
    seen = ENVIRONMENT.observe(ENVIRONMENT.reset(instances)).graph
    before, after, shares = [], [], []
    for seed in range(options.seeds):
        config = search_config(encoder, _DISTANCE, options.steps, seed)
        before.append(mean_distance(Agent(PATH_SEARCH, config, make_policy(config, torch.device("cpu"))), seen))
        agent = learn(config)
        after.append(mean_distance(agent, seen))
        shares.append(share_and_ratio(agent, instances)[0])
    return before, after, shares


def _change(before: list[float], after: list[float]) -> str:
    return f"{mean_and_range(before, 3)} → {mean_and_range(after, 3)}"


@torch.no_grad()
def mean_distance(agent: Agent, graph: GraphBatch) -> float:
    """Mean of 1 − cos over all pairs of nodes of a graph, over graphs.

    The sum of the cosines of all pairs is the squared length of the sum of the unit vectors.
    """
    nodes = agent.policy.encoder(graph).nodes
    unit = nodes / nodes.norm(dim=1, keepdim=True).clamp(min=1e-12)
    count = graph.node_segments.lengths.double()
    together = segment_sum(unit, graph.node_segments).double().square().sum(1) - count
    return float((1 - together / (count * (count - 1))).mean())


def _introduction(options: Options, seconds: float) -> list[str]:
    depths = " ".join(map(str, options.depths))
    command = f"python benchmarks/learning/over_smoothing.py --depths {depths} --steps {options.steps}"
    command += f" --seeds {options.seeds} --out {options.out}"
    seeds = f"{options.seeds} seed{'s' if options.seeds > 1 else ''}"
    size = 2 * _DISTANCE + 1
    return [
        "# Over-smoothing",
        "",
        f"`{command}`, {date.today()}, one thread, {seconds:.0f} s of CPU time, {seeds}.",
        "",
        "The mean over pairs of nodes of 1 − cos of their embeddings (0: all nodes alike), before and after",
        f"{options.steps:,} steps of learning to find a target {_DISTANCE} hops away on a path of {size} nodes;",
        "mean (least to greatest) over seeds.",
    ]


def _solving(options: Options) -> list[str]:
    return [
        f"How many of these seeds then solve it (a shortest path in at least {SOLVED:.0%} of {options.graphs} fresh",
        "searches), and the share of shortest paths, mean (worst to best). Who goes straight to an end that was",
        f"guessed has 0.50; less than {_DISTANCE} rounds cannot tell where the target is.",
    ]


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
