"""Whole episodes: the loop that plays them until all are over, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, Observation, Step
from graphwright.core.segment import Segments, segment_argmax, segment_sample
from graphwright.envs.environment import Environment
from graphwright.envs.team import graph_reward

Choose = Callable[[Observation], Tensor]


class LeadsOn(Protocol):
    """What a step came to: a `Step`, or a `Move` of a reversible environment."""

    @property
    def state(self) -> GraphBatch:
        """The next state."""


Outcome = TypeVar("Outcome", bound=LeadsOn)
OutcomeOrNone = TypeVar("OutcomeOrNone", covariant=True)


@dataclass(frozen=True, eq=False)
class Transition(Generic[OutcomeOrNone]):
    """One step of all episodes that are not over yet.

    episode: [A] int64, which episodes these are; state: what they are in; action: of each; step: what came of it, of
    those episodes, in order, that were not finished by their action alone.
    """

    episode: Tensor
    state: GraphBatch
    action: Tensor
    step: OutcomeOrNone


def until_done(
    states: GraphBatch,
    act: Callable[[Tensor, GraphBatch], Tensor],
    step: Callable[[GraphBatch, Tensor], Outcome],
    *,
    finishes: Callable[[Tensor], Tensor] | None = None,
    ends: Callable[[Outcome], Tensor] | None = None,
) -> Iterator[Transition[Outcome | None]]:
    """The one loop that plays episodes from `states` [B] until all are over, and holds no state but the last two.

    act: episodes [A] and their states [A] → an action each. step: states and actions → what came of them.
    finishes: actions → [A] bool, which of them end their episodes without a step; None: none of them. ends: what came
    of steps → [A] bool, which episodes are over; None: none of them. Episodes that are over leave the batch, so that
    nothing is computed for them. Of a transition in which all actions finish, `step` is None.
    """
    episode, state = torch.arange(states.num_graphs, device=states.device), states
    while alive := episode.numel():
        action = act(episode, state)
        before = episode, state, action
        if finishes is not None:
            goes_on = (~finishes(action)).nonzero().squeeze(1)
            if (left := goes_on.numel()) < alive:
                alive = left
                episode, action = episode.index_select(0, goes_on), action.index_select(0, goes_on)
                state = state.select(goes_on)
        following = step(state, action) if alive else None
        yield Transition(*before, following)
        if following is None:
            return
        state = following.state
        if ends is not None and bool((over := ends(following)).any()):
            episode, state = episode[~over], state.select(~over)


@dataclass(frozen=True, eq=False)
class EpisodeStep(Transition[Step]):
    """A transition of episodes of an environment.

    graphs: the decisions of each graph (D → A). reward: [A] float32, of each graph, that of its deciders added up.
    """

    graphs: Segments
    reward: Tensor


def is_over(step: Step) -> Tensor:
    """[B] bool: whether an episode ended by its own rules or was cut short."""
    return step.terminated | step.truncated


def has_choice(environment: Environment, observation: Observation) -> Tensor:
    """[B] bool: whether each graph has a legal action left."""
    able = environment.actions.able(observation.graph, observation.masks)
    return environment.actions.joint(observation.graph, able) > 0


def unroll(environment: Environment, states: GraphBatch, choose: Choose) -> Iterator[EpisodeStep]:
    """Step by step from `states` [B], `choose` (observation → action) deciding, until all are over."""
    begun = has_choice(environment, environment.observe(states)).nonzero().squeeze(1)
    graphs: Segments

    def act(_: Tensor, state: GraphBatch) -> Tensor:
        nonlocal graphs
        observation = environment.observe(state)
        graphs = environment.actions.deciders(observation.graph)
        action = choose(observation)
        _require_actions(environment, observation, action)
        return action

    for transition in until_done(states.select(begun), act, environment.step, ends=is_over):
        assert transition.step is not None
        step = transition.step
        reward = graph_reward(environment, step.reward, graphs)
        yield EpisodeStep(begun[transition.episode], transition.state, transition.action, step, graphs, reward)


def _require_actions(environment: Environment, observation: Observation, action: Tensor) -> None:
    """Raise ValueError where a decision with legal candidates got none."""
    chosen = action.isfinite().all(1) if environment.actions.continuous else action >= 0
    if bool(chosen.all()):
        return
    if bool((environment.actions.able(observation.graph, observation.masks) & ~chosen).any()):
        raise ValueError("a graph with legal actions got none: what the policy says of them is not finite")


def play(environment: Environment, instances: GraphBatch, choose: Choose) -> GraphBatch:
    """The last state of each instance when `choose` decides every step."""
    start = environment.reset(instances)
    return _last(start, ((step.episode, step.step) for step in unroll(environment, start, choose)))


def play_by(environment: Environment, instances: GraphBatch, act: Callable[[GraphBatch], Tensor]) -> GraphBatch:
    """The last state of each instance when `act` (states → actions) decides every step."""
    start = environment.reset(instances)
    begun = has_choice(environment, environment.observe(start)).nonzero().squeeze(1)
    steps = until_done(start.select(begun), lambda _, state: act(state), environment.step, ends=is_over)
    return _last(start, ((begun[step.episode], step.step) for step in steps))


def carry_out(environment: Environment, instances: GraphBatch, actions: Tensor) -> GraphBatch:
    """The last state of each instance when the `actions` [T, B] are taken, a row a step, as long as its episode lasts.

    Instances whose actions begin with -1 take none.
    """
    start = environment.reset(instances)
    begun = (actions[:1] >= 0).any(0).nonzero().squeeze(1)
    rows = iter(actions)
    steps = until_done(start.select(begun), lambda some, _: next(rows)[begun[some]], environment.step, ends=is_over)
    return _last(start, ((begun[step.episode], step.step) for step in steps))


def _last(start: GraphBatch, steps: Iterable[tuple[Tensor, Step | None]]) -> GraphBatch:
    """The last state of each episode of `start` [B]; steps: which episodes took one, and what came of it."""
    never_begun = torch.ones(start.num_graphs, dtype=torch.bool, device=start.device)
    episodes, states = [], []
    for episode, step in steps:
        assert step is not None
        over = is_over(step).nonzero().squeeze(1)
        if over.numel():
            episodes.append(episode[over])
            states.append(step.state.select(over))
            never_begun[episodes[-1]] = False
    episodes.append(never_begun.nonzero().squeeze(1))
    states.append(start.select(never_begun))
    return GraphBatch.concat(states).select(torch.argsort(torch.cat(episodes)))


def take_best(observation: Observation, score: Tensor) -> Tensor:
    """[B] int64: the legal node of greatest `score` [N], the first of equals; -1 where there is none."""
    (legal,) = observation.masks
    return segment_argmax(score.masked_fill(~legal, -torch.inf), observation.graph.node_segments)


def uniform_choice(actions: ActionSpec, generator: torch.Generator) -> Choose:
    """The policy that draws every legal action with the same probability, -1 where nothing is legal."""

    def real_numbers(observation: Observation) -> Tensor:
        shape = (observation.masks[0].numel(), actions.blocks[0].columns)
        drawn = torch.rand(shape, generator=generator, device=generator.device) * 2 - 1
        return drawn.masked_fill(~observation.masks[0].unsqueeze(1), 0)

    def choose(observation: Observation) -> Tensor:
        mask = actions.arrange(observation.graph, observation.masks)
        logits = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -torch.inf)
        return segment_sample(logits, actions.segments(observation.graph), generator)

    return real_numbers if actions.continuous else choose


def repeat_each(instances: GraphBatch, times: int) -> GraphBatch:
    """Each instance `times` times in a row."""
    return instances.select(torch.arange(instances.num_graphs, device=instances.device).repeat_interleave(times))
