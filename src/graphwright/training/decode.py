"""Decoding: from a policy to solutions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Literal

import torch

from graphwright.core import GraphBatch
from graphwright.core.heap import keeping_freed_memory
from graphwright.core.numbers import require
from graphwright.core.segment import Segments, segment_argmax
from graphwright.envs.local import Local
from graphwright.envs.optimization import Optimization
from graphwright.envs.rollouts import play, repeat_each
from graphwright.envs.simultaneous import Simultaneous
from graphwright.nn import GraphPolicy
from graphwright.training.local_play import LocalPlay, play_locally, why_not_played_locally
from graphwright.training.whole_play import play_at_once, why_not_played_at_once

Decoding = Literal["greedy", "sample", "best-of", "parallel"]

LARGE = 2_000
"""From so many nodes on, what a decision changes is less work than the whole graph (measured: equal at 1,000)."""
SAMPLES = 16
"""Draws of best-of where nothing else is said."""
_HUGE = 50_000
"""From so many nodes on, the rows of a layer are more than the C library keeps when they are freed."""
_TOO_LARGE_TO_KEEP = 500_000
"""From so many nodes on, blocks above 32 MB go back to the system: kept, those of a million nodes came to 7 GB."""
_RADIUS = 1
"""Of parallel decisions, in hops (docs/large.md)."""


def require_samples(samples: int, method: Decoding) -> None:
    """Raise ValueError, naming the option, where there are none, or `method` makes one solution and does not ask."""
    require("samples", samples)
    if samples != SAMPLES and method != "best-of":
        raise ValueError(f"--samples {samples}: is for --decode best-of, not for {method}; say so, or leave it out")


def decode(
    policy: GraphPolicy,
    environment: Optimization,
    instances: GraphBatch,
    method: Decoding = "greedy",
    *,
    samples: int = SAMPLES,
    generator: torch.Generator | None = None,
) -> GraphBatch:
    """A final state for each of `instances`.

    greedy: the most probable action every time. sample: a draw every time. best-of: the cheapest of `samples` draws,
    one of which is the greedy solution, so that it is never worse than that. parallel: all nodes at once that are
    better than their neighbours and among the best of the graph, a few per cent (`Simultaneous.share`).

    Raises ValueError where decisions cannot be taken in parallel.
    """
    if method == "greedy":
        return _greedy(policy, environment, instances)
    if method == "parallel":
        return _parallel(policy, environment, instances)
    if method == "sample":
        return play(environment, instances, lambda observation: policy.act(observation, generator).action)
    if samples < 1:
        raise ValueError(f"--samples {samples}: give at least 1")
    greedy = _greedy(policy, environment, instances)
    if samples == 1:
        return greedy
    drawn = decode(policy, environment, repeat_each(instances, samples - 1), "sample", generator=generator)
    return cheapest(environment, [greedy, drawn])


def _greedy(policy: GraphPolicy, environment: Optimization, instances: GraphBatch) -> GraphBatch:
    """The most probable action every time: in large graphs one by one, where that is possible."""
    large = instances.node_segments.lengths >= LARGE
    if not bool(large.any()) or why_not_played_locally(policy, environment) is not None:
        return play(environment, instances, policy.best)
    small = play(environment, instances.select(~large), policy.best)
    one_by_one = _one_by_one(policy, environment, instances.select(large))
    order = torch.argsort(torch.cat([(~large).nonzero(), large.nonzero()]).squeeze(1))
    return GraphBatch.concat([small, one_by_one]).select(order)


@torch.no_grad()
def _parallel(policy: GraphPolicy, environment: Optimization, instances: GraphBatch) -> GraphBatch:
    """Many nodes at once, at the cost of what they change where that is possible."""
    if (reason := why_not_played_at_once(environment)) is not None:
        raise ValueError(f"--decode parallel: {reason}; take greedy")
    assert isinstance(environment, Simultaneous)
    if isinstance(environment, Local) and why_not_played_locally(policy, environment) is None:
        return _one_by_one(policy, environment, instances, lambda each: each.best_around(_RADIUS, environment.share))
    each = [instances.select(torch.tensor([graph])) for graph in range(instances.num_graphs)]
    final = [play_at_once(policy, environment, instance, _RADIUS) for instance in each]
    return GraphBatch.concat(final) if final else environment.reset(instances)


@torch.no_grad()
def _one_by_one(
    policy: GraphPolicy,
    environment: Optimization,
    instances: GraphBatch,
    choose: Callable[[LocalPlay], torch.Tensor] | None = None,
) -> GraphBatch:
    each = [instances.select(torch.tensor([graph])) for graph in range(instances.num_graphs)]
    many = instances.num_nodes >= _HUGE
    with keeping_freed_memory(above_large=instances.num_nodes < _TOO_LARGE_TO_KEEP) if many else nullcontext():
        final = [play_locally(policy, environment, instance, choose) for instance in each]
    return GraphBatch.concat(final) if final else environment.reset(instances)


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
