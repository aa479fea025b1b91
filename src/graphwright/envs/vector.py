"""Many episodes side by side: graphs that are done give way to fresh instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, Observation
from graphwright.envs.environment import Environment
from graphwright.envs.rollouts import has_choice

_MAX_EMPTY_DRAWS = 100


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


class Rules(Protocol):
    """What a policy, a collection and an algorithm ask of the environment behind live episodes."""

    @property
    def features(self) -> Features:
        """The columns of an observation that a network reads."""

    @property
    def actions(self) -> ActionSpec:
        """What an agent chooses among."""

    @property
    def edits_graph(self) -> bool:
        """Whether states are stored whole, since they differ from their instances in more than added columns."""

    def observe(self, state: GraphBatch) -> Observation:
        """What an agent sees of `state`, and what it may do."""


class LiveVector(Protocol):
    """Live episodes side by side, whoever plays them: this library's environments or others'."""

    num_envs: int
    state: GraphBatch

    @property
    def environment(self) -> Rules:
        """How states are observed."""

    @property
    def instances(self) -> GraphBatch:
        """The instances of the live episodes."""

    def observe(self) -> Observation:
        """What the agent sees of every live graph."""

    def step(self, action: Tensor) -> VectorStep:
        """Play `action` and exchange the graphs that are done."""


class VectorEnvironment:
    """`num_envs` live episodes of one environment, each begun anew when it is done."""

    def __init__(self, environment: Environment, source: InstanceSource, num_envs: int) -> None:
        self.environment = environment
        self.source = source
        self.num_envs = num_envs
        instances, self.state = self._begin(num_envs)
        self._columns = [list(table) for table in (instances.nodes, instances.edges, instances.graphs)]

    def observe(self) -> Observation:
        """What the agent sees of every live graph."""
        return self.environment.observe(self.state)

    @property
    def instances(self) -> GraphBatch:
        """The instances of the live episodes."""
        return self.state.keep(*self._columns)

    def step(self, action: Tensor) -> VectorStep:
        """Play `action` [D] and exchange the graphs that are done."""
        step = self.environment.step(self.state, action)
        done = (step.terminated | step.truncated).nonzero().squeeze(1)
        final = step.state.select(step.truncated)
        if done.numel():
            fresh, first_states = self._begin(done.numel())
            self.state = step.state.replace(done, first_states)
        else:
            fresh, self.state = self.source.draw(0), step.state
        return VectorStep(step.reward, step.terminated, step.truncated, final, fresh, successor=step.successor)

    def _begin(self, count: int) -> tuple[GraphBatch, GraphBatch]:
        """`count` instances that are not over before they begin, and their first states."""
        instances = self.source.draw(count)
        state = self.environment.reset(instances)
        for _ in range(_MAX_EMPTY_DRAWS):
            over = (~has_choice(self.environment, self.environment.observe(state))).nonzero().squeeze(1)
            if not over.numel():
                return instances, state
            instances = instances.replace(over, self.source.draw(over.numel()))
            state = self.environment.reset(instances)
        raise ValueError(
            f"{_MAX_EMPTY_DRAWS} draws of instances left nothing to decide (graphs without edges, say); "
            "give the generator larger sizes or a higher probability"
        )
