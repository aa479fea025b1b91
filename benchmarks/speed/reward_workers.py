"""What reward workers cost and save: shared buffers, messages, and no workers.

    python benchmarks/speed/reward_workers.py [--repeats 7] [--out docs/tables/reward-workers.md]

Batches of random graphs with three columns go to a function that costs nothing, one that waits a millisecond for each
graph, and one that keeps a core busy for it. Ways alternate within one run; figures are medians of the seconds from
`submit` to `collect`, and of the processor time of all processes together. In the last lines of each function this
process has a millisecond of other work for each graph, after the rewards or while they are computed.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import torch
import tyro

from graphwright.core import GraphBatch, from_edges
from graphwright.workers.reward_workers import RewardWorkers

DEGREE = 4


@dataclass(frozen=True)
class Options:
    """What to measure."""

    nodes: tuple[int, ...] = (20, 250)
    """Sizes of the graphs."""
    graphs: int = 64
    """Graphs in a batch."""
    workers: int = 2
    """Worker processes."""
    repeats: int = 7
    """Timings of which the median is taken."""
    batches: int = 10
    """Batches of each timing."""
    only: tuple[str, ...] = ("nothing", "wait", "burn")
    """Functions that compute the rewards."""
    out: Path | None = None
    """File to write the table to."""


def nothing(states: GraphBatch) -> torch.Tensor:
    return torch.zeros(states.num_graphs)


def wait(states: GraphBatch) -> torch.Tensor:
    for _ in range(states.num_graphs):
        time.sleep(0.001)
    return torch.zeros(states.num_graphs)


def burn(states: GraphBatch) -> torch.Tensor:
    for _ in range(states.num_graphs):
        until = time.thread_time() + 0.001
        while time.thread_time() < until:
            pass
    return torch.zeros(states.num_graphs)


def together(pool: RewardWorkers, batch: GraphBatch) -> None:
    future = pool.submit(batch)
    burn(batch)
    pool.collect(future)


def random_batch(options: Options, nodes: int) -> GraphBatch:
    """Graphs of `DEGREE` links a node, with a column of 8 numbers a node, one an edge and one a graph."""
    links = nodes * DEGREE // 2
    ends = torch.randint(nodes, (options.graphs, 2, links)) + nodes * torch.arange(options.graphs)[:, None, None]
    return from_edges(
        ends.transpose(0, 1).reshape(2, -1),
        torch.full((options.graphs,), nodes),
        undirected=True,
        nodes={"x": torch.randn(options.graphs * nodes, 8)},
        edges={"w": torch.randn(options.graphs * links)},
        graphs={"g": torch.randn(options.graphs)},
    )


def processor_seconds(pids: list[int]) -> float:
    """Of this process and of those of `pids`, as Linux counts them."""
    others = (int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids)
    return time.process_time() + 1e-9 * sum(others)


def timed(work: Callable[[], object], pids: list[int], count: int) -> tuple[float, float]:
    """Milliseconds of one call, by the clock and of processors."""
    work()
    start, used = time.perf_counter(), processor_seconds(pids)
    for _ in range(count):
        work()
    return 1e3 * (time.perf_counter() - start) / count, 1e3 * (processor_seconds(pids) - used) / count


def measure(options: Options, function: Callable[[GraphBatch], torch.Tensor], batch: GraphBatch) -> dict[str, tuple]:
    """Way → medians of both milliseconds."""
    pools = {
        "no workers": RewardWorkers(function, 0),
        f"{options.workers} workers, shared buffers": RewardWorkers(function, options.workers, buffer_bytes=1 << 22),
        f"{options.workers} workers, pickled messages": RewardWorkers(function, options.workers, buffer_bytes=64),
    }
    taken: dict[str, list[tuple[float, float]]] = {}
    for _ in range(options.repeats):
        for name, pool in pools.items():
            taken.setdefault(name, []).append(timed(partial(pool, batch), pool.pids, options.batches))

        for name in list(pools)[:2]:
            figures = timed(partial(together, pools[name], batch), pools[name].pids, options.batches)
            taken.setdefault(f"{name}, with other work here", []).append(figures)
    for pool in pools.values():
        pool.close()
    return {name: tuple(map(statistics.median, zip(*pairs, strict=True))) for name, pairs in taken.items()}


def main(options: Options) -> None:
    torch.set_num_threads(1)
    lines = [
        f"{options.graphs} graphs of {DEGREE} links a node; {options.repeats} repeats of {options.batches} batches in "
        f"turn, medians, milliseconds a batch; {date.today()}, two cores, no GPU, machine shared, "
        f"{platform.machine()}, torch {torch.__version__}.",
        "",
        "| reward | way | " + " | ".join(f"{nodes} nodes: ms | ms of processors" for nodes in options.nodes) + " |",
        "|---|---|" + "---:|---:|" * len(options.nodes),
    ]
    for function in [function for function in (nothing, wait, burn) if function.__name__ in options.only]:
        tables = [measure(options, function, random_batch(options, nodes)) for nodes in options.nodes]
        for name in tables[0]:
            cells = " | ".join(f"{clock:.2f} | {used:.2f}" for clock, used in (table[name] for table in tables))
            lines.append(f"| {function.__name__} | {name} | {cells} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
