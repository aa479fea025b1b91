"""MaskablePPO of sb3-contrib with `GraphPolicy` on padded vertex cover: speed and quality.

    python benchmarks/learning/sb3.py [--steps 100000] [--seeds 5] [--only published] [--out docs/tables]

Trained on Watts-Strogatz graphs of 5, 10 and 15 nodes, tested on 500 of 20 nodes with greedy decoding. "published":
one environment × 1,024 steps and the other settings of `graphwright reproduce architectures --mode faithful`, the whole
policy trained; "published, 16 × 64": the same with 16 environments × 64 steps; "ours": the settings listed in `OURS`.
The published implementation makes 185 (GraphSAGE) and 135 (GAT) steps a second on one core of this class of machine and
ends at 1.119 times the optimum. One thread each run, two runs side by side; the clock starts when kernels are loaded.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import tyro
from sb3_contrib import MaskablePPO

from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.experiments.experiment import mean_random, test_instances
from graphwright.frameworks.env_config import make_env_config
from graphwright.frameworks.sb3 import GraphPolicy, GraphVecEnv
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.decode import decode
from graphwright.training.statistics import stratified_interval

REFERENCE = {"sage": 185, "gat": 135}
"""Environment steps a second of the published implementation."""

PUBLISHED: dict[str, Any] = {
    **{"learning_rate": 1e-5, "batch_size": 64, "n_epochs": 10, "gamma": 1.0, "gae_lambda": 0.95, "clip_range": 0.2},
    **{"ent_coef": 0.0, "vf_coef": 0.5, "max_grad_norm": 0.5},
}
OURS: dict[str, Any] = {
    **{"learning_rate": lambda left: 3e-3 * left, "batch_size": 512, "n_epochs": 3, "gamma": 1.0, "gae_lambda": 1.0},
    **{"clip_range": 0.2, "ent_coef": 0.0, "vf_coef": 2.0, "max_grad_norm": 2.0, "n_steps": 16},
}


@dataclass(frozen=True)
class Options:
    """What to train."""

    steps: int = 100_000
    """Environment steps of each run."""
    seeds: int = 5
    """Runs of each setting."""
    only: tuple[str, ...] = ("published", "published, 16 × 64", "ours")
    """Settings."""
    num_envs: int = 256
    """Environments of "ours"."""
    graphs: int = 500
    """Graphs to test on."""
    layers: tuple[str, ...] = ("sage", "gat")
    """Encoder layers."""
    workers: int = 2
    """Runs side by side."""
    out: Path | None = None
    """Folder for the table, as sb3.md."""


class Result(NamedTuple):
    """Of one run."""

    steps_per_second: float
    cpu_seconds: float
    cost: float


def make_model(setting: str, layer: Any, seed: int, own_envs: int) -> MaskablePPO:
    """An untrained model."""
    if setting == "ours":
        env = GraphVecEnv(make_env_config("vertex-cover"), own_envs, seed=seed)
        encoder = EncoderConfig(kind=layer, width=64, depth=3, aggregation="sum" if layer == "sage" else None)
        kwargs: dict[str, Any] = {"encoder": encoder, "heads": HeadsConfig()}
        return MaskablePPO(GraphPolicy, env, policy_kwargs=kwargs, seed=seed, device="cpu", **OURS)
    num_envs, num_steps = (16, 64) if "16" in setting else (1, 1024)
    environment = VertexCover(legal="any", view="all")
    env = GraphVecEnv(make_env_config("vertex-cover", environment=environment), num_envs, seed=seed)
    encoder = EncoderConfig(kind=layer, width=128, depth=2, residual=False, norm=False)
    heads = HeadsConfig(pool="mean", value_pool="mean", nodes="proto-distance")
    kwargs = {"encoder": encoder, "heads": heads}
    return MaskablePPO(GraphPolicy, env, n_steps=num_steps, policy_kwargs=kwargs, seed=seed, device="cpu", **PUBLISHED)


def run(setting: str, layer: str, seed: int, options: Options) -> tuple[float, ...]:
    """In a process of its own: a `Result`."""
    torch.set_num_threads(1)
    make_model(setting, layer, seed, options.num_envs).learn(1)  # one iteration, which loads the compiled kernels
    torch.manual_seed(seed)
    model = make_model(setting, layer, seed, options.num_envs)
    wall, cpu = time.perf_counter(), time.process_time()
    model.learn(options.steps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    env: Any = model.env
    environment = env.env_config.environment
    final = decode(model.policy.network, environment, test_instances(VERTEX_COVER, 20, options.graphs))
    return model.num_timesteps / wall, cpu, float(environment.objective(final).mean())


def main(options: Options) -> None:
    jobs = [
        (setting, layer, seed) for setting in options.only for layer in options.layers for seed in range(options.seeds)
    ]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        found = pool.map(run, *zip(*jobs, strict=True), [options] * len(jobs))
        results = {job: Result(*figures) for job, figures in zip(jobs, found, strict=True)}
    instances, environment = test_instances(VERTEX_COVER, 20, options.graphs), VERTEX_COVER.environment
    assert VERTEX_COVER.solve_exactly is not None
    optimum = float(VERTEX_COVER.solve_exactly(environment, instances, 10.0).objective.mean())
    greedy = float(environment.objective(VERTEX_COVER.heuristics["greedy"](environment, instances)).mean())
    lines = [
        f"MaskablePPO, padded, {options.steps:,} steps, {options.seeds} seeds; {date.today()}, two cores, no GPU. Cost "
        f"over the proven optimum on {options.graphs} graphs of 20 nodes: greedy {greedy / optimum:.4f}, random "
        f"{mean_random(environment, instances) / optimum:.3f}, the published implementation 1.119.",
        "",
        "| settings | layer | cost / optimum | 95 % interval | steps/s | published steps/s | times | CPU seconds |",
        "|---|---|---:|---|---:|---:|---:|---:|",
    ]
    for setting in options.only:
        for layer in options.layers:
            some = [results[setting, layer, seed] for seed in range(options.seeds)]
            cost = stratified_interval(np.array([[result.cost / optimum] for result in some]))
            speed = float(np.median([result.steps_per_second for result in some]))
            seconds = float(np.median([result.cpu_seconds for result in some]))
            lines.append(
                f"| {setting} | {layer} | {cost.value:.4f} | {cost.span()} | {speed:,.0f} | "
                f"{REFERENCE[layer]} | {speed / REFERENCE[layer]:.1f} | {seconds:.0f} |"
            )
    print("\n".join(lines))
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "sb3.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
