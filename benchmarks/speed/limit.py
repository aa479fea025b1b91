"""How close training comes to its physical limit: the network's matrix products alone.

    python benchmarks/speed/limit.py [--json] [--threads 1]

One PPO iteration (collection and update) of vertex cover with the default network is run on batches of B graphs of n
nodes. Every matrix product that it calls is recorded with its shapes and then replayed on data of the same shapes, and
the ratio of the two times is the overhead of everything else: environment, batching, masks, messages, sampling,
normalisation, optimizer, bookkeeping. Iterations and replays alternate in one process; figures are medians.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
import tyro
from torch.utils._python_dispatch import TorchDispatchMode

from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.data.rollout import Rollout
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.generators import InstanceGenerator, WattsStrogatz
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.training.collectors.steps import collect_steps

NUM_STEPS = 16


class MatrixProducts(TorchDispatchMode):
    """Records every matrix product inside its block, to run them again with nothing between them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default):
            self.calls.append((func, args))
        return func(*args, **(kwargs or {}))

    def replay(self) -> None:
        """All products, in their order."""
        for func, args in self.calls:
            func(*args)


@dataclass(frozen=True)
class Iteration:
    """Figures of one batch shape. Times in milliseconds; ratios are times over those of matrix products.

    update_ratio: update over its products. iteration_ratio: collection and update over the products of both.
    iteration_over_update_products: collection and update over the products of the update alone.
    """

    graphs: int
    nodes: int
    collection_ms: float
    update_ms: float
    collection_products_ms: float
    update_products_ms: float
    update_ratio: float
    iteration_ratio: float
    iteration_over_update_products: float


def measure_iteration(graphs: int, nodes: int, width: int, repeats: int) -> Iteration:
    """Alternate iterations and replays of their matrix products."""
    vector, policy, ppo, generator = _setting(graphs, nodes, width)

    def collect() -> Rollout:
        return collect_steps(vector, policy, NUM_STEPS, generator)

    ppo.update(collect(), 0.0)
    with torch.no_grad(), MatrixProducts() as collection_products:
        rollout = collect()
    with MatrixProducts() as update_products:
        ppo.update(rollout, 0.0)
    times: dict[str, list[float]] = {"collection": [], "update": [], "collection_products": [], "update_products": []}
    for _ in range(repeats):
        with torch.no_grad():
            times["collection_products"].append(_milliseconds(collection_products.replay))
            times["update_products"].append(_milliseconds(update_products.replay))
        start = time.perf_counter()
        rollout = collect()
        times["collection"].append(1e3 * (time.perf_counter() - start))
        times["update"].append(_milliseconds(lambda: ppo.update(rollout, 0.0)))  # noqa: B023
    median = {name: statistics.median(values) for name, values in times.items()}
    whole = median["collection"] + median["update"]
    return Iteration(
        graphs,
        nodes,
        median["collection"],
        median["update"],
        median["collection_products"],
        median["update_products"],
        median["update"] / median["update_products"],
        whole / (median["collection_products"] + median["update_products"]),
        whole / median["update_products"],
    )


def environment_steps_per_second(graphs: int, nodes: int, threads: int, repeats: int) -> float:
    """Steps of single graphs a second, resets and fresh instances included, under random choice."""
    torch.set_num_threads(threads)
    vector, _, _, generator = _setting(graphs, nodes, 8)
    choose = random_choice(vector.environment, generator)

    def run() -> None:
        for _ in range(NUM_STEPS):
            vector.step(choose(vector.observe()))

    run()
    return 1e3 * graphs * NUM_STEPS / statistics.median(_milliseconds(run) for _ in range(repeats))


def bytes_per_transition(nodes: int) -> dict[str, float]:
    """What a stored transition takes, instances aside; the columns that change: `selected`, one byte a node."""
    vector, policy, _, generator = _setting(64, nodes, 8)
    rollout = collect_steps(vector, policy, 64, generator)
    columns = [getattr(rollout, name) for name in ("log_prob", "reward", "terminated", "truncated", "next_row")]
    steps = rollout.num_steps
    stored = (rollout.states.num_bytes + sum(column.nbytes for column in [rollout.action.values, *columns])) / steps
    instances = sum(tensor.nbytes for tensor in rollout.states.instances.to_tensors().values()) / steps
    return {"nodes": nodes, "bytes": stored, "ratio": stored / nodes, "instance_bytes": instances}


def _setting(graphs: int, nodes: int, width: int) -> tuple[VectorEnvironment, ActorCritic, PPO, torch.Generator]:
    torch.manual_seed(0)
    environment = VertexCover()
    source = GeneratedInstances(InstanceGenerator(WattsStrogatz(), (nodes,)), seed=0)
    generator = torch.Generator().manual_seed(0)
    policy = ActorCritic(environment.features, environment.actions, EncoderConfig(width=width), HeadsConfig())
    vector = VectorEnvironment(environment, source, graphs)
    config = PPOConfig(target_kl=None)
    return vector, policy, PPO(policy, environment.observe, config, generator), generator


def _milliseconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start)


@dataclass(frozen=True)
class Options:
    """What to measure."""

    threads: int = 1
    """Threads for the iteration and its matrix products."""
    widths: tuple[int, ...] = (EncoderConfig().width, 128)
    """Widths of the network: the default, and that of the design's table."""
    batches: tuple[tuple[int, int], ...] = ((64, 10), (512, 20), (64, 100))
    """Graphs, and nodes of each."""
    repeats: int = 9
    """Timings of which the median is taken."""
    json: bool = False
    """Write one JSON document to stdout."""


def main(options: Options) -> None:
    torch.set_num_threads(options.threads)
    iterations = [
        {"width": width} | asdict(measure_iteration(graphs, nodes, width, options.repeats))
        for width in options.widths
        for graphs, nodes in options.batches
    ]
    memory = [bytes_per_transition(nodes) for nodes in (15, 100)]
    environment = [
        {
            "graphs": g,
            "nodes": n,
            "threads": t,
            "steps_per_second": environment_steps_per_second(g, n, t, options.repeats),
        }
        for g, n in options.batches
        for t in (1, 2)
    ]
    result = {
        "machine": f"{platform.machine()}, torch {torch.__version__}",
        "threads": options.threads,
        "iterations": iterations,
        "environment": environment,
        "memory": memory,
    }
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for row in iterations:
        print(
            f"width {row['width']:3}  {row['graphs']:3} x {row['nodes']:3}:  update {row['update_ms']:7.1f} ms = "
            f"{row['update_ratio']:.2f} x its products;  collection + update "
            f"{row['collection_ms'] + row['update_ms']:7.1f} ms = {row['iteration_ratio']:.2f} x theirs, "
            f"{row['iteration_over_update_products']:.2f} x the update's"
        )
    for row in environment:
        print(
            f"environment {row['graphs']:3} x {row['nodes']:3}, {row['threads']} threads: "
            f"{row['steps_per_second']:,.0f} steps/s"
        )
    for row in memory:
        print(
            f"a transition of n = {row['nodes']}: {row['bytes']:.0f} bytes = {row['ratio']:.2f} x the columns that "
            f"change; its share of the instances, stored once: {row['instance_bytes']:.0f} bytes"
        )


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
