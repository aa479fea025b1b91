"""`record`: what an expert or a policy does, step by step, for others to learn from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, Step
from graphwright.core.memory import STEP, require_memory
from graphwright.core.numbers import require_positive
from graphwright.core.segment import Segments, segment_sum
from graphwright.data.recording import Recording
from graphwright.distributions import RaggedCategorical
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.experts import Expert
from graphwright.envs.problem import Problem
from graphwright.envs.rollouts import has_choice, is_over, until_done
from graphwright.envs.team import graph_reward, has_own_reward
from graphwright.training.collectors.play import ConfigError, make_generator
from graphwright.training.collectors.tables import action_table, require_steps, store_states
from graphwright.training.config_json import as_written


@dataclass(frozen=True, kw_only=True)
class RecordOptions:
    """How much is recorded, and of which instances."""

    episodes: int | None = None
    """So many whole episodes, each of another random instance or, one after the other, of the files."""
    slots: int | None = None
    """Of what never ends: so many slots of each instance, from empty queues on."""
    seed: int = 0
    """Seed of all that is random."""
    sizes: tuple[int, ...] | None = None
    """Numbers of nodes of random instances; by default those to train on."""
    graphs: int = 16
    """Random instances whose slots are recorded."""
    generator: str | None = None
    """Random graphs as in barabasi-albert:m=2; by default the problem's own."""
    law: str | None = None
    """The law by which random graphs become instances; by default the problem's first."""
    decode: Literal["sample", "greedy"] | None = None
    """Of a run: whether its policy draws or takes the likeliest action; by default it draws where its scores are
    probabilities."""
    solver_seconds: float = 1.0
    """Time for the solver, each instance."""

    def require(self, problem: Problem) -> None:
        """Raise ValueError, naming the option, where this records nothing of `problem`."""
        for name in ("episodes", "slots", "graphs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"--{name} {value}: give at least 1")
        require_positive("solver-seconds", self.solver_seconds)
        if not problem.is_played:
            raise ConfigError(f"{problem.name} is sampled, not played: there is nothing to record")
        if problem.is_endless and (self.episodes is not None or self.slots is None):
            raise ConfigError(f"{problem.name} never ends: say --slots, not --episodes, how much to record")
        if not problem.is_endless and (self.slots is not None or self.episodes is None):
            raise ConfigError(f"the episodes of {problem.name} end: say --episodes, not --slots, how much to record")

    def instances(self, problem: Problem) -> GraphBatch:
        """Random ones, as many as are played. Raises ConfigError naming the options."""
        make = make_generator(problem, self.generator, self.sizes, self.law)
        return make(self.episodes or self.graphs, torch.Generator().manual_seed(self.seed))


class Acted(NamedTuple):
    """What was done in a batch of states.

    action: of each decision. probability: [K] float32 of the candidates, None where nothing is known of it. lengths:
    [B] int64, how many candidates each state has. graphs: D → B.
    """

    action: Tensor
    probability: Tensor | None
    lengths: Tensor
    graphs: Segments


class Actor(ABC):
    """Who is recorded."""

    def aims(self, instances: GraphBatch) -> GraphBatch:
        """What it wants to come to in each of `instances`."""
        return instances

    @abstractmethod
    def act(self, state: GraphBatch, aims: GraphBatch) -> Acted:
        """What it does."""


class ExpertActor(Actor):
    """An expert; where several things are right to it, it draws among them."""

    def __init__(self, environment: Environment, expert: Expert, seconds: float, generator: torch.Generator) -> None:
        self.environment = environment
        self.expert = expert
        self.seconds = seconds
        self.generator = generator

    @override
    def aims(self, instances: GraphBatch) -> GraphBatch:
        return self.expert.aims(self.environment, instances, self.seconds)

    @override
    def act(self, state: GraphBatch, aims: GraphBatch) -> Acted:
        spec = self.environment.actions
        advice = self.expert.advise(self.environment, state, aims)
        if advice.approved is None:
            assert advice.action is not None
            graphs = (
                spec.deciders(state) if spec.one_per_graph else spec.deciders(self.environment.observe(state).graph)
            )
            return Acted(advice.action, None, graphs.lengths, graphs)
        observation = self.environment.observe(state)
        segments = spec.segments(observation.graph)
        none = segment_sum(advice.best, segments) == 0
        legal = spec.arrange(observation.graph, observation.masks)
        right = RaggedCategorical(
            torch.zeros(segments.num_rows), segments, advice.best | legal & none.index_select(0, segments.index)
        )
        graphs, lengths = spec.deciders(observation.graph), spec.joint(observation.graph, segments.lengths)
        return Acted(right.sample(self.generator), right.probs, lengths, graphs)


class PolicyActor(Actor):
    """A trained policy. draws: whether its scores are probabilities to draw by."""

    def __init__(
        self, environment: Environment, policy: Any, greedy: bool, draws: bool, generator: torch.Generator
    ) -> None:
        self.environment = environment
        self.policy = policy
        self.greedy = greedy
        self.draws = draws
        self.generator = generator

    @override
    @torch.no_grad()
    def act(self, state: GraphBatch, aims: GraphBatch) -> Acted:
        observation = self.environment.observe(state)
        distribution, graphs = self.policy.distribution(observation), self.policy.actions.deciders(observation.graph)
        action = distribution.mode if self.greedy else distribution.sample(self.generator)
        if not self.draws or not isinstance(distribution, RaggedCategorical):
            return Acted(action, None, graphs.lengths, graphs)
        lengths = self.policy.actions.joint(observation.graph, distribution.segments.lengths)
        return Acted(action, distribution.probs, lengths, graphs)


def record(
    environment: Environment, actor: Actor, instances: GraphBatch, slots: int | None, header: Mapping[str, Any]
) -> Recording:
    """What `actor` does in one whole episode of each of `instances`, or in so many slots of each.

    header: what the recording says of itself, to which actions and options are added. Raises ValueError where nothing
    is decided.
    """
    if slots is not None:
        assert isinstance(environment, Endless)
        steps = _slots(environment.without_cuts(), actor, instances, slots)
    else:
        steps = _episodes(environment, actor, instances)
    require_steps([step.state for step in steps])
    done, spec = [step.done for step in steps], environment.actions
    probability = [each.probability for each in done if each.probability is not None]
    return Recording(
        store_states(environment, instances, [step.instance for step in steps], [step.state for step in steps]),
        action_table(spec, [each.action for each in done], [each.graphs for each in done]),
        torch.cat([step.reward for step in steps]).float(),
        torch.cat([step.terminated for step in steps]),
        torch.cat([step.truncated for step in steps]),
        torch.cat([step.instance for step in steps]).to(torch.int32),
        torch.cat(probability) if probability else None,
        Segments.from_lengths(torch.cat([each.lengths for each in done])) if probability else None,
        {**header, "actions": spec.as_dict(), "environment": as_written(environment), "episodes": instances.num_graphs},
        None if spec.one_per_graph else torch.cat([step.successor for step in steps]).to(torch.int32),
        torch.cat([step.own_reward for step in steps]).float() if has_own_reward(environment) else None,
    )


class _Recorded(NamedTuple):
    """One step of some episodes.

    instance: [A] int64, which, each of one episode. reward: [A], of each graph; own_reward: as the step said it.
    successor: [D] int64, as in `Step`.
    """

    instance: Tensor
    state: GraphBatch
    done: Acted
    reward: Tensor
    own_reward: Tensor
    terminated: Tensor
    truncated: Tensor
    successor: Tensor

    @staticmethod
    def of(environment: Environment, instance: Tensor, state: GraphBatch, done: Acted, step: Step) -> _Recorded:
        reward = graph_reward(environment, step.reward, done.graphs)
        successor = done.graphs.position if step.successor is None else step.successor
        return _Recorded(instance, state, done, reward, step.reward, step.terminated, step.truncated, successor)


def _episodes(environment: Environment, actor: Actor, instances: GraphBatch) -> Sequence[_Recorded]:
    start, aims = environment.reset(instances), actor.aims(instances)
    begun = has_choice(environment, environment.observe(start)).nonzero().squeeze(1)
    steps, done = [], []

    def act(episode: Tensor, state: GraphBatch) -> Tensor:
        done.append(actor.act(state, aims.select(begun[episode])))
        return done[-1].action

    for transition in until_done(start.select(begun), act, environment.step, ends=is_over):
        step = transition.step
        assert step is not None
        steps.append(_Recorded.of(environment, begun[transition.episode], transition.state, done[-1], step))
    return steps


def _slots(environment: Endless, actor: Actor, instances: GraphBatch, slots: int) -> Sequence[_Recorded]:
    """Until the last of the instances has come to its end; the others go on so long, and all is recorded."""
    require_memory(STEP * slots * instances.num_graphs)
    state, every, steps = environment.reset(instances), torch.arange(instances.num_graphs), []
    over = torch.zeros(instances.num_graphs, dtype=torch.int64)
    while int(over.min()) < slots:
        done = actor.act(state, state)
        step = environment.step(state, done.action)
        periods = environment.periods(step.state)
        over = over + 1 if periods is None else periods
        last = over >= slots if int(over.min()) >= slots else torch.zeros_like(step.truncated)
        step = replace(step, truncated=step.truncated | last)
        steps.append(_Recorded.of(environment, every, state, done, step))
        state = step.state
    return steps
