"""Walks: objects that are built, taken apart, and built anew, step by step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.data.trajectories import Trajectories
from graphwright.envs.generative.environment import FlowEnvironment

Choose = Callable[[GraphBatch], Tensor]
"""From states [A] to one action each, -1 where nothing is to choose."""


def build(environment: FlowEnvironment, instances: GraphBatch, choose: Choose) -> Trajectories:
    """One object of each of `instances`, `choose` deciding every step."""
    return go_on(environment, environment.reset(instances), choose)


@torch.no_grad()
def go_on(environment: FlowEnvironment, state: GraphBatch, choose: Choose) -> Trajectories:
    """From each state [B] to an object, `choose` deciding every step. The first rows are those of `state`."""
    walker, given = torch.arange(state.num_graphs, device=state.device), environment.given(state)
    reverse = torch.full_like(walker, -1)
    walkers, states, forward, backward = [], [], [], []
    while walker.numel():
        action = choose(state)
        walkers.append(walker)
        states.append(_remembered(state, given))
        forward.append(action)
        backward.append(reverse)
        goes_on = (action > 0 if environment.has_stop else action >= 0).nonzero().squeeze(1)
        if goes_on.numel() < walker.numel():
            walker, state, action = walker[goes_on], state.select(goes_on), action[goes_on]
        if walker.numel():
            state, reverse = environment.step(state, action)
    return Trajectories.of(walkers, states, torch.cat(forward), torch.cat(backward), given)


@torch.no_grad()
def take_apart(environment: FlowEnvironment, objects: GraphBatch, choose: Choose) -> Trajectories:
    """A trajectory that ends in each of `objects`, `choose` deciding every step back."""
    state, given = objects, environment.given(objects)
    walker = torch.arange(state.num_graphs, device=state.device)
    forward_action = torch.full_like(walker, 0 if environment.has_stop else -1)
    walkers, states, forward, backward = [], [], [], []
    while walker.numel():
        action = choose(state)
        walkers.append(walker)
        states.append(_remembered(state, given))
        forward.append(forward_action)
        backward.append(action)
        goes_on = (action >= 0).nonzero().squeeze(1)
        if goes_on.numel() < walker.numel():
            walker, state, action = walker[goes_on], state.select(goes_on), action[goes_on]
        if walker.numel():
            state, forward_action = environment.undo(state, action)
    forward_back, backward_back = torch.cat(forward[::-1]), torch.cat(backward[::-1])
    return Trajectories.of(walkers[::-1], states[::-1], forward_back, backward_back, given)


@torch.no_grad()
def rebuild(
    environment: FlowEnvironment, objects: GraphBatch, share: float, back: Choose, choose: Choose
) -> GraphBatch:
    """Other objects, made by taking a `share` of the steps to `objects` back and going forward again."""
    apart = take_apart(environment, objects, back)
    steps = (apart.segments.lengths.sub(1) * share).ceil().long()
    kept = apart.segments.ptr[1:] - 1 - steps  # the row of the state that is left of each
    return go_on(environment, apart.table.select(kept), choose).objects


def _remembered(state: GraphBatch, given: GraphBatch | None) -> GraphBatch:
    """What a walk has to keep of `state`: not its edges, where they are `given`."""
    if given is None:
        return state
    none = state.edge_index.new_empty(2, 0)
    return GraphBatch(none, state.node_ptr, torch.zeros_like(state.edge_ptr), state.nodes, {}, state.graphs)
