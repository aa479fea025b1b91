"""Renumbering nodes renumbers what is seen and done, and changes nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation, Segments, relabel
from graphwright.core.carried import carry_action, carry_decisions, carry_masks
from graphwright.core.rows import AT
from graphwright.core.segment import inverse
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import CLOSE, ConformanceError, first_difference
from graphwright.envs.conformance.tables import seen_alone
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import has_choice
from graphwright.envs.team import has_own_reward

_STEPS = 40  # of an episode that is played in two numberings
_REMEDY = (
    "Nodes and edges have no names: what is computed of one depends on columns and links, never on its place in the "
    "graph. Where a number means something (the first node, an axis), put it into a column of the instance."
)


def check_renumbering(
    watched: Watched, instances: GraphBatch, numbers: Iterable[str], generator: torch.Generator
) -> None:
    """Random episodes of `instances` in their own and in other numberings, the same in all that is seen and done.

    numbers: methods from states [B] to tensors [B], which do not depend on numbers either.

    Three other numberings side by side: all nodes the other way round, and twice any order. Where observations leave
    nodes out, it is known of the first alone where the others have gone.
    """
    copies = instances.select(torch.arange(instances.num_graphs).repeat(3))
    segments = instances.node_segments
    local = [_backwards(segments), _shuffled(segments, generator), _shuffled(segments, generator)]
    if not _play_both(watched, copies, torch.cat(local), numbers, generator, backwards=False):
        _play_both(watched, instances, local[0], numbers, generator, backwards=True)


def renumbered(graph: GraphBatch, local: Tensor) -> GraphBatch:
    """`graph` with each node at `local` [N] of its graph; columns that name opposite edges follow them."""
    moved = relabel(graph, _union(graph, local))
    for name in _opposites(graph):
        moved = moved.with_edges(
            **{name: relabel(graph.with_edges(reverse=graph.edges[name]), _union(graph, local)).edges["reverse"]}
        )
    at = graph.graphs.get(AT)
    return moved if at is None else moved.with_graphs(**{AT: local[graph.node_ptr[:-1] + at]})


def _play_both(
    watched: Watched,
    instances: GraphBatch,
    local: Tensor,
    numbers: Iterable[str],
    generator: torch.Generator,
    backwards: bool,
) -> bool:
    """Whether they could be compared to the end; not where it is not known which nodes are seen."""
    environment, choose, other_batch = (
        watched.environment,
        random_choice(watched.environment, generator),
        "renumbered graphs",
    )
    one, other = watched.call("reset", instances), watched.call("reset", renumbered(instances, local), of=other_batch)
    for time in range(_STEPS):
        if one.num_nodes != local.numel():
            return True  # nodes come and go: whose place is whose is not known
        for method in numbers:
            left, right = watched.call(method, one), watched.call(method, other, of=other_batch)
            _require_same(method, "", left, right, time)
        seen, twin = watched.call("observe", one), watched.call("observe", other, of=other_batch)
        in_view = _in_view(one, seen.graph, local, backwards)
        going = has_choice(environment, seen).nonzero().squeeze(1)
        if in_view is None or not going.numel():
            return in_view is not None
        graph, place = renumbered(seen.graph, in_view), _union(seen.graph, in_view)
        expected = Observation(graph, carry_masks(environment.actions, seen.graph, graph, place, seen.masks))
        _require_same("observe", "", seen_alone(environment, expected), seen_alone(environment, twin), time)
        action = choose(seen)
        spec, going_on = environment.actions, seen.graph.select(going)
        view = in_view[seen.graph.node_segments.select(going)[1]]
        moved = carry_action(spec, seen.graph, graph, place, action)
        action = spec.select(seen.graph, action, going)
        moved = spec.select(twin.graph, moved, going)
        local = local[one.node_segments.select(going)[1]]
        one, other = one.select(going), other.select(going)
        left, right = watched.call("step", one, action), watched.call("step", other, moved, of=other_batch)
        earned = left.reward
        if has_own_reward(environment):
            earned = carry_decisions(spec, going_on, renumbered(going_on, view), _union(going_on, view), earned)
        _require_same("step", "reward: ", earned, right.reward, time)
        for name in ("terminated", "truncated"):
            _require_same("step", f"{name}: ", getattr(left, name), getattr(right, name), time)
        going = (~(left.terminated | left.truncated)).nonzero().squeeze(1)
        if left.state.num_nodes == local.numel():
            local = local[left.state.node_segments.select(going)[1]]
        one, other = left.state.select(going), right.state.select(going)
    return True


def _require_same(method: str, what: str, left: object, right: object, time: int) -> None:
    where = first_difference(left, right, CLOSE)
    if where is not None:
        raise ConformanceError(
            f"{method} depends on how nodes are numbered: {what}{where} when they are renumbered "
            f"(step {time}). {_REMEDY}"
        )


def _in_view(state: GraphBatch, seen: GraphBatch, local: Tensor, backwards: bool) -> Tensor | None:
    """Where the nodes of an observation go; of one that leaves some out and keeps the order of the others, only if that
    is turned round."""
    if torch.equal(state.node_ptr, seen.node_ptr):
        return local
    return _backwards(seen.node_segments) if backwards else None


def _backwards(segments: Segments) -> Tensor:
    return segments.lengths[segments.index] - 1 - segments.position


def _shuffled(segments: Segments, generator: torch.Generator) -> Tensor:
    key = segments.index + torch.rand(segments.num_rows, generator=generator, dtype=torch.float64)
    return inverse(torch.argsort(key)) - segments.ptr[:-1][segments.index]


def _union(graph: GraphBatch, local: Tensor) -> Tensor:
    return local + graph.node_ptr[:-1][graph.node_graph]


def _opposites(graph: GraphBatch) -> list[str]:
    """The edge columns, besides `reverse`, that name the opposite edge of each."""
    start, names = graph.edge_ptr[:-1][graph.edge_graph], []
    for name, column in graph.edges.items():
        if name == "reverse" or column.dtype != torch.int64 or column.dim() != 1 or not graph.num_edges:
            continue
        rows = column + start
        inside = bool(((column >= 0) & (column < graph.edge_segments.lengths[graph.edge_graph])).all())
        if inside and torch.equal(graph.edge_index[:, rows].flip(0), graph.edge_index):
            names.append(name)
    return names
