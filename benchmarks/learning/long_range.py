"""How far encoders sense: searches on paths whose target only messages can tell, against the distance to it.

    python benchmarks/learning/long_range.py [--distances 2 4 8 16] [--steps 50000] [--seeds 5]
        [--out docs/tables/long-range.md]

The agent stands in the middle of a path of 2 d + 1 nodes without positions and sees all of it; the target is one of the
two ends, d hops away. Every encoder has d rounds and learns from the same number of environment steps, with several
seeds. The first table gives how many of the seeds solve the task (at least 0.95 of the fresh searches, greedily
decoded, take a shortest path; 0.5 is a guess of the first hop) and the share of shortest paths, mean (worst to best)
over seeds; the second the ratio of mean hops to the optimum, in which a search that fails counts as its limit, a hop
for each node. `--out` is written anew after each encoder, so that a run which is stopped leaves the rows it finished.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
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
SOLVED = 0.95
"""The share of shortest paths from which on a run has solved the task."""
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
    seeds: int = 5
    """Runs of each encoder at each distance."""
    out: Path | None = None
    """Markdown file to write."""


def main(options: Options) -> None:
    shares, ratios = [], []
    for name in options.encoders:
        start = time.process_time()
        cells = [_measure(options, ENCODERS[name], distance) for distance in options.distances]
        seconds = (time.process_time() - start) / options.seeds
        shares.append([name, *(solved(share) for share, _ in cells), f"{seconds:.0f}"])
        ratios.append([name, *(mean_and_range(ratio) for _, ratio in cells)])
        print(_row(shares[-1]), _row(ratios[-1]), sep="\n", flush=True)
        if options.out is not None:
            head = ["encoder", *(f"d = {distance}" for distance in options.distances)]
            lines = [*_introduction(options), "", *table([*head, "CPU s of a seed"], shares)]
            lines += ["", "Mean hops over the optimum, mean (best to worst) over seeds:", "", *table(head, ratios)]
            options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


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


def share_and_ratio(agent: Agent, instances: GraphBatch) -> tuple[float, float]:
    """The share of searches that take a shortest path, and mean hops over the optimum."""
    hops, optimum = ENVIRONMENT.objective(agent.solve(instances)), shortest_paths(ENVIRONMENT, instances).objective
    return float((hops == optimum).double().mean()), float(hops.mean() / optimum.mean())


def solved(shares: Sequence[float]) -> str:
    """How many of the seeds solve the task, and their shares of shortest paths."""
    return f"{sum(share >= SOLVED for share in shares)} of {len(shares)} · {mean_and_range(shares)}"


def mean_and_range(values: Sequence[float], digits: int = 2) -> str:
    """`mean (least to greatest)`, or the mean alone where all are alike."""
    mean, least, greatest = (f"{value:.{digits}f}" for value in (sum(values) / len(values), min(values), max(values)))
    return mean if least == greatest else f"{mean} ({least} to {greatest})"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return [_row(head), "|---|" + "---:|" * (len(head) - 1), *map(_row, rows)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _measure(options: Options, encoder: EncoderConfig, distance: int) -> tuple[list[float], list[float]]:
    """Train and test one encoder at one distance: for each seed the share of shortest paths, and the ratio of hops."""
    encoder = replace(encoder, width=options.width, depth=distance)
    instances = fresh_searches(distance, options.graphs)
    shares, ratios = [], []
    for seed in range(options.seeds):
        share, ratio = share_and_ratio(learn(search_config(encoder, distance, options.steps, seed)), instances)
        shares.append(share)
        ratios.append(ratio)
    return shares, ratios


def _introduction(options: Options) -> list[str]:
    command = f"python benchmarks/learning/long_range.py --distances {' '.join(map(str, options.distances))}"
    command += f" --steps {options.steps} --seeds {options.seeds} --out {options.out}"
    seeds = f"{options.seeds} seed{'s' if options.seeds > 1 else ''}"
    return [
        "# Long-range sensing",
        "",
        f"`{command}`, {date.today()}, one thread, {seeds}.",
        "",
        "Path search with the whole graph in view, from the middle of a path of 2 d + 1 nodes to one of its ends;",
        f"d rounds of width {options.width}, {options.steps:,} environment steps. Each cell: how many of the seeds",
        f"solve it (a shortest path in at least {SOLVED:.0%} of {options.graphs} fresh searches), and the share of",
        "shortest paths, mean (worst to best) over seeds. Who goes straight to an end that was guessed has 0.50.",
        "In the second table a failed search counts as 2 d + 1 hops.",
    ]


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
