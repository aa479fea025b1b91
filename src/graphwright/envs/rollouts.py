"""Whole episodes: play a batch of instances to their ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation, Step
from graphwright.core.segment import segment_sum
from graphwright.envs.environment import Environment

Choose = Callable[[Observation], Tensor]


@dataclass(frozen=True, eq=False)
class Transition:
    """One step of all episodes that are not over yet.

    episode: [A] int64, which episodes these are; state: what they were in; action: of each; step: what came of it.
    """

    episode: Tensor
    state: GraphBatch
    action: Tensor
    step: Step


def has_choice(environment: Environment, observation: Observation) -> Tensor:
    """[B] bool: whether each graph has a legal action left."""
    mask = environment.actions.arrange(observation.graph, observation.masks)
    return segment_sum(mask, environment.actions.segments(observation.graph)) > 0


def unroll(environment: Environment, states: GraphBatch, choose: Choose) -> Iterator[Transition]:
    """Step by step from `states` [B], `choose` (observation → action) deciding, until all are over.

    Graphs that are done leave the batch, so that nothing is computed for them.
    """
    episode = has_choice(environment, environment.observe(states)).nonzero().squeeze(1)
    state = states.select(episode)
    while episode.numel():
        action = choose(environment.observe(state))
        if not bool((action.isfinite() if environment.actions.continuous else action >= 0).all()):
            raise ValueError("a graph with legal actions got none: what the policy says of them is not finite")
        step = environment.step(state, action)
        yield Transition(episode, state, action, step)
        over = step.terminated | step.truncated
        state = step.state
        if over.any():
            episode, state = episode[~over], state.select(~over)


def play(environment: Environment, instances: GraphBatch, choose: Choose) -> GraphBatch:
    """The last state of each instance when `choose` decides every step."""
    start = environment.reset(instances)
    never_begun = torch.ones(start.num_graphs, dtype=torch.bool, device=start.device)
    episodes, states = [], []
    for transition in unroll(environment, start, choose):
        over = transition.step.terminated | transition.step.truncated
        never_begun[transition.episode] = False
        episodes.append(transition.episode[over])
        states.append(transition.step.state.select(over))
    episodes.append(never_begun.nonzero().squeeze(1))
    states.append(start.select(never_begun))
    return GraphBatch.concat(states).select(torch.argsort(torch.cat(episodes)))


def repeat_each(instances: GraphBatch, times: int) -> GraphBatch:
    """Each instance `times` times in a row."""
    return instances.select(torch.arange(instances.num_graphs, device=instances.device).repeat_interleave(times))
