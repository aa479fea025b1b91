"""Every layer against PyG's, forward and backward on one thread.

    python benchmarks/speed/layers.py [--repeats 15] [--out docs/tables/layers.md]

Both layers of a pair alternate in one process, and the time is the thread's own, so that other programs disturb both
alike; figures are medians. Edge features are an observation's columns, which want no gradient while time is taken.
Results are compared with one set of weights in both: the output and the gradients by x, edge features and weights.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numba
import torch
import torch_geometric
import tyro
from layer_pairs import HEADS, Pair, Setting, attention_over_edges, attention_over_graphs, edge_states, sums_and_means
from torch import Tensor, nn

NUM_GRAPHS, NODES, DEGREE = 64, 50, 8


@dataclass(frozen=True)
class Row:
    """One line of the table. difference: largest, over output and gradients, as a share of each tensor's largest."""

    name: str
    reference: str
    ours_ms: float
    theirs_ms: float
    difference: float


def measure(pair: Pair, x: Tensor, edges: Tensor, repeats: int) -> Row:
    """Compare the results, then alternate the two."""
    edges = edges.detach().requires_grad_()
    results = []
    for same in pair.same:
        out = same(edges)
        weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(0))
        gradients = torch.autograd.grad((out * weight).sum(), [x, edges, *pair.leaves], materialize_grads=True)
        results.append([out.detach(), *gradients])
    difference = max(_share(ours, theirs) for ours, theirs in zip(*results, strict=True))
    # States come from the layer before and want their gradient; features of an observation do not.
    timed_edges = edges if pair.name == "edge-gated" else edges.detach()
    ours, theirs = (
        _forward_and_backward(lambda timed=timed: timed(timed_edges), [x, *parameters])
        for timed, parameters in zip(pair.timed, pair.parameters, strict=True)
    )
    times = _alternate(ours, theirs, repeats)
    return Row(pair.name, pair.reference, *times, difference)


def linear_layers(x: Tensor, repeats: int) -> float:
    """Milliseconds of two linear layers, forward and backward, for scale."""
    both = nn.Sequential(*(nn.Linear(x.shape[1], x.shape[1]) for _ in range(2)))
    run = _forward_and_backward(lambda: both(x), [x, *both.parameters()])
    return _alternate(run, run, repeats)[0]


def _share(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1))


def _forward_and_backward(forward: Callable[[], Tensor], leaves: Sequence[Tensor]) -> Callable[[], None]:
    weight = torch.randn(forward().shape)

    def run() -> None:
        torch.autograd.grad(forward(), leaves, weight, allow_unused=True)

    return run


def _alternate(one: Callable[[], None], other: Callable[[], None], repeats: int) -> tuple[float, float]:
    """Median milliseconds of each."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 2):
        for run, taken in zip((one, other), times, strict=True):
            start = time.thread_time()
            run()
            taken.append(1e3 * (time.thread_time() - start))
    return statistics.median(times[0][2:]), statistics.median(times[1][2:])


@dataclass(frozen=True)
class Options:
    """What to measure."""

    width: int = 128
    """Size of a node's embedding."""
    edge_width: int = 8
    """Edge features."""
    repeats: int = 15
    """Timings of which the median is taken."""
    out: Path | None = None
    """File to write the table to."""


def rows(options: Options) -> list[Row]:
    """All pairs."""
    torch.manual_seed(0)
    s = Setting.random([NODES] * NUM_GRAPHS, DEGREE, options.width, options.edge_width)
    table = [measure(p, s.x, s.edges, options.repeats) for p in [*sums_and_means(s), *attention_over_edges(s)]]
    states = torch.randn(s.graph.num_edges, options.width)
    table.append(measure(edge_states(s), s.x, states, options.repeats))
    ragged = [NODES // 5 + 8 * k // 7 for k in range(NUM_GRAPHS + 7)][:NUM_GRAPHS]
    for name, sizes in (
        (f"all of {NODES} nodes", [NODES] * NUM_GRAPHS),
        (f"{ragged[0]} to {ragged[-1]} nodes", ragged),
    ):
        s = Setting.random(sizes, DEGREE, options.width, options.edge_width)
        table.append(measure(attention_over_graphs(s, name), s.x, s.edges, options.repeats))
    return table


def markdown(table: list[Row], linear_ms: float, options: Options) -> str:
    """The table with what it was measured on."""
    nodes = NUM_GRAPHS * NODES
    lines = [
        f"{nodes} nodes in {NUM_GRAPHS} graphs, {DEGREE * nodes} edges, width {options.width}, {HEADS} heads, "
        f"{options.edge_width} edge features; forward and backward, one thread; {date.today()}, {platform.machine()}, "
        f"torch {torch.__version__}, PyG {torch_geometric.__version__}, Numba {numba.__version__}.",
        "",
        "| layer | against | ours, ms | theirs, ms | times as fast | largest difference |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in table:
        ratio = row.theirs_ms / row.ours_ms
        lines.append(
            f"| {row.name} | {row.reference} | {row.ours_ms:.1f} | {row.theirs_ms:.1f} | **{ratio:.1f}** | "
            f"{row.difference:.0e} |"
        )
    lines.append(f"| two linear layers, for scale | | {linear_ms:.1f} | | | |")
    return "\n".join(lines) + "\n"


def main(options: Options) -> None:
    torch.set_num_threads(1)
    table = rows(options)
    text = markdown(
        table, linear_layers(torch.randn(NUM_GRAPHS * NODES, options.width).requires_grad_(), options.repeats), options
    )
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
