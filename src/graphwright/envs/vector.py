"""Many episodes side by side: graphs that are done give way to fresh instances."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch, GraphError, Observation
from graphwright.envs.environment import Environment
from graphwright.envs.rollouts import has_choice

_MAX_DRAWS = 100

Fits = Callable[[GraphBatch, GraphBatch], Tensor]


class InstanceSource(Protocol):
    """Anything that hands out instances: a generator, a data set, a user's own files."""

    def draw(self, count: int) -> GraphBatch:
        """The next `count` instances."""


@dataclass(frozen=True, eq=False)
class VectorStep:
    """What one action in each live graph did.

    reward, terminated, truncated, successor: as in `Step`.
    final: the states that the truncated graphs ended in, in graph order, for the bootstrap.
    fresh: the instances that took the places of the graphs that are done, in graph order.
    lost: [B] bool, where the outcome is unknown, and the truncation no end of an episode; None for nowhere.
    """

    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    final: GraphBatch
    fresh: GraphBatch
    lost: Tensor | None = None
    successor: Tensor | None = None


class VectorEnv(ABC):
    """Live episodes side by side, whoever plays them: this library's environments or those of others.

    environment: how states are observed. num_envs: B. state: of every live graph.
    """

    environment: Environment
    num_envs: int
    state: GraphBatch

    @property
    @abstractmethod
    def instances(self) -> GraphBatch:
        """The instances of the live episodes."""

    def observe(self) -> Observation:
        """What the agent sees of every live graph."""
        return self.environment.observe(self.state)

    @abstractmethod
    def step(self, action: Tensor) -> VectorStep:
        """Play `action`, [D] int64 or [D, columns] float32, and exchange the graphs that are done."""


class VectorEnvironment(VectorEnv):
    """`num_envs` live episodes of one environment, each begun anew when it is done."""

    def __init__(self, environment: Environment, source: InstanceSource, num_envs: int) -> None:
        self.environment = environment
        self.source = source
        self.num_envs = num_envs
        instances, self.state = draw_playable(environment, source, num_envs)
        self._columns = [list(table) for table in (instances.nodes, instances.edges, instances.graphs)]
        self._none: tuple[GraphBatch, GraphBatch] | None = None

    @property
    @override
    def instances(self) -> GraphBatch:
        return self.state.keep(*self._columns)

    @override
    def step(self, action: Tensor) -> VectorStep:
        step = self.environment.step(self.state, action)
        done = (step.terminated | step.truncated).nonzero().squeeze(1)
        if done.numel():
            final = step.state.select(step.truncated)
            fresh, first_states = draw_playable(self.environment, self.source, done.numel())
            self.state = step.state.replace(done, first_states)
        else:
            self._none = self._none or (step.state.select(done), self.source.draw(0))  # most steps end no episode
            (final, fresh), self.state = self._none, step.state
        return VectorStep(step.reward, step.terminated, step.truncated, final, fresh, successor=step.successor)


def draw_playable(
    environment: Environment, source: InstanceSource, count: int, fits: Fits | None = None
) -> tuple[GraphBatch, GraphBatch]:
    """The next `count` instances that are not over before they begin, and their first states.

    fits: of instances and what is first observed of them, which are taken ([B] bool); None: all of them.

    Raises GraphError where a hundred draws give too few.
    """
    instances = source.draw(count)
    for _ in range(_MAX_DRAWS):
        state = environment.reset(instances)
        observation = environment.observe(state)
        good = has_choice(environment, observation)
        if fits is not None:
            good &= fits(instances, observation.graph)
        rows = (~good).nonzero().squeeze(1)
        if not rows.numel():
            return instances, state
        instances = instances.replace(rows, source.draw(rows.numel()))
    raise GraphError(
        f"{_MAX_DRAWS} draws of instances left nothing to decide (graphs without edges, say), or too little room; "
        "give the generator other sizes or a higher probability, or raise max_nodes and max_edges where there are some"
    )
