"""What a step is worth to envelope Q-learning: the best that may follow, by what was learned for any preference."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.core import GraphBatch, Observation
from graphwright.distributions import PreferenceCategorical
from graphwright.functional.envelope import envelope


@torch.no_grad()
def envelope_after(batch: FlowBatch, forward: PreferenceCategorical, preferences: int) -> Tensor:
    """[R, K]: of each visited state, the envelope of Q in the state that follows; the object's rewards after the last.

    forward: what the networks say of these states. `functional.envelope.envelope` is over the preferences of that many
    trajectories, the state's own first. The value of a state where nothing is left to do is that of its object.
    """
    assert batch.rewards is not None
    segments = batch.segments
    value = envelope(values_under(batch, forward, preferences), forward.weights, forward.segments, forward.mask)
    last = segments.ptr[1:] - 1
    value = value.index_copy(0, last[batch.stuck], batch.rewards[batch.stuck])
    return torch.cat([value[1:], value[:1]]).index_copy(0, last, batch.rewards)


def values_under(batch: FlowBatch, forward: PreferenceCategorical, preferences: int) -> Tensor:
    """[P, C, K]: Q of all candidates of all visited states, under their own preference and those of P - 1 others.

    The others are those of the trajectories that stand evenly spaced after it, as far as there are any. P = 1 where
    preferences do not vary.
    """
    segments, own = batch.segments, forward.values.detach().unsqueeze(0)
    preferences = min(preferences, segments.num_groups)
    copies = preferences - 1
    if batch.prefer is None or not copies:
        return own
    trajectory = torch.arange(segments.num_groups, device=own.device)
    shift = torch.arange(1, preferences, device=own.device) * segments.num_groups // preferences
    other = (trajectory + shift.unsqueeze(1)) % segments.num_groups  # [P - 1, M]
    weights = forward.weights[segments.ptr[:-1]][other][:, segments.index]  # [P - 1, R, K]
    seen = batch.prefer(GraphBatch.concat([batch.observed.graph] * copies), weights.flatten(0, 1))
    found = batch.policy.distribution(
        Observation(seen, tuple(torch.cat([mask] * copies) for mask in batch.observed.masks))
    )
    assert isinstance(found, PreferenceCategorical)
    return torch.cat([own, found.values.view(copies, *own.shape[1:])])


def valued(batch: FlowBatch) -> PreferenceCategorical:
    """The forward distribution of all visited states, which has values of each objective."""
    forward = batch.estimate.forward
    assert isinstance(forward, PreferenceCategorical)
    return forward
