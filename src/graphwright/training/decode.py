"""Decoding: from a policy to solutions."""

from __future__ import annotations

from typing import Literal

import torch

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_argmax
from graphwright.envs.optimization import Optimization
from graphwright.envs.rollouts import play, repeat_each
from graphwright.nn import GraphPolicy

Decoding = Literal["greedy", "sample", "best-of"]


def decode(
    policy: GraphPolicy,
    environment: Optimization,
    instances: GraphBatch,
    method: Decoding = "greedy",
    *,
    samples: int = 16,
    generator: torch.Generator | None = None,
) -> GraphBatch:
    """A final state for each of `instances`.

    greedy: the most probable action every time. sample: a draw every time. best-of: the cheapest of `samples` draws,
    one of which is the greedy solution, so that it is never worse than that.
    """
    if method == "greedy":
        return play(environment, instances, policy.best)
    if method == "sample":
        return play(environment, instances, lambda observation: policy.act(observation, generator).action)
    if samples < 1:
        raise ValueError(f"--samples {samples}: give at least 1")
    greedy = play(environment, instances, policy.best)
    if samples == 1:
        return greedy
    drawn = decode(policy, environment, repeat_each(instances, samples - 1), "sample", generator=generator)
    return cheapest(environment, [greedy, drawn])


def cheapest(environment: Optimization, solutions: list[GraphBatch]) -> GraphBatch:
    """The state of least cost of each instance; every batch of `solutions` holds equally many of each, in a row."""
    num_instances = solutions[0].num_graphs
    pool = GraphBatch.concat(solutions)
    rows = torch.arange(num_instances, device=pool.device)
    places, offset = [], 0
    for batch in solutions:
        each = batch.num_graphs // max(num_instances, 1)
        places.append(offset + rows[:, None] * each + torch.arange(each, device=pool.device))
        offset += batch.num_graphs
    place = torch.cat(places, dim=1)
    candidates = Segments.from_lengths(torch.full_like(rows, place.shape[1]))
    best = segment_argmax(-environment.cost(pool)[place.flatten()], candidates)
    return pool.select(place[rows, best])
