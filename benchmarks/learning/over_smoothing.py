"""How alike the nodes of a graph become, round after round, on a task in which one has to know how far away another is.

    python benchmarks/learning/over_smoothing.py [--depths 2 8 32] [--steps 10000] [--out docs/tables/over-smoothing.md]

The task is that of `long_range.py`, a search on a path of 17 nodes, with encoders of the depths that are asked for.
What is given is the mean over pairs of nodes of a graph of 1 − cos of their embeddings (MAD: Chen et al. 2020,
"Measuring and relieving the over-smoothing problem for graph neural networks from the topological view"): 0 where all
nodes are alike. Of each encoder it is measured with the weights that it begins with, and after training, beside what it
then solves.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch
import tyro
from long_range import ENCODERS, ENVIRONMENT, fresh_searches, learn, search_config

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.path_search.environment import PATH_SEARCH
from graphwright.envs.problems.path_search.shortest_paths import shortest_paths
from graphwright.training.agent import Agent, make_policy

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
    seed: int = 0
    """Seed of the runs."""
    out: Path | None = None
    """Markdown file to write."""


def main(options: Options) -> None:
    rows, start = [], time.process_time()
    for name in options.encoders:
        cells = [_measure(options, name, depth) for depth in options.depths]
        rows.append(f"| {name} | {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    head = " | ".join(f"depth {depth}" for depth in options.depths)
    table = [f"| encoder | {head} |", "|---|" + "---|" * len(options.depths), *rows]
    if options.out is not None:
        seconds = time.process_time() - start
        options.out.write_text("\n".join([*_introduction(options, seconds), "", *table]) + "\n")


def _measure(options: Options, name: str, depth: int) -> str:
    """Mean distance before and after training, and the share of shortest paths then."""
    encoder = replace(ENCODERS[name], width=options.width, depth=depth)
    config = search_config(encoder, _DISTANCE, options.steps, options.seed)
    instances = fresh_searches(_DISTANCE, options.graphs)
    seen = ENVIRONMENT.observe(ENVIRONMENT.reset(instances)).graph
    before = mean_distance(Agent(PATH_SEARCH, config, make_policy(config, torch.device("cpu"))), seen)
    agent = learn(config)
    hops, optimum = ENVIRONMENT.objective(agent.solve(instances)), shortest_paths(ENVIRONMENT, instances).objective
    return f"{before:.3f} → {mean_distance(agent, seen):.3f} ({float((hops == optimum).double().mean()):.2f})"


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
    command = (
        f"python benchmarks/learning/over_smoothing.py --depths {depths} --steps {options.steps} --out {options.out}"
    )
    size = 2 * _DISTANCE + 1
    return [
        "# Over-smoothing",
        "",
        f"`{command}`, {date.today()}, one thread of a busy machine, {seconds:.0f} s of CPU time, one seed.",
        "",
        "The mean over pairs of nodes of 1 − cos of their embeddings (0: all nodes alike), before and after",
        f"{options.steps:,} steps of learning to find a target {_DISTANCE} hops away on a path of {size} nodes;",
        "in brackets the share of fresh searches that then took a shortest path. Who goes straight to an end that was",
        "guessed has 0.50; less than 8 rounds cannot tell where the target is.",
    ]


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
