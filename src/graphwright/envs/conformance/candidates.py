"""What masks allow: every legal candidate can be played, and does something."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum, segment_topk
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ConformanceError
from graphwright.envs.conformance.forms import check_observation, check_step
from graphwright.envs.conformance.tables import Visit

_STATES, _EACH = 80, 8


def check_candidates(watched: Watched, visits: Visit, generator: torch.Generator) -> None:
    """Play some legal candidates of some states: each gives a valid step, and changes the state or ends the episode."""
    environment = watched.environment
    if environment.actions.continuous or not environment.actions.one_per_graph:
        return
    some = visits.select(environment, torch.arange(min(_STATES, visits.episode.numel())))
    graph = some.observation.graph
    mask, segments = environment.actions.arrange(graph, some.observation.masks), environment.actions.segments(graph)
    noise = torch.rand(mask.shape, generator=generator).masked_fill(~mask, -1)
    action = segment_topk(noise, segments, _EACH)
    legal = (action >= 0) & mask[(segments.ptr[:-1, None] + action).clamp(min=0, max=max(mask.numel() - 1, 0))]
    row, column = legal.nonzero().unbind(1)
    state, action = some.state.select(row), action[row, column]
    step = watched.call("step", state, action, of="a batch of one state with several legal actions")
    check_step(environment, state, step)
    check_observation(environment, watched.call("observe", step.state), step.state.num_graphs)
    idle = (unchanged(state, step.state) & ~step.terminated & ~step.truncated).nonzero()
    if idle.numel():
        place = int(idle[0])
        choice = environment.actions.locate(graph.select(row[place : place + 1]), action[place : place + 1])
        block = environment.actions.blocks[int(choice.block)]
        raise ConformanceError(
            f"observe: the mask of {block.name!r} allows row {int(choice.row)} of {block.rows.name} in "
            f"{some.name(int(row[place]))}, which changes nothing in the state "
            "and does not end the episode (has it been chosen before?). Mask out what has no effect; where doing "
            "nothing is meant, let a column such as `time` tell the states apart."
        )


def unchanged(before: GraphBatch, after: GraphBatch) -> Tensor:
    """[B] bool: whether each graph and all its columns are as they were."""
    same = before.node_segments.lengths == after.node_segments.lengths
    same &= before.edge_segments.lengths == after.edge_segments.lengths
    rows = same.nonzero().squeeze(1)
    one, other = before.select(rows), after.select(rows)
    moved = torch.zeros(rows.numel(), dtype=torch.bool)
    moved |= segment_sum((one.edge_index != other.edge_index).any(0), one.edge_segments) > 0
    for table, segments in (("nodes", one.node_segments), ("edges", one.edge_segments)):
        for name, column in getattr(one, table).items():
            moved |= segment_sum(_apart(column, getattr(other, table)[name]), segments) > 0
    for name, column in one.graphs.items():
        moved |= _apart(column, other.graphs[name])
    return same.index_put((rows,), ~moved)


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """[rows] bool: where two columns differ; NaN is NaN."""
    wrong = one != other
    if one.is_floating_point():
        wrong &= ~(one.isnan() & other.isnan())
    return wrong.reshape(len(wrong), wrong.shape[1:].numel()).any(1)
