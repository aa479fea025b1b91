"""Swimmers of all lengths: the search for gaits, one policy on every length, and a picture of it.

python benchmarks/learning/locomotion.py gaits
python benchmarks/learning/locomotion.py table RUN [RUN ...]
python benchmarks/learning/locomotion.py picture RUN docs/images/locomotion.png
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from matplotlib import pyplot
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.locomotion.chain import chain_order
from graphwright.envs.locomotion.gait import Wave
from graphwright.envs.locomotion.kinematics import motion
from graphwright.envs.locomotion.physics import SECONDS
from graphwright.envs.locomotion.swimmer import LOCOMOTION, Swimmer, pose_of
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import play, play_by, unroll
from graphwright.training.agent import load


def draw(links: int, count: int, seed: int) -> GraphBatch:
    return LOCOMOTION.generator(sizes=(links,))(count, torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class Gaits:
    """Search the best travelling wave for each length: random ones, then small changes of the best."""

    links: tuple[int, ...] = (3, 4, 5, 6, 7, 8, 9)
    """Lengths, a search for each."""
    waves: int = 500
    """Random waves of each length."""
    horizon: int = 1000
    """Steps of an episode."""

    def run(self) -> None:
        """Print the rows of the table in `gait.py`."""
        for links in self.links:
            self._search(links)

    def _search(self, links: int) -> None:
        generator = torch.Generator().manual_seed(links)
        low, high = torch.tensor([0.5, 0.15, 0.2, 0.0]), torch.tensor([1.3, 1.0, 1.8, 1.0])
        waves = low + (high - low) * torch.rand(self.waves, 4, generator=generator)
        waves = best_of(links, waves, horizon=min(240, self.horizon), draws=1, count=30)
        waves = best_of(links, waves, horizon=self.horizon, draws=2, count=5)
        noise = torch.randn(12, 5, 4, generator=generator) * torch.tensor([0.1, 0.02, 0.06, 0.04])
        waves = best_of(links, torch.cat([waves, (waves + noise).view(-1, 4)]), horizon=self.horizon, draws=2, count=5)
        (wave,) = best_of(links, waves, horizon=self.horizon, draws=8, count=1)
        found = float(mean_return(Swimmer(horizon=self.horizon), links, wave[None], draws=8))
        print(f"    {links}: ({', '.join(f'{value:.2f}' for value in wave.tolist())}),  # {found:.0f}", flush=True)


def best_of(links: int, waves: Tensor, horizon: int, draws: int, count: int) -> Tensor:
    """[count, 4]: the best of `waves` [W, 4], rounded."""
    rounded = torch.cat([waves[:, :1].clamp(0, 1), waves[:, 1:]], dim=1).mul(100).round().div(100)
    found = mean_return(Swimmer(horizon=horizon), links, rounded, draws)
    return rounded[found.argsort(descending=True)[:count]]


def mean_return(environment: Swimmer, links: int, waves: Tensor, draws: int) -> Tensor:
    """[W]: what each of `waves` [W, 4] gives on the same `draws` swimmers."""
    instances = draw(links, draws, seed=7).select(torch.arange(draws).repeat(len(waves)))
    wave = Wave(*waves.repeat_interleave(draws, 0).unbind(1))

    def act(state: GraphBatch) -> Tensor:
        seconds = (SECONDS * state.graphs["steps_taken"])[state.node_graph]
        return wave.torque(state, seconds)[~state.nodes["root"]]

    final = play_by(environment, instances, act)
    return environment.objective(final).view(-1, draws).mean(1)


@dataclass(frozen=True)
class Table:
    """Mean return over Gymnasium's 1000 steps of swimmers of every length, all with the same weights."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run directories, a column each."""
    links: tuple[int, ...] = (3, 4, 5, 6, 7, 8, 9)
    """Lengths, a row each."""
    swimmers: int = 20
    """Swimmers of each length."""
    horizon: int = 1000
    """Steps of an episode."""
    baselines: bool = True
    """Whether random torques and the heuristics have columns too."""

    def run(self) -> None:
        """Print the table."""
        environment = Swimmer(horizon=self.horizon)
        instances = GraphBatch.concat([draw(links, self.swimmers, seed=1) for links in self.links])
        finals: dict[str, GraphBatch] = {}
        if self.baselines:
            finals["random"] = play(
                environment, instances, random_choice(environment, torch.Generator().manual_seed(1))
            )
            finals |= {name: swim(environment, instances) for name, swim in LOCOMOTION.heuristics.items()}
        for run in self.runs:
            finals[run.name] = play(environment, instances, load(run, "cpu").policy.best)
        columns = {name: environment.objective(final).view(len(self.links), -1) for name, final in finals.items()}
        print("| links | " + " | ".join(columns) + " |\n|---:|" + "---:|" * len(columns))
        for row, links in enumerate(self.links):
            cells = (f"{float(values[row].mean()):.0f} ± {float(values[row].std()):.0f}" for values in columns.values())
            print(f"| {links} | " + " | ".join(cells) + " |")


@dataclass(frozen=True)
class Picture:
    """Draw swimmers of several lengths at several moments of their way."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    picture: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="PICTURE")]
    """The PNG to write."""
    links: tuple[int, ...] = (3, 6, 9)
    """Lengths, side by side."""
    every: int = 15
    """Decisions between two moments."""
    moments: int = 9
    """How many moments, one below the other."""

    def run(self) -> None:
        """Draw it."""
        policy = load(self.directory, "cpu").policy
        environment = Swimmer(horizon=Swimmer().repeat * self.every * (self.moments - 1))
        figure, panels = pyplot.subplots(
            1, len(self.links), figsize=(4.2 * len(self.links), 5.2), sharex=True, sharey=True
        )
        for panel, links in zip(np.atleast_1d(panels), self.links, strict=True):
            start = environment.reset(draw(links, 1, seed=3))
            states = [start] + [transition.step.state for transition in unroll(environment, start, policy.best)]
            for index, state in enumerate(states[:: self.every]):
                points = body(state)
                points[:, 1] -= 2.5 * index + points[:, 1].mean()  # each transition on a line of its own
                color = pyplot.colormaps["viridis"](index / self.moments)
                panel.plot(*points.T, color=color, linewidth=5, solid_capstyle="round", solid_joinstyle="round")
                panel.plot(*points[0], "o", color="white", markersize=3)
            panel.set(aspect="equal", xlabel="x (m), forwards")
            panel.set_title(
                f"{links} links: {float(environment.objective(states[-1])):.0f} in {environment.horizon} steps"
            )
        seconds = self.every * environment.repeat * SECONDS
        lines = [-2.5 * index for index in range(self.moments)]
        np.atleast_1d(panels)[0].set_yticks(lines, [f"{index * seconds:.1f} s" for index in range(self.moments)])
        figure.tight_layout()
        figure.savefig(self.picture, dpi=110)


def body(state: GraphBatch) -> np.ndarray:
    """[k + 1, 2]: the ends of the links of one swimmer, from the front of its head to its tail."""
    moved = motion(state, pose_of(state))
    front, back = moved.centre + 0.5 * moved.axis, moved.centre - 0.5 * moved.axis
    order = chain_order(state)
    return torch.cat([front[order[:1]], back[order]]).numpy()


def main(command: Gaits | Table | Picture) -> None:
    torch.set_num_threads(1)
    command.run()


if __name__ == "__main__":
    main(tyro.cli(Gaits | Table | Picture, description=__doc__.splitlines()[0]))
