"""Swimmers of all lengths: the search for gaits, one policy on every length, and a picture of it.

    python benchmarks/learning/locomotion.py gaits
    python benchmarks/learning/locomotion.py table RUN [RUN ...]
    python benchmarks/learning/locomotion.py picture RUN docs/images/locomotion.png
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.locomotion.gait import Wave, swim
from graphwright.envs.locomotion.swimmer import LOCOMOTION, Swimmer


def draw(links: int, count: int, seed: int) -> GraphBatch:
    return LOCOMOTION.generator(sizes=(links,))(count, torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class Gaits:
    """Search the travelling wave that swims furthest: random ones over few steps, the best of them over all."""

    links: tuple[int, ...] = (3, 4, 5, 6, 7, 8, 9)
    """Lengths, a search for each."""
    waves: int = 600
    """Random waves of each length."""
    finalists: int = 12
    """How many of them are tried again."""

    def run(self) -> None:
        for links in self.links:
            self._search(links)

    def _search(self, links: int) -> None:
        generator = torch.Generator().manual_seed(links)
        low, high = torch.tensor([0.6, 0.15, 0.3, 0.0]), torch.tensor([1.2, 1.2, 1.8, 1.0])
        drawn = low + (high - low) * torch.rand(self.waves, 4, generator=generator)
        drawn[:, 0].clamp_(max=1)
        short = mean_return(Swimmer(horizon=250), links, drawn, draws=1)
        best = drawn[short.argsort(descending=True)[: self.finalists]].round(decimals=2)
        long = mean_return(Swimmer(horizon=1000), links, best, draws=6)
        winner = int(long.argmax())
        wave = ", ".join(f"{value:.2f}" for value in best[winner].tolist())
        print(f"    {links}: ({wave}),  # {float(long[winner]):.0f}", flush=True)


def mean_return(environment: Swimmer, links: int, waves: Tensor, draws: int) -> Tensor:
    """[W]: what each of `waves` [W, 4] gives on the same `draws` swimmers."""
    instances = draw(links, draws, seed=7).select(torch.arange(draws).repeat(len(waves)))
    wave = Wave(*waves.repeat_interleave(draws, 0).unbind(1))
    final = swim(environment, instances, lambda seconds: wave.torque(instances, seconds))
    return environment.objective(final).view(-1, draws).mean(1)


def main(command: Gaits) -> None:
    torch.set_num_threads(1)
    command.run()


if __name__ == "__main__":
    main(tyro.cli(Gaits, description=__doc__.splitlines()[0]))
