"""Trajectories of a reversible environment, sampled forward to objects and backward from them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.data.trajectories import Trajectories
from graphwright.envs.reversible import Move, Reversible
from graphwright.envs.rollouts import Choose, Transition, until_done


def sample_forward(environment: Reversible, instances: GraphBatch, choose: Choose) -> Trajectories:
    """One object of each of `instances`, `choose` deciding every step."""
    return sample_onward(environment, environment.reset(instances), choose)


@torch.no_grad()
def sample_onward(environment: Reversible, states: GraphBatch, choose: Choose) -> Trajectories:
    """From each of `states` [B] to an object, `choose` deciding every step. The first rows are those of `states`."""
    first_move = int(environment.has_stop)
    transitions = until_done(
        states,
        lambda _, state: choose(environment.observe(state)),
        environment.advance,
        finishes=lambda action: action < first_move,
    )
    seen = _Seen(environment.given(states))
    forward, backward = seen.all_of(transitions, -1)
    return Trajectories.of(seen.episodes, seen.states, torch.cat(forward), torch.cat(backward), seen.given)


@torch.no_grad()
def sample_backward(environment: Reversible, objects: GraphBatch, choose: Choose) -> Trajectories:
    """A trajectory that ends in each of `objects`, `choose` deciding every step back."""
    transitions = until_done(
        objects,
        lambda _, state: choose(environment.observe_backward(state)),
        environment.undo,
        finishes=lambda action: action < 0,
    )
    seen = _Seen(environment.given(objects))
    backward, forward = seen.all_of(transitions, 0 if environment.has_stop else -1)
    episodes, states = seen.episodes[::-1], seen.states[::-1]
    return Trajectories.of(episodes, states, torch.cat(forward[::-1]), torch.cat(backward[::-1]), seen.given)


@torch.no_grad()
def sample_neighbours(
    environment: Reversible, objects: GraphBatch, share: float, back: Choose, choose: Choose
) -> GraphBatch:
    """Other objects, made by taking a `share` of the steps to `objects` back and going forward again."""
    backward = sample_backward(environment, objects, back)
    steps = (backward.segments.lengths.sub(1) * share).ceil().long()
    kept = backward.segments.ptr[1:] - 1 - steps  # the row of the state that is left of each
    return sample_onward(environment, backward.table.select(kept), choose).objects


class _Seen:
    """Which episodes were in which states, step by step; of states without their edges, where these are `given`."""

    def __init__(self, given: GraphBatch | None) -> None:
        self.given = given
        self.episodes: list[Tensor] = []
        self.states: list[GraphBatch] = []

    def all_of(self, transitions: Iterator[Transition[Move | None]], first: int) -> tuple[list[Tensor], list[Tensor]]:
        """The actions [A] of each step, and those of the other direction [A] that lead back from it, `first` at first.

        Remembers who was where.
        """
        actions: list[Tensor] = []
        reverse: list[Tensor] = []
        for transition in transitions:
            self.episodes.append(transition.episode)
            self.states.append(self._stored(transition.state))
            actions.append(transition.action)
            if not reverse:
                reverse.append(torch.full_like(transition.action, first))
            if transition.step is not None:
                reverse.append(transition.step.reverse)
        return actions, reverse

    def _stored(self, state: GraphBatch) -> GraphBatch:
        if self.given is None:
            return state
        none = state.edge_index.new_empty(2, 0)
        return GraphBatch(none, state.node_ptr, torch.zeros_like(state.edge_ptr), state.nodes, {}, state.graphs)
