"""Teams of others, as they are: what a few minutes of learning make of them, beside random choice.

    python benchmarks/learning/published_teams.py [--steps 20000] [--seeds 3] [--only mappo] [--teams spread]

Each environment is one graph of its agents (`from_team`), all linked, with their observations as columns; settings are
the algorithm's own but those below. The best policy of ten updates is kept, by greedy episodes from seeds of their own;
reported is the mean return to an agent that is there at the beginning, of greedy episodes from seeds that neither saw.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import torch
import tyro
from rich.console import Console
from torch import Tensor

from graphwright.core import Observation
from graphwright.envs.problem import random_choice
from graphwright.frameworks.foreign import ForeignTraining, play_episodes, train_foreign
from graphwright.frameworks.foreign.team import from_team
from graphwright.training.collectors.replay import ExploringReplayConfig
from graphwright.training.config import changed
from graphwright.training.statistics import mean_interval


def spread() -> Any:
    """mpe2's simple spread with three agents, which are paid for what they cover together."""
    from mpe2 import simple_spread_v3

    return simple_spread_v3.parallel_env(N=3, max_cycles=25)


def foraging() -> Any:
    """lbforaging's 8 × 8 field with two players and two foods that take both."""
    import lbforaging  # noqa: F401

    return gymnasium.make("Foraging-8x8-2p-2f-coop-v3", disable_env_checker=True)


def knights_archers_zombies() -> Any:
    """PettingZoo's two knights and two archers, who die when a zombie meets them."""
    from pettingzoo.butterfly import knights_archers_zombies_v11

    return knights_archers_zombies_v11.parallel_env(max_cycles=400)


TEAMS: dict[str, Callable[[], Any]] = {
    "spread": spread,
    "foraging": foraging,
    "knights-archers-zombies": knights_archers_zombies,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "mappo": {"learning_rate": 3e-3, "epochs": 4, "minibatch_size": 256, "discount": 0.95, "entropy_coefficient": 0.01},
    "qmix": {"discount": 0.95},
}
"""Algorithm → settings that teams of a few agents want."""


@dataclass(frozen=True)
class Options:
    """What to train."""

    steps: int = 20_000
    """Team steps of each run."""
    seeds: int = 3
    """Runs of each, with the seeds 0, 1, ..."""
    only: tuple[str, ...] = tuple(SETTINGS)
    """Algorithms."""
    teams: tuple[str, ...] = tuple(TEAMS)
    """Environments."""
    num_envs: int = 16
    """Side by side."""
    episodes: int = 4
    """Of each of them in the test."""


def tested(options: Options, name: str, choose: Callable[[Observation], Tensor]) -> float:
    """The mean return to an agent in episodes from other seeds."""
    with from_team(TEAMS[name], options.num_envs, seed=10_000) as vector:
        agents = vector.state.num_nodes / options.num_envs
        return float(play_episodes(vector, choose, options.episodes).mean()) / agents


def learned(options: Options, name: str, algorithm: str, seed: int) -> tuple[float, float]:
    """Train and test: the mean return to an agent, and CPU-seconds."""
    config = ForeignTraining(steps=options.steps, algorithm=algorithm, seed=seed, threads=1, num_steps=25)
    config = changed(config, {"encoder": {"kind": "transformer", "depth": 2}, "settings": SETTINGS[algorithm]})
    if config.replay is not None:
        replay = ExploringReplayConfig(warm_up=min(1_000, options.steps), num_minibatches=32, minibatch_size=64)
        config = changed(config, {"replay": replay})
    start = time.process_time()
    with (
        tempfile.TemporaryDirectory() as folder,
        from_team(TEAMS[name], options.num_envs, seed=seed) as vector,
        from_team(TEAMS[name], options.num_envs, seed=20_000) as watched,
    ):
        run = train_foreign(vector, config, Path(folder) / "run", Console(quiet=True), validation=watched)
        policy = run.learned()
    return tested(options, name, policy.best), time.process_time() - start


def main(options: Options) -> None:
    torch.set_num_threads(1)
    print("| environment | random | " + " | ".join(options.only) + " |\n|---|---:|" + "---:|" * len(options.only))
    for name in options.teams:
        with from_team(TEAMS[name], 1) as vector:
            choose = random_choice(vector.environment, torch.Generator().manual_seed(0))
        cells = [f"{tested(options, name, choose):.2f}"]
        for algorithm in options.only:
            found = [learned(options, name, algorithm, seed) for seed in range(options.seeds)]
            returns = mean_interval(torch.tensor([value for value, _ in found], dtype=torch.float64)).text(2)
            cells.append(f"{returns}; {sum(used for _, used in found) / len(found):.0f} s")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
