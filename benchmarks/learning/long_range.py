"""How far encoders sense: searches on paths whose target only messages can tell, against the distance to it.

    python benchmarks/learning/long_range.py [--distances 2 4 8 16] [--steps 50000] [--out docs/tables/long-range.md]

The agent stands in the middle of a path of 2 d + 1 nodes without positions and sees all of it; the target is one of the
two ends, d hops away. Every encoder has d rounds and learns from the same number of environment steps, one seed each.
The table gives how many of the searches, greedily decoded, took a shortest path (0.5 is a guess of the first hop), and
the ratio of mean hops to the optimum; a search that fails counts as its limit, a hop for each node.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import torch
import tyro
from rich.console import Console

from graphwright.core import GraphBatch
from graphwright.envs.problems.path_search.environment import PATH_SEARCH, PathSearch
from graphwright.envs.problems.path_search.shortest_paths import shortest_paths
from graphwright.nn import EncoderConfig
from graphwright.training.agent import Agent
from graphwright.training.config import TrainConfig
from graphwright.training.train import train
from graphwright.training.validation import ValidationConfig

ENVIRONMENT = PathSearch(view="graph", limit=1.0)
ENCODERS = {
    "gcn": EncoderConfig(kind="gcn"),
    "gcn, no residual": EncoderConfig(kind="gcn", residual=False),
    "gcn, jumping": EncoderConfig(kind="gcn", jumping=True),
    "gcn, virtual node": EncoderConfig(kind="gcn", virtual_node=True),
    "sage": EncoderConfig(kind="sage"),
    "gin": EncoderConfig(kind="gin"),
    "gatv2": EncoderConfig(kind="gatv2"),
    "graph-transformer": EncoderConfig(kind="graph-transformer"),
}


@dataclass(frozen=True)
class Options:
    """What to run."""

    distances: tuple[int, ...] = (2, 4, 8, 16)
    """Hops from the start to the target."""
    encoders: tuple[str, ...] = tuple(ENCODERS)
    """Rows of the table."""
    steps: int = 50_000
    """Environment steps of each run."""
    width: int = 32
    """Size of an embedding."""
    graphs: int = 200
    """Fresh searches to test on."""
    seed: int = 0
    """Seed of the runs."""
    out: Path | None = None
    """Markdown file to write."""


def main(options: Options) -> None:
    rows = []
    for name in options.encoders:
        start = time.process_time()
        cells = [_measure(options, ENCODERS[name], distance) for distance in options.distances]
        rows.append(f"| {name} | {' | '.join(cells)} | {time.process_time() - start:.0f} |")
        print(rows[-1], flush=True)
    head = " | ".join(f"d = {distance}" for distance in options.distances)
    table = [f"| encoder | {head} | CPU s |", "|---|" + "---:|" * (len(options.distances) + 1), *rows]
    if options.out is not None:
        options.out.write_text("\n".join([*_introduction(options), "", *table]) + "\n")


def search_config(encoder: EncoderConfig, distance: int, steps: int, seed: int) -> TrainConfig:
    """Searches from the middle of a path for one of its ends."""
    return TrainConfig.for_problem(
        PATH_SEARCH,
        environment=ENVIRONMENT,
        collection={"generator": "path", "law": "far", "sizes": (2 * distance + 1,)},
        steps=steps,
        seed=seed,
        threads=1,
        encoder=encoder,
        validation=ValidationConfig(sizes=(2 * distance + 1,), graphs=32, every=5),
    )


def learn(config: TrainConfig) -> Agent:
    """In a folder that goes."""
    with tempfile.TemporaryDirectory() as directory:
        return train(PATH_SEARCH, config, Path(directory) / "run", Console(quiet=True)).agent()


def fresh_searches(distance: int, count: int) -> GraphBatch:
    """To test on."""
    return PATH_SEARCH.generator("path", (2 * distance + 1,), "far")(count, torch.Generator().manual_seed(1))


def _measure(options: Options, encoder: EncoderConfig, distance: int) -> str:
    """Train and test one encoder at one distance: share of shortest paths, ratio of hops."""
    encoder = replace(encoder, width=options.width, depth=distance)
    agent = learn(search_config(encoder, distance, options.steps, options.seed))
    instances = fresh_searches(distance, options.graphs)
    hops, optimum = ENVIRONMENT.objective(agent.solve(instances)), shortest_paths(ENVIRONMENT, instances).objective
    return f"{float((hops == optimum).double().mean()):.2f} ({float(hops.mean() / optimum.mean()):.2f})"


def _introduction(options: Options) -> list[str]:
    command = f"python benchmarks/learning/long_range.py --steps {options.steps} --out {options.out}"
    return [
        "# Long-range sensing",
        "",
        f"`{command}`, {date.today()}, one thread, one seed.",
        "",
        "Path search with the whole graph in view, from the middle of a path of 2 d + 1 nodes to one of its ends;",
        f"d rounds of width {options.width}, {options.steps:,} environment steps. Each cell: the share of",
        f"{options.graphs} fresh searches that took a shortest path, and in brackets the ratio of mean hops to the",
        "optimum, where a failed search counts as 2 d + 1 hops. Who goes straight to an end that was guessed has 0.50.",
        "One seed is no ranking: whether a run learns where the target is varies with the seed and the steps.",
    ]


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
