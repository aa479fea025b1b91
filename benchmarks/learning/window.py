"""A reward that is nearly zero nearly everywhere: molecules whose log P lies in a narrow window.

    python benchmarks/learning/window.py [--seconds 120] [--seeds 1] [--algorithm tb] [--settings JSON] [--out FILE]

Molecules of eight elements with at most nine atoms, built atom by atom; R is 1 where log P lies from 2 to
2.5 and a thousandth elsewhere. The share of fresh molecules in the window after so many seconds of processor time of
one thread, beside that of random building. The settings by default are meant for such rewards: half of each batch
replayed, by reward, and a sharper one.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import torch
import tyro
from processor_time import learned

from graphwright.envs.generation import Generation
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.molecules.atoms import AtomContext
from graphwright.envs.generative.molecules.chemistry import Molecule, rdMolDescriptors
from graphwright.envs.generative.molecules.rewards import drawn, reward_of_molecules
from graphwright.envs.problem import Problem
from graphwright.envs.rollouts import uniform_choice
from graphwright.training.config import TrainConfig, changed
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler
from graphwright.training.gflownet.sampling import sample_forward

LOW, HIGH = 2.0, 2.5
SPARSE = '{"collection": {"sources": {"replay": 64, "replay_by": "reward"}, "condition": {"low": 2.0}}}'


def is_inside(molecules: list[Molecule]) -> np.ndarray:
    """[M] bool: whether log P lies in the window."""
    found = np.array([rdMolDescriptors.CalcCrippenDescriptors(one)[0] for one in molecules])
    return (found >= LOW) & (found <= HIGH)


def in_window(molecules: list[Molecule]) -> np.ndarray:
    """[M]: 1 inside, 0 outside."""
    return is_inside(molecules).astype(float)


WINDOW = Problem(
    "window",
    "molecules whose log P lies in a window",
    environment=GraphBuilding(AtomContext(charges=(), max_nodes=9)),
    generation=Generation(reward_of_molecules(in_window, floor=1e-3)),
)


@dataclass(frozen=True)
class Options:
    """What to run."""

    seconds: float = 120.0
    """Processor time of each run."""
    seeds: int = 1
    """Runs."""
    num: int = 2000
    """Molecules that are drawn at the end."""
    algorithm: str = "modified-subtb"
    """Which: this one learns from every molecule on the way, too."""
    settings: str = SPARSE
    """Changes of the default settings, as JSON."""
    out: Path | None = None
    """File to append the table to."""


def run(seed: int, options: Options) -> tuple[float, int, int]:
    """Of one run: the share in the window, how many of these are different, and how many trajectories it learned of."""
    config = TrainConfig.for_problem(WINDOW, options.algorithm, seconds=options.seconds, seed=seed, threads=1)
    config = changed(config, {"validation": {"max_states": 1}} | json.loads(options.settings))
    training = learned(WINDOW, config)
    environment, generator = WINDOW.builder, torch.Generator().manual_seed(1)
    instances = config.collection.instances(WINDOW, environment, options.num, generator)
    sampler = Sampler(environment, training.policy, NO_EXPLORATION, generator)
    objects = sampler.sample_forward(instances).objects
    inside = torch.from_numpy(is_inside(drawn(environment, objects)))
    different = len(set(environment.keys(objects.select(inside)))) if bool(inside.any()) else 0
    return float(inside.float().mean()), different, int(training.counters.steps)


def main(options: Options) -> None:
    """Run, and print a table."""
    environment, generator = WINDOW.builder, torch.Generator().manual_seed(1)
    built = sample_forward(environment, blank(options.num), uniform_choice(environment.actions, generator)).objects
    share = is_inside(drawn(environment, built)).mean()
    lines = [
        f"log P from {LOW:g} to {HIGH:g}, {options.seconds:g} s of processor time a run, "
        f"{options.algorithm}, settings {options.settings}; "
        f"{date.today()}, {platform.machine()}. Random building: {100 * share:.1f} % in the window.",
        "",
        f"| seed | trajectories | in the window | different, of {options.num:,} |",
        "|---:|---:|---:|---:|",
    ]
    for seed in range(options.seeds):
        inside, different, steps = run(seed, options)
        lines.append(f"| {seed} | {steps:,} | {100 * inside:.1f} % | {different:,} |")
    table = "\n".join(lines) + "\n"
    print(table, flush=True)
    if options.out is not None:
        with options.out.open("a") as file:
            file.write(table + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
