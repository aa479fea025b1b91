"""What work-conserving masks are for: one server at load 0.9, learned with and without them.

    python benchmarks/learning/idling.py [--seconds 60] [--picture idling.png]

`single-hop` rules out idling while there is something to serve (the mask); with `--environment.idling` the server may
idle, or serve a queue that gives it nothing. PPO learns both for the same time on the same networks, three queues whose
arrivals are scaled to a load of 0.9. Backlogs over --slots slots from empty queues on, of the same arrivals, beside
MaxWeight: the mean of the last quarter, and the slope of the last half, in packets a slot (0: it is stable).
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.drawing.queues import plot_backlogs
from graphwright.envs.queueing.single_hop.environment import SINGLE_HOP, SingleHop, max_weight
from graphwright.training.averages import BACKLOG, run
from graphwright.training.config import TrainConfig
from graphwright.training.train import train

LOAD = 0.9


def at_load(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Random networks of which every one has that load."""
    drawn = SINGLE_HOP.laws["random"](graph, generator)
    scale = LOAD / SingleHop().load(drawn)
    return drawn.with_nodes(arrival=drawn.nodes["arrival"] * scale[drawn.node_graph])


def learned(idling: bool, options: argparse.Namespace, folder: Path) -> tuple[SingleHop, object]:
    """The environment and what was learned in it."""
    environment = SingleHop(horizon=1000, idling=idling)
    problem = replace(SINGLE_HOP, environment=environment, laws={"at-load": at_load}, sizes=(3,))
    config = TrainConfig.for_problem(
        problem,
        "ppo",
        seconds=options.seconds,
        threads=1,
        seed=options.seed,
        encoder={"width": options.width},
        validation={"graphs": 4, "slots": min(300, options.slots), "every": 20},
    )
    policy = train(problem, config, folder / f"idling-{idling}", Console(quiet=True)).learned()
    return environment, policy


def main() -> None:
    """A table, and the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--slots", type=int, default=4000)
    parser.add_argument("--graphs", type=int, default=16)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    problem = replace(SINGLE_HOP, laws={"at-load": at_load}, sizes=(3,))
    instances = problem.generator()(options.graphs, torch.Generator().manual_seed(11))
    curves: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, idling in (("with the mask", False), ("without", True)):
            environment, policy = learned(idling, options, Path(folder))

            def act(state: GraphBatch, environment: SingleHop = environment, policy: object = policy) -> Tensor:
                return policy.best(environment.observe(state))  # type: ignore[attr-defined, no-any-return]

            curves[name] = run(environment, act, instances, options.slots, 7)[BACKLOG].mean(1)
    plain = SingleHop()
    curves["MaxWeight"] = run(plain, lambda state: max_weight(plain, state), instances, options.slots, 7)[BACKLOG].mean(
        1
    )
    print("| single-hop, load 0.9 | mean backlog, last quarter | packets a slot more, last half |\n|---|---:|---:|")
    for name, curve in curves.items():
        half = curve[len(curve) // 2 :]
        slope = np.polyfit(np.arange(len(half)), half, 1)[0]
        print(f"| {name} | {curve[-len(curve) // 4 :].mean():,.1f} | {slope:+.4f} |")
    if options.picture is not None:
        plot_backlogs(curves, options.picture, "one server, load 0.9, learned by PPO")


if __name__ == "__main__":
    main()
