"""What it costs to bring graphs out of worker processes: shared buffers, messages, and Gymnasium's AsyncVectorEnv.

    python benchmarks/speed/workers.py [--repeats 7] [--out docs/tables/workers.md]

One environment whose step costs next to nothing, so that what is measured is the way of its observation, a
`spaces.Graph` with four links and two numbers a node. All ways end in the same batch of graphs on the learner's side,
except the one that leaves Gymnasium's observations as they come, a tuple of objects. Ways alternate within one run, and
figures are medians. Beside steps/s, which other programs disturb, stands the processor time that all processes together
need for a step of one environment; ratios are of that, within a repeat.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import torch
import tyro
from gymnasium import spaces

from graphwright.core import ActionSpec, per_node
from graphwright.frameworks.foreign import ForeignVectorEnv, WorkerOptions, from_gymnasium
from graphwright.frameworks.foreign.observation_reader import ObservationReader
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.workers.env_group import pack

ACTIONS = ActionSpec(per_node("act"))
DEGREE, WIDTH = 4, 2
Step = Callable[[], object]
Way = tuple[Step, list[int]]
"""What makes a step, and the other processes that take part in it."""


class Shown(gymnasium.Env):
    """Shows the same random graph again and again."""

    def __init__(self, nodes: int) -> None:
        space = spaces.Box(-np.inf, np.inf, (WIDTH,))
        self.observation_space = spaces.Graph(node_space=space, edge_space=space)
        self.action_space = spaces.Discrete(nodes)
        random = np.random.default_rng(0)
        links = random.integers(0, nodes, (DEGREE * nodes, 2))
        columns = [random.random((rows, WIDTH), np.float32) for rows in (nodes, len(links))]
        self.graph = spaces.GraphInstance(*columns, links)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[spaces.GraphInstance, dict]:
        """The graph."""
        return self.graph, {}

    def step(self, action: int) -> tuple[spaces.GraphInstance, float, bool, bool, dict]:
        """The graph again."""
        return self.graph, 0.0, False, False, {}


@dataclass(frozen=True)
class Options:
    """What to measure."""

    nodes: tuple[int, ...] = (50, 1000)
    """Sizes of the graph."""
    num_envs: int = 8
    """Environments side by side; AsyncVectorEnv starts a process for each."""
    workers: int = 2
    """Worker processes."""
    repeats: int = 7
    """Timings of which the median is taken."""
    seconds: float = 0.5
    """Length of each timing."""
    out: Path | None = None
    """File to write the table to."""


@contextmanager
def ours(options: Options, nodes: int, workers: int, buffer_bytes: int = 1 << 24) -> Iterator[Way]:
    worker_options = WorkerOptions(buffer_bytes=buffer_bytes)
    make = partial(Shown, nodes)
    vector: ForeignVectorEnv
    with from_gymnasium(make, options.num_envs, workers, actions=ACTIONS, options=worker_options) as vector:
        action = torch.zeros(options.num_envs, dtype=torch.int64)
        pids = [worker.process.pid for worker in vector.pool.workers] if workers else []
        yield lambda: vector.step(action), pids


@contextmanager
def asynchronous(options: Options, nodes: int, assemble: bool) -> Iterator[Way]:
    makes = [partial(Shown, nodes)] * options.num_envs
    # As by default, but where torchrl has been imported.
    vector = gymnasium.vector.AsyncVectorEnv(makes, shared_memory=False, context="fork")
    reader = ObservationReader(vector.single_observation_space, ACTIONS)
    environment = ForeignEnvironment(reader.features, ACTIONS)
    action = np.zeros(options.num_envs, np.int64)
    vector.reset()

    def step() -> object:
        observations = vector.step(action)[0]
        return environment.states([pack([reader.read(seen) for seen in observations])]) if assemble else observations

    yield step, [process.pid for process in vector.processes]
    vector.close()


def processor_seconds(pids: list[int]) -> float:
    """Of this process and of those of `pids`, as Linux counts them."""
    others = (int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids)
    return time.process_time() + 1e-9 * sum(others)


def measure_way(step: Step, pids: list[int], options: Options) -> tuple[float, float]:
    """Steps/s, and microseconds of processor time for a step of one environment."""
    step()
    count, start, used = 0, time.perf_counter(), processor_seconds(pids)
    while (seconds := time.perf_counter() - start) < options.seconds:
        step()
        count += options.num_envs
    return count / seconds, 1e6 * (processor_seconds(pids) - used) / count


def measure(options: Options, nodes: int) -> dict[str, tuple[float, float, float]]:
    """Way → medians of steps/s, of the processor time and of the ratio to AsyncVectorEnv with assembly."""
    against = f"`AsyncVectorEnv(shared_memory=False)`, {options.num_envs} processes, assembled"
    ways = {
        f"{options.workers} workers, shared buffers": partial(ours, options, nodes, options.workers),
        f"{options.workers} workers, pickled messages": partial(ours, options, nodes, options.workers, 1),
        "no workers": partial(ours, options, nodes, 0),
        against: partial(asynchronous, options, nodes, True),
        "the same, left as a tuple of objects": partial(asynchronous, options, nodes, False),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.repeats):
        for name, way in ways.items():
            with way() as (step, pids):
                taken[name].append(measure_way(step, pids, options))
    theirs = [cost for _, cost in taken[against]]
    return {
        name: (
            statistics.median(rate for rate, _ in pairs),
            statistics.median(cost for _, cost in pairs),
            statistics.median(other / cost for other, (_, cost) in zip(theirs, pairs, strict=True)),
        )
        for name, pairs in taken.items()
    }


def main(options: Options) -> None:
    torch.set_num_threads(1)
    tables = {nodes: measure(options, nodes) for nodes in options.nodes}
    lines = [
        f"{options.num_envs} environments that show a graph of {DEGREE} links a node; {options.repeats} repeats of "
        f"{options.seconds:g} s in turn, medians; processor time of all processes together; "
        f"{date.today()}, two cores, no GPU, machine shared, "
        f"{platform.machine()}, torch {torch.__version__}, Gymnasium {gymnasium.__version__}.",
        "",
        "| way | " + " | ".join(f"{nodes} nodes: steps/s | µs a step | times as cheap" for nodes in tables) + " |",
        "|---|" + "---:|---:|---:|" * len(tables),
    ]
    for name in next(iter(tables.values())):
        figures = (table[name] for table in tables.values())
        cells = " | ".join(f"{rate:,.0f} | {cost:,.0f} | {ratio:.2f}" for rate, cost, ratio in figures)
        lines.append(f"| {name} | {cells} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
