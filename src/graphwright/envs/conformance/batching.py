"""The graphs of a batch do not affect each other: in other company, every graph fares as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import CLOSE, ConformanceError, first_difference
from graphwright.envs.conformance.tables import Visit, seen_alone

_ALONE, _MIXED = 24, 8  # batches of one graph, and of several
_REMEDY = (
    "The graphs of a batch do not affect each other: reduce over `state.node_segments` or `state.edge_segments`, never "
    "over all rows; read a graph column by `[state.node_graph]`, never its first or largest entry."
)


def check_company(
    watched: Watched,
    batch: GraphBatch,
    whole: Mapping[str, Any],
    select: Callable[[Any, Tensor], Any],
    generator: torch.Generator,
) -> None:
    """Methods give of some graphs of `batch` what they give of all, which is `whole` by method (rows by `select`)."""
    for index in selections(batch.num_graphs, generator):
        some, names = batch.select(index), [f"graph {place}" for place in index.tolist()]
        for method, result in whole.items():
            part = watched.call(method, some, of=_company(index))
            where = first_difference(select(result, index), part, CLOSE, names.__getitem__)
            if where is not None:
                raise ConformanceError(f"{method}: among others, {where} in {_company(index)}. {_REMEDY}")


def check_visits_in_company(watched: Watched, visits: Visit, generator: torch.Generator) -> None:
    """`observe` and `step` of states from all times of many episodes, in random batches, and alone."""
    environment = watched.environment
    for index in selections(visits.episode.numel(), generator):
        expected = visits.select(environment, index)
        company = f"{_company(index)} (of states after other steps)"
        seen = watched.call("observe", expected.state, of=company)
        left, right = (seen_alone(environment, one) for one in (expected.observation, seen))
        where = first_difference(left, right, CLOSE, expected.name)
        if where is not None:
            raise ConformanceError(f"observe: among others, {where} in {company}. {_REMEDY}")
        step = watched.call("step", expected.state, expected.action, of=company)
        where = first_difference(expected.step, step, CLOSE, expected.name)
        if where is not None:
            raise ConformanceError(f"step: among others, {where} in {company}. {_REMEDY}")


def selections(count: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Places below `count`: some alone, one several times, random ones in any order, all the other way round."""
    if not count:
        return
    order = torch.randperm(count, generator=generator)
    for place in order[:_ALONE]:
        yield place.reshape(1)
    yield order[:1].expand(3).clone()
    for size in range(2, 2 + _MIXED):
        yield torch.randint(count, (size,), generator=generator)
    yield torch.arange(count).flip(0)


def _company(index: Tensor) -> str:
    return "a batch of its own" if index.numel() == 1 else f"another batch of {index.numel()}"
