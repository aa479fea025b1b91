"""Random episodes under watch: the form of every step, and where an episode ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ConformanceError
from graphwright.envs.conformance.forms import check_graph, check_kept, check_observation, check_step
from graphwright.envs.conformance.tables import Visit, concat_visits, select_observation
from graphwright.envs.endless import Endless
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import has_choice
from graphwright.envs.team import graph_reward

_FIRST = 12  # steps from the beginning that are all kept; later ones are thinned out
_ROWS = 400  # visits that are looked at again
_LONG = 300  # steps after which one episode is played to its end first
_ENDLESS = 60  # steps that are played of what never ends


@dataclass(frozen=True, eq=False)
class PlayedEpisodes:
    """What random episodes [B] came to.

    start, final: the first and the last states [B]; total: [B] float64, the sum of the rewards; ended: [B] bool, those
    that the environment itself terminated; visits: some of the states on the way, None where nothing was to be decided.
    """

    start: GraphBatch
    final: GraphBatch
    total: Tensor
    ended: Tensor
    visits: Visit | None


def check_episodes(
    watched: Watched, instances: GraphBatch, origin: Tensor, generator: torch.Generator, max_steps: int
) -> PlayedEpisodes:
    """Play `instances` at random to their ends, and raise ConformanceError where a step is not one.

    What is `Endless` is played for some steps.

    origin: [B] int64, what to call each of them.
    """
    environment = watched.environment
    start = check_start(watched, instances)
    observation = watched.call_again("observe", start)
    check_observation(environment, observation, start.num_graphs)
    total = torch.zeros(start.num_graphs, dtype=torch.float64)
    ended = torch.zeros(start.num_graphs, dtype=torch.bool)
    begun = has_choice(environment, observation)
    episodes, finals, kept = [(~begun).nonzero().squeeze(1)], [start.select(~begun)], []
    endless = isinstance(environment, Endless)
    visit = None
    for visit in _play(
        watched, start, origin, begun.nonzero().squeeze(1), generator, _ENDLESS if endless else max_steps
    ):
        step, over = visit.step, visit.step.terminated | visit.step.truncated
        check_kept("step", environment, instances.select(visit.episode), step.state)
        graphs = environment.actions.deciders(visit.observation.graph)
        total[visit.episode] += graph_reward(environment, step.reward, graphs).double()
        ended[visit.episode] = step.terminated
        episodes.append(visit.episode[over])
        finals.append(step.state.select(over))
        time = int(visit.time[0])
        if time < _FIRST or time % (1 + time // _FIRST) == 0 or bool(over.any()):
            kept.append(visit)
    if visit is not None and bool((going := ~(visit.step.terminated | visit.step.truncated)).any()):
        if not endless:
            raise _endless(int(visit.graph[going][0]), max_steps)
        episodes.append(visit.episode[going])
        finals.append(visit.step.state.select(going))
    final = GraphBatch.concat(finals).select(torch.argsort(torch.cat(episodes)))
    return PlayedEpisodes(start, final, total, ended, _some_of(watched, instances, kept, generator))


def check_start(watched: Watched, instances: GraphBatch) -> GraphBatch:
    """The first states, which are a function of the instances, of each on its own."""
    start: GraphBatch = watched.call_again("reset", instances)
    check_graph("reset", start, instances.num_graphs)
    check_kept("reset", watched.environment, instances, start)
    return start


def _play(
    watched: Watched,
    start: GraphBatch,
    origin: Tensor,
    episode: Tensor,
    generator: torch.Generator,
    max_steps: int,
) -> Iterator[Visit]:
    environment, choose = watched.environment, random_choice(watched.environment, generator)
    state = start.select(episode)
    observation = watched.call("observe", state)
    for time in range(max_steps):
        if not episode.numel():
            return
        if time == _LONG:
            _check_end(watched, state, origin[episode], generator, max_steps)
        action = choose(observation)
        step = watched.call("step", state, action)
        check_step(environment, state, step)
        yield Visit(origin[episode], episode, torch.full_like(episode, time), state, observation, action, step)
        seen = watched.call("observe", step.state)
        check_observation(environment, seen, step.state.num_graphs)
        over = step.terminated | step.truncated
        stuck = (~(over | has_choice(environment, seen))).nonzero()
        if stuck.numel():
            raise ConformanceError(
                f"step: graph {int(origin[episode[stuck[0]]])} has no legal action left after step {time + 1} and is "
                "neither terminated nor truncated. An episode is over where nothing may be done: terminate it in "
                "that step, or leave a legal action in its masks."
            )
        going = (~over).nonzero().squeeze(1)
        episode, state = episode[going], step.state.select(going)
        observation = select_observation(environment.actions, seen, going)


def _check_end(watched: Watched, state: GraphBatch, origin: Tensor, generator: torch.Generator, max_steps: int) -> None:
    """Whether the smallest graph comes to an end, before all of them are played for as long."""
    environment, choose = watched.environment, random_choice(watched.environment, generator)
    smallest = int(state.node_segments.lengths.argmin())
    state = state.select(torch.tensor([smallest]))
    for _ in range(max_steps - _LONG):
        step = environment.step(state, choose(environment.observe(state)))
        if bool(step.terminated | step.truncated):
            return
        state = step.state
    raise _endless(int(origin[smallest]), max_steps)


def _endless(graph: int, max_steps: int) -> ConformanceError:
    return ConformanceError(
        f"step: an episode of graph {graph} is not over after {max_steps} random steps. Episodes end: terminate or "
        "truncate them in the end, or give this check more with max_steps."
    )


def _some_of(watched: Watched, instances: GraphBatch, kept: list[Visit], generator: torch.Generator) -> Visit | None:
    """At most `_ROWS` rows of `kept`, all steps alike.

    Some are played again where they came from, with the same outcome, though other episodes have begun since.
    """
    if not kept:
        return None
    environment = watched.environment
    for visit in kept[:: max(1, len(kept) // 4)]:
        seen = watched.call("observe", visit.state)
        watched.call("reset", instances.select(torch.arange(instances.num_graphs).flip(0)))
        watched.require_same("observe", seen, watched.call("observe", visit.state))
        watched.require_same("step", visit.step, watched.call("step", visit.state, visit.action))
    table = concat_visits(kept)
    return table.select(environment, torch.randperm(table.episode.numel(), generator=generator)[:_ROWS])
