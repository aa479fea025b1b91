"""All states of a small environment, in one numbering each, and where every action leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, Observation, relabel
from graphwright.core.carried import carry_action
from graphwright.core.distinct import graph_hashes
from graphwright.envs.generative.enumeration import StateSpace
from graphwright.envs.reversible import Move, Reversible
from graphwright.training.gflownet.remembered import Remembered

_AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class Ways:
    """Of the K candidates of all states: the state that each leads to, and the action of the other direction there.

    target, reverse: [K] int64, -1 where a candidate is not legal or finishes.
    """

    target: Tensor
    reverse: Tensor


@dataclass(frozen=True, eq=False)
class KnownStates:
    """All S states of an environment, the first of which is the initial one; `keys` as in `StateSpace`."""

    environment: Reversible
    states: GraphBatch
    keys: dict[bytes, int]
    onward: Ways
    back: Ways

    @cached_property
    def observation(self) -> Observation:
        """What a policy sees of all states, and what may be done there."""
        return self.environment.observe(self.states)

    @cached_property
    def backward_masks(self) -> tuple[Tensor, ...]:
        """What may be undone in all states."""
        return self.environment.backward_masks(self.states)

    @cached_property
    def find(self) -> Remembered:
        """From objects [B] to [B] int64: the state that each is, in whatever numbering."""
        return Remembered(
            lambda objects: torch.tensor([self.keys[key] for key in self.environment.keys(objects)], dtype=torch.int64)
        )


@torch.no_grad()
def know(environment: Reversible, space: StateSpace) -> KnownStates | None:
    """The states of `space`; None where it is not known how states that are the same object are numbered alike."""
    states, _ = _numbered(environment, space.states)
    hashes, order = graph_hashes(states).sort()
    masks, backward_masks = environment.observe(states).masks, environment.backward_masks(states)

    def ways(
        actions: ActionSpec,
        others: ActionSpec,
        masks: tuple[Tensor, ...],
        first: int,
        go: Callable[[GraphBatch, Tensor], Move],
    ) -> Ways | None:
        candidates = actions.segments(states)
        legal = actions.arrange(states, masks) & (candidates.position >= first)
        target, reverse = torch.full_like(candidates.index, -1), torch.full_like(candidates.index, -1)
        for rows in legal.nonzero().squeeze(1).split(_AT_ONCE):
            reached = go(states.select(candidates.index[rows]), candidates.position[rows])
            moved, place = _numbered(environment, reached.state)
            found = graph_hashes(moved)
            at = torch.searchsorted(hashes, found).clamp(max=hashes.numel() - 1)
            if not bool((hashes[at] == found).all()):
                return None
            target[rows] = order[at]
            reverse[rows] = carry_action(others, reached.state, moved, place, reached.reverse)
        return Ways(target, reverse)

    actions, backward_actions = environment.actions, environment.backward_actions
    onward = ways(actions, backward_actions, masks, int(environment.has_stop), environment.advance)
    back = ways(backward_actions, actions, backward_masks, 0, environment.undo)
    if onward is None or back is None:
        return None
    return KnownStates(environment, states, space.keys, onward, back)


def _numbered(environment: Reversible, states: GraphBatch) -> tuple[GraphBatch, Tensor]:
    """`states` in the numbering of `Reversible.numbering`, and where each node is there, [N] over the union."""
    local = environment.numbering(states)
    if local is None:
        return states, torch.arange(states.num_nodes)
    place = local + states.node_ptr[:-1][states.node_graph]
    return relabel(states, place), place
