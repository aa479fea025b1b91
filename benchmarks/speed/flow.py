"""Generative flow networks: whole iterations (sampling, rewards, loss, update) on one thread.

    python benchmarks/speed/flow.py [--json] [--profile] [--out docs/tables]

First `ring-edges` and `hyper-grid` beside torchgfn, iterations of both in turns: the same depth, width, batch and
objective (trajectory balance), Adam, and first policies whose objects are about as large (of hyper-grid 16 × 16 short
walks, of uniform choice, and long ones; the networks have the same layers). Then each task beside the network's matrix
products alone, recorded in an iteration and replayed on the same data (see `limit.py`), and how many functions an
iteration calls. Beside it stands what was so before networks for vectors and kernels for the bookkeeping of groups.
The learning rate is next to zero, so that all iterations do the same work. Times are the process's own, so that other
programs disturb little; ratios are medians over pairs that follow each other.
"""

from __future__ import annotations

import cProfile
import dataclasses
import json
import platform
import pstats
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
import tyro
from limit import MatrixProducts

from graphwright.algorithms.gflownet.config import GFlowNetConfig
from graphwright.envs.registry import find_problem
from graphwright.nn import EncoderConfig
from graphwright.training.config import TrainConfig
from graphwright.training.training_run import TrainingRun

try:
    import flow_torchgfn
except ImportError:
    flow_torchgfn = None

INSTALL = (
    "torchgfn is not there: pip install --no-deps torchgfn==2.4.1 linear-attention-transformer linformer "
    "local-attention product-key-memory axial-positional-embedding colt5-attention dill "
    "tensordict torch_geometric einops hyper-connections torch-einops-utils"
)
STOP = {4: 0.115, 5: 0.0713, 6: 0.0495}
"""With this probability to stop at every step, objects have half of all edges, as they have by uniform choice."""
ALONE = GFlowNetConfig(learning_rate=1e-9, log_z_learning_rate=1e-9, passes=1, minibatches=1)
BESIDE = dataclasses.replace(ALONE, optimizer="adam")  # as torchgfn's is
SIDE, GRID_BATCH = 16, 256
BEFORE = {"hyper-grid": "0.44 to 0.64", "ring-edges": "4.3 to 5.9"}
"""Times torchgfn's trajectories a second, before: grids by a graph network of the same width and depth."""
RATIO_BEFORE = {
    ("ring-edges", 64): 4.4,
    ("toy-sequences", 64): 3.5,
    ("ring-edges", 256): 2.65,
    ("toy-sequences", 256): 1.99,
}
CALLS_BEFORE = {("ring-edges", 64): 14_000}


@dataclass(frozen=True)
class Options:
    """What to measure."""

    batches: tuple[int, ...] = (64, 256)
    """Trajectories of an iteration; the first of these beside torchgfn."""
    repeats: int = 15
    """Pairs of timings of which medians are taken."""
    only: tuple[str, ...] = ()
    """Tasks that are set beside their matrix products; all, if none is named."""
    profile: bool = False
    """Print where the time of an iteration goes instead, function by function with all that each calls."""
    json: bool = False
    """Write one JSON document to stdout."""
    out: Path | None = None
    """Folder for the table, as flow-speed.md."""


@dataclass(frozen=True)
class Rival:
    """Ours and torchgfn's: trajectories, and visited states, per second of processor time; medians of their ratios."""

    task: str
    width: int
    depth: int
    backward: str
    ours: float
    theirs: float
    times: float
    our_states: float
    their_states: float
    times_states: float


@dataclass(frozen=True)
class Iteration:
    """An iteration beside its matrix products. reward_ms: its share of the iteration; states: of a trajectory.

    published: trajectories a second of recursionpharma/gflownet with as many parameters, on a machine of this class.
    """

    task: str
    batch: int
    encoder: str
    width: int
    parameters: int
    states: float
    trajectories: float
    published: float | None
    calls: int
    iteration_ms: float
    reward_ms: float
    products_ms: float
    ratio: float
    ratio_without_reward: float


@dataclass(frozen=True)
class Case:
    """A task with a network, whose parameters are as many as were published (see `Iteration`)."""

    task: str
    encoder: EncoderConfig
    published: float | None


CASES = (
    Case("rings", EncoderConfig("gin", width=308, depth=4), 28),
    Case("qed", EncoderConfig("gin", width=320, depth=4), 19),
    Case("toy-sequences", EncoderConfig("graph-transformer", width=112, depth=2), 565),
    Case("ring-edges", EncoderConfig("gin", width=64, depth=2), None),
)


def make_trainer(
    task: str, encoder: EncoderConfig, batch: int, flow: GFlowNetConfig = ALONE, **environment: Any
) -> TrainingRun:
    """A run of that task that is never evaluated."""
    config = TrainConfig.for_problem(
        task,
        "tb",
        threads=1,
        encoder=encoder,
        settings=flow,
        environment=environment,
        collection={"sources": {"forward": batch, "replay": 0}},
        validation={"max_states": 1},
    )
    return TrainingRun(find_problem(task), config, Path("never-written"))


def measure_rings(nodes: int, width: int, depth: int, backward: Any, options: Options) -> Rival:
    """`ring-edges`, iterations of both in turns."""
    batch, settings = options.batches[0], dataclasses.replace(BESIDE, backward=backward)
    ours = make_trainer("ring-edges", EncoderConfig("gin", width=width, depth=depth), batch, settings, num_nodes=nodes)
    theirs = flow_torchgfn.make(nodes, batch, width, depth, backward == "learned", BESIDE.learning_rate, STOP[nodes])
    return _beside(f"ring-edges, {nodes} nodes", width, depth, backward, ours, theirs, batch, options.repeats)


def measure_grid(width: int, depth: int, stop: float, options: Options) -> Rival:
    """`hyper-grid` 16 × 16, iterations of both in turns; stop: what is added to the score of stopping."""
    ours = make_trainer("hyper-grid", EncoderConfig("mlp", width=width, depth=depth), GRID_BATCH, BESIDE, side=SIDE)
    head = ours.policy.actor.heads[0]
    with torch.no_grad():
        head.score.bias.fill_(stop)
    theirs = flow_torchgfn.make_grid(SIDE, GRID_BATCH, width, depth, BESIDE.learning_rate, stop)
    name = f"hyper-grid, {'short' if stop == 0 else 'long'} walks, batch {GRID_BATCH}"
    return _beside(name, width, depth, "uniform", ours, theirs, GRID_BATCH, options.repeats)


def _beside(
    task: str, width: int, depth: int, backward: str, ours: TrainingRun, theirs: Any, batch: int, repeats: int
) -> Rival:
    states: list[float] = []

    def one_of_ours() -> None:
        metrics = ours.iterate()
        states.append(metrics["new_steps"] * metrics["length"])

    def one_of_theirs() -> None:
        states.append(theirs.iterate())

    pairs = _in_turns(one_of_ours, one_of_theirs, repeats)
    visited = list(zip(states[-2 * repeats :: 2], states[1 - 2 * repeats :: 2], strict=True))
    speeds = [(1e3 * batch / a, 1e3 * batch / b) for a, b in pairs]
    state_speeds = [(1e3 * n / a, 1e3 * m / b) for (a, b), (n, m) in zip(pairs, visited, strict=True)]
    return Rival(task, width, depth, backward, *_medians(speeds), *_medians(state_speeds))


def measure_iteration(case: Case, batch: int, repeats: int) -> Iteration:
    """Iterations and replays of their matrix products in turns, all on the same trajectories."""
    trainer = make_trainer(case.task, case.encoder, batch)
    config = trainer.config

    def iterate() -> float:
        trainer.generator.manual_seed(0)
        return trainer.iterate()["length"]

    iterate()
    with MatrixProducts() as products:
        states = iterate()
    profiler = cProfile.Profile()
    profiler.runcall(iterate)
    trainer.generator.manual_seed(0)
    objects = trainer.collector.collect(trainer.policy).batch.trajectories.objects

    def reward() -> None:
        config.collection.reward.measure(config.environment, objects)

    replay = _in_turns(iterate, torch.no_grad()(products.replay), repeats)
    reward_ms = statistics.median(_milliseconds(reward) for _ in range(repeats))
    iteration_ms, products_ms = (statistics.median(times) for times in zip(*replay, strict=True))
    return Iteration(
        case.task,
        batch,
        case.encoder.kind,
        case.encoder.width,
        sum(parameter.numel() for parameter in trainer.policy.parameters()),
        states,
        1e3 * batch / iteration_ms,
        case.published,
        sum(entry.callcount for entry in profiler.getstats()),
        iteration_ms,
        reward_ms,
        products_ms,
        statistics.median(a / b for a, b in replay),
        statistics.median((a - reward_ms) / b for a, b in replay),
    )


def print_profile(case: Case, batch: int, repeats: int) -> None:
    """Under a profiler calls of Python cost more than they do without."""
    trainer, profiler = make_trainer(case.task, case.encoder, batch), cProfile.Profile()
    for _ in range(2):
        trainer.iterate()
    for _ in range(repeats):
        trainer.generator.manual_seed(0)
        profiler.runcall(trainer.iterate)
    print(f"{case.task}, {batch} trajectories, {repeats} iterations:")
    pstats.Stats(profiler).strip_dirs().sort_stats("cumulative").print_stats(45)


def _in_turns(one: Callable[[], Any], other: Callable[[], Any], repeats: int) -> list[tuple[float, float]]:
    """Milliseconds of each, after two turns to warm up."""
    return [(_milliseconds(one), _milliseconds(other)) for _ in range(repeats + 2)][2:]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _medians(pairs: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Of the first, of the second, and of the first over the second."""
    one, other = zip(*pairs, strict=True)
    return statistics.median(one), statistics.median(other), statistics.median(a / b for a, b in pairs)


def _milliseconds(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return 1e3 * (time.process_time() - start)


def tables(rivals: list[Rival], iterations: list[Iteration], batch: int) -> str:
    """As Markdown."""
    lines = [
        "Whole iterations (sampling, rewards, loss, update) with trajectory balance, one thread, per second of "
        f"processor time; {date.today()}, {platform.machine()}, torch {torch.__version__}.",
        "",
    ]
    if rivals:
        lines += [
            f"Beside torchgfn 2.4.1, in turns, {batch} trajectories each where nothing else is said:",
            "",
            "| task | width | depth | backward | trajectories/s | torchgfn | times | before | states/s | torchgfn "
            "| times |",
            "|---|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {row.task} | {row.width} | {row.depth} | {row.backward} | {row.ours:,.0f} | {row.theirs:,.0f} "
            f"| **{row.times:.2f}** | {BEFORE[row.task.split(',')[0]]} "
            f"| {row.our_states:,.0f} | {row.their_states:,.0f} | {row.times_states:.1f} |"
            for row in rivals
        ]
    lines += [
        "",
        "Beside the network's matrix products alone on the same rows, and the published speed of "
        "recursionpharma/gflownet with as many parameters on a machine of this class:",
        "",
        "| task | batch | encoder | parameters | states of a trajectory | trajectories/s | gflownet | iteration, ms "
        "| rewards, ms | products, ms | iteration / products | before | without rewards | calls | before |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.task} | {row.batch} | {row.encoder}, width {row.width} | {row.parameters / 1e6:.2f} M "
        f"| {row.states:.1f} | {row.trajectories:,.0f} | {row.published or ''} | {row.iteration_ms:.0f} "
        f"| {row.reward_ms:.1f} | {row.products_ms:.0f} | **{row.ratio:.2f}** "
        f"| {RATIO_BEFORE.get((row.task, row.batch), '')} | {row.ratio_without_reward:.2f} | {row.calls:,} "
        f"| {_number(CALLS_BEFORE.get((row.task, row.batch)))} |"
        for row in iterations
    ]
    return "\n".join(lines) + "\n"


def main(options: Options) -> None:
    torch.set_num_threads(1)
    cases = [case for case in CASES if not options.only or case.task in options.only]
    if options.profile:
        for case in cases:
            print_profile(case, options.batches[0], options.repeats)
        return
    rivals = []
    if flow_torchgfn is None:
        print(INSTALL, file=sys.stderr)
    else:
        rivals = [measure_rings(nodes, 64, 2, "uniform", options) for nodes in STOP]
        rivals += [measure_rings(4, 128, 1, "learned", options)]  # as in torchgfn's example
        rivals += [measure_grid(128, 2, stop, options) for stop in (0.0, -3.0)]
    iterations = [measure_iteration(case, batch, options.repeats) for case in cases for batch in options.batches]
    text = tables(rivals, iterations, options.batches[0])
    if options.json:
        found = {"torchgfn": rivals, "iterations": iterations}
        print(json.dumps({name: [dataclasses.asdict(row) for row in rows] for name, rows in found.items()}, indent=2))
    else:
        print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "flow-speed.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
