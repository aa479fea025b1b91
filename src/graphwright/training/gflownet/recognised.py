"""States of trajectories that are the same object in other numberings, made the same."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, relabel
from graphwright.core.carried import carry_candidates
from graphwright.core.distinct import distinct_graphs
from graphwright.data.states import SharedStates, WholeStates
from graphwright.data.trajectories import Trajectories
from graphwright.envs.reversible import Reversible


@torch.no_grad()
def recognised(environment: Reversible, trajectories: Trajectories) -> Trajectories:
    """The same trajectories with one numbering for all states that are the same object; actions are renumbered alike.

    What a policy says does not depend on the numbering, so an object that is visited many times is seen once.
    """
    if not isinstance(trajectories.table, WholeStates):
        return trajectories
    seen, which = trajectories.distinct_states, trajectories.distinct.which
    local = environment.numbering(seen)
    if local is None:
        return trajectories
    place = local + seen.node_ptr[:-1][seen.node_graph]
    moved = relabel(seen, place)
    same = distinct_graphs(moved)

    def carried(actions: ActionSpec, action: Tensor) -> Tensor:
        return _carried(actions, seen, moved, place, which, action)

    return Trajectories(
        SharedStates(moved.select(same.rows), same.which[which]),
        trajectories.segments,
        carried(environment.actions, trajectories.forward),
        carried(environment.backward_actions, trajectories.backward),
    )


def _carried(
    actions: ActionSpec, graph: GraphBatch, moved: GraphBatch, place: Tensor, which: Tensor, action: Tensor
) -> Tensor:
    """[R]: each `action` [R], of the graph at `which` [R], as it is in `moved`; -1 stays."""
    candidates = carry_candidates(actions, graph, moved, place)
    begin = actions.segments(graph).ptr[:-1][which]
    if not candidates.numel():
        return action
    return torch.where(action < 0, -1, candidates[(begin + action).clamp(min=0)] - begin)
