"""What every environment that builds molecules keeps to, on all of its states where they are few, or on random ones."""

from __future__ import annotations

from collections import Counter

import torch

from graphwright.core import GraphBatch, relabel
from graphwright.core.segment import segment_sample, segment_sum
from graphwright.envs.generative.enumeration import StateSpace
from graphwright.envs.generative.environment import blank
from graphwright.envs.reversible import Reversible
from strategies import assert_same


def assert_exact(environment: Reversible, space: StateSpace) -> None:
    """Every step out of every state is taken back and the other way round, and symmetries make up the difference.

    Forward candidates from s to t times |Aut t| are as many as backward candidates from t to s times |Aut s| (Kim, Lee
    and Oh 2025): the masks of both directions and the automorphisms hold each other.
    """
    states = space.states
    symmetries = environment.log_automorphisms(states).exp().round()
    level = torch.searchsorted(space.level_ptr, torch.arange(space.num_states), right=True)
    row, position = _forward(space)
    move = environment.advance(states.select(row), position)
    assert_legal(environment, move.state, move.reverse)
    parent = environment.undo(move.state, move.reverse)
    assert [space.keys[key] for key in environment.keys(parent.state)] == row.tolist()
    again = environment.keys(environment.advance(parent.state, parent.reverse).state)
    assert [space.keys[key] for key in again] == space.target.tolist()
    forth = Counter(zip(row.tolist(), space.target.tolist(), strict=True))

    legal = environment.backward_actions.arrange(states, environment.backward_masks(states))
    segments = environment.backward_actions.segments(states)
    assert_same(segment_sum(legal, segments) > 0, torch.arange(space.num_states) > 0)
    row, position = segments.index[legal], segments.position[legal]
    move = environment.undo(states.select(row), position)
    assert_legal(environment, move.state, move.reverse, forward=True)
    before = torch.tensor([space.keys[key] for key in environment.keys(move.state)])
    assert_same(level[before] + 1, level[row])  # and so taking back ends in the only state of the first level
    again = environment.keys(environment.advance(move.state, move.reverse).state)
    assert [space.keys[key] for key in again] == row.tolist()
    back = Counter(zip(before.tolist(), row.tolist(), strict=True))

    assert forth.keys() == back.keys()
    for (one, other), count in forth.items():
        assert count * symmetries[other] == back[one, other] * symmetries[one]


def assert_legal(environment: Reversible, state: GraphBatch, action: torch.Tensor, *, forward: bool = False) -> None:
    spec = environment.actions if forward else environment.backward_actions
    legal = spec.arrange(state, environment.observe(state).masks if forward else environment.backward_masks(state))
    assert bool(legal[spec.segments(state).ptr[:-1] + action].all())


def built(environment: Reversible, count: int, seed: int = 0, stop: float = 0.02) -> GraphBatch:
    """Objects of random actions, `stop` of one being stopping against 1 for each other candidate; none is empty."""
    generator = torch.Generator().manual_seed(seed)
    state, finished = environment.reset(blank(count)), []
    while state.num_graphs:
        legal = environment.actions.arrange(state, environment.observe(state).masks)
        segments = environment.actions.segments(state)
        logits = torch.where(segments.position == 0, torch.tensor(stop).log(), 0.0)
        action = segment_sample(logits.masked_fill(~legal, -torch.inf), segments, generator)
        assert bool((action >= 0).all())
        finished.append(state.select(action == 0))
        state, action = state.select(action > 0), action[action > 0]
        if state.num_graphs:
            state = environment.advance(state, action).state
    return GraphBatch.concat(finished)


def renumbered(state: GraphBatch, seed: int = 0) -> GraphBatch:
    """The same objects with their nodes in another order."""
    generator = torch.Generator().manual_seed(seed)
    order = [torch.randperm(size, generator=generator) for size in state.node_segments.lengths.tolist()]
    return relabel(state, torch.cat(order) + state.node_ptr[:-1][state.node_graph])


def _forward(space: StateSpace) -> tuple[torch.Tensor, torch.Tensor]:
    return space.source, space.candidates.position[space.move]
