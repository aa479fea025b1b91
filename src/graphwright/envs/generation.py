"""`Generation`: what flow networks sample, and the reward that says how often each object is wanted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.own_code import in_one_line
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.exports import described, node_link_lines
from graphwright.envs.generators import InstanceGenerator
from graphwright.envs.optimization import Optimization
from graphwright.envs.reversible import Reversible

Instances = Callable[[Reversible, int, torch.Generator], GraphBatch]
"""From the environment, a count and a random generator to so many instances."""
Export = Callable[[Reversible, GraphBatch], "Mapping[str, np.ndarray] | list[str]"]
"""From finished objects to what others can count: arrays with a row an object, or a line of text each."""


Fingerprints = Callable[[Reversible, GraphBatch], np.ndarray]
"""From finished objects [B] to [B, bits] bool, alike where objects are alike."""


Pictures = Callable[[Reversible, GraphBatch], list[np.ndarray]]
"""From finished objects [B] to a picture each, [h, w, 3] uint8."""


class Reward(ABC):
    """How much each object is wanted. Subclasses are dataclasses, whose fields are the command line's options."""

    @abstractmethod
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B] float64: log R of finished objects; finite."""

    @property
    def num_measures(self) -> int:
        """K: how many numbers an object is measured by."""
        return 1

    def measure(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B, K] float64: what is slow to compute and says all of an object; here log R itself."""
        found = self(environment, objects)
        if not isinstance(found, Tensor) or found.shape != (objects.num_graphs,):
            given = f"a tensor {list(found.shape)}" if isinstance(found, Tensor) else f"{type(found).__name__}"
            raise ValueError(f"{type(self).__name__} gives {given}; give a tensor [{objects.num_graphs}] of log R")
        return found.unsqueeze(1)

    def combine(self, measures: Tensor, objects: GraphBatch) -> Tensor:
        """[B] float64: log R from `measures` [B, K], under the conditions that `objects` were built for."""
        return measures[:, 0]


@dataclass(frozen=True)
class ObjectiveReward(Reward):
    """log R = −cost / temperature, of environments that optimise: a better solution is wanted more often."""

    temperature: float = 1.0
    """What the logarithm of the reward is divided by."""

    @override
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        assert isinstance(environment, Optimization)
        return -environment.cost(objects) / self.temperature


def nothing_given(environment: Reversible, count: int, generator: torch.Generator) -> GraphBatch:
    """The instances of tasks to which nothing is given."""
    return blank(count)


def drawn(generator: InstanceGenerator) -> Instances:
    """The instances that `generator` draws."""
    return lambda environment, count, random: generator(count, random)


@dataclass(frozen=True)
class Measure:
    """What a reward measures of the objects of an environment: states [B] → [B, K]. Worker processes can be sent it."""

    environment: Reversible
    reward: Reward

    def __call__(self, objects: GraphBatch) -> Tensor:
        """[B, K] float64. Raises ValueError, naming the first object that the reward fails on."""
        try:
            return self.reward.measure(self.environment, objects)
        except (MemoryError, ImportError):
            raise
        except Exception as error:
            for place in range(objects.num_graphs):
                self._try(objects, place)
            raise ValueError(f"the reward of {objects.num_graphs} objects fails: {in_one_line(error)}") from error

    def _try(self, objects: GraphBatch, place: int) -> None:
        try:
            self.reward.measure(self.environment, objects.select(torch.tensor([place])))
        except Exception as error:
            shown = described(self.environment, objects, place)
            raise ValueError(f"the reward of an object fails: {in_one_line(error)}; of {shown}") from error


@dataclass(frozen=True)
class Generation:
    """What is sampled of a problem: objects x with a probability in proportion to R(x).

    reward: log R, with its default options. environment: what builds the objects, where that is not the problem's own.
    export: what `graphwright sample` writes. instances: what each object is built on; one_instance: whether that is
    always the same; small_instances: such as are learned on in place of large ones, None where these are small enough.
    fingerprints: by which modes are told apart. pictures: of objects that are not drawn as graphs. training: options of
    a run that differ from the general defaults, nested as in `config.json`.
    """

    reward: Reward
    environment: Reversible | None = None
    export: Export = node_link_lines
    instances: Instances = nothing_given
    one_instance: bool = True
    small_instances: Instances | None = None
    fingerprints: Fingerprints | None = None
    pictures: Pictures | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
