"""What flows into a state: the sum over all of its parents, for flow matching."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.core.segment import Segments, segment_logsumexp


def log_inflow(batch: FlowBatch, rows: Tensor) -> Tensor:
    """[S]: log Σ F(parent → s) over the parents of the states where `rows` [R] bool is true.

    One pass over all parents. Where several backward actions lead to one parent, each has its own forward action.
    """
    states = batch.trajectories.states.select(rows)
    actions = batch.policy.backward_actions
    legal = actions.arrange(states, batch.backward_masks(states))
    candidates = actions.segments(states)
    ways = legal.nonzero().squeeze(1)
    child = candidates.index[ways]
    parents, forward = batch.undo(states.select(child), candidates.position[ways])
    distribution = batch.policy.distribution(batch.observe(parents))
    log_flow = distribution.logits[distribution.segments.ptr[:-1] + forward]
    return segment_logsumexp(log_flow, Segments.from_lengths(torch.bincount(child, minlength=states.num_graphs)))
