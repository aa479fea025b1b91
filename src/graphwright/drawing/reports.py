"""Pictures of what a sampler does: `graphwright evaluate RUN --pictures FOLDER`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.drawing.distributions import LARGE, plot_distribution, plot_grid, plot_pareto, plot_rewards
from graphwright.drawing.objects import draw_graphs, draw_molecules
from graphwright.drawing.style import save_figure
from graphwright.envs.generation import Reward
from graphwright.envs.generative.context import TYPE
from graphwright.envs.generative.edge_sets import PRESENT
from graphwright.envs.generative.enumeration import StateSpace
from graphwright.envs.generative.grid import COORDINATE, HyperGrid
from graphwright.envs.generative.many_objectives import ManyObjectives
from graphwright.envs.generative.surgery import keep_edges
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 24
_LARGEST_DRAWN = 60
_SMALL = 1e-3


@dataclass(frozen=True, eq=False)
class SampledDistribution:
    """Of an enumerated environment: all states [S], the probability that each is sampled and its share R / Z, [S]."""

    space: StateSpace
    sampled: Tensor
    target: Tensor


def save_figures(
    task: Problem,
    environment: Reversible,
    reward: Reward,
    objects: GraphBatch,
    measures: Tensor,
    random: Tensor,
    distribution: SampledDistribution | None,
    folder: Path,
) -> list[Path]:
    """Write what can be drawn into `folder`, which is made if need be; the files.

    objects: [B] that the sampler built, with their measures [B, K]; random: [B], log R of objects that were built by
    uniform random choice.
    """
    log_reward = reward.combine(measures, objects)
    figures = {"rewards": plot_rewards({"sampler": log_reward.numpy(), "random": random.numpy()})}
    order = log_reward.argsort(descending=True, stable=True)
    keys = environment.keys(objects)
    different = {keys[row]: row for row in reversed(order.tolist())}  # of each the first
    best = torch.tensor([row for row in order.tolist() if different[keys[row]] == row][:_SHOWN])
    captions = [caption(value) for value in log_reward[best].tolist()]
    sheet = draw_objects(task, environment, objects.select(best), captions)
    figures |= {"best": sheet} if sheet is not None else {}
    if distribution is not None:
        figures["distribution"] = draw_distribution(environment, distribution)
    if isinstance(reward, ManyObjectives):
        figures["objectives"] = plot_pareto(measures.numpy(), reward.names)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.png" for name in figures]
    for path, figure in zip(paths, figures.values(), strict=True):
        save_figure(figure, path)
    return paths


def caption(log_reward: float) -> str:
    """R, or log R where R is 1e6 or more, or less than 1e-3."""
    if math.log(_SMALL) <= log_reward < math.log(LARGE):
        return f"R {math.exp(log_reward):.3g}"
    return f"log R {log_reward:.1f}"


def draw_objects(task: Problem, environment: Reversible, objects: GraphBatch, captions: list[str]) -> Figure | None:
    """A grid of molecules or graphs; None for objects that are neither small graphs nor molecules."""
    if task.sampled.pictures is not None:
        return draw_molecules(task.sampled.pictures(environment, objects), captions)
    if isinstance(environment, HyperGrid) or int(objects.node_segments.lengths.max()) > _LARGEST_DRAWN:
        return None
    named = PRESENT in objects.edges
    if named:
        objects = keep_edges(objects, objects.edges[PRESENT])
    return draw_graphs(objects, captions, node_type=TYPE if TYPE in objects.nodes else None, numbered=named)


def draw_distribution(environment: Reversible, distribution: SampledDistribution) -> Figure:
    """What is sampled against what is wanted: heat maps of a two-dimensional grid, bars of anything else."""
    space, sampled, target = distribution.space, distribution.sampled, distribution.target
    if isinstance(environment, HyperGrid) and environment.dimensions == 2:
        cells = space.states.nodes[COORDINATE].view(-1, 2)
        side = environment.side
        tables = [torch.zeros(side, side, dtype=torch.float64) for _ in range(2)]
        for table, probability in zip(tables, (target, sampled), strict=True):
            table[cells[:, 0], cells[:, 1]] = probability
        return plot_grid({"target": tables[0].numpy(), "sampler": tables[1].numpy()})
    finished = space.may_finish
    return plot_distribution(target[finished].numpy(), {"sampler": sampled[finished].numpy()})
