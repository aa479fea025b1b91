"""Where training trajectories come from: iterators that can be put together in any way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.optimizer import require
from graphwright.core import GraphBatch
from graphwright.data.trajectories import Trajectories
from graphwright.envs.generation import Generation, Instances
from graphwright.training.exploration import ExplorationConfig
from graphwright.training.gflownet.conditions import ConditionConfig, Conditions
from graphwright.training.gflownet.replay import Replay, ReplayBy
from graphwright.training.gflownet.sampler import Sampler


@dataclass(frozen=True)
class SourcesConfig:
    """What each update learns from."""

    forward: int = 64
    """Trajectories that the policy builds."""
    repeats: int = 1
    """So many of them, one after the other, share their instance and condition."""
    small: bool = True
    """Learn on the small instances of a task that has some, rather than on those that objects are asked for."""
    ema: float = 0.0
    """The sampler's weights move by a share of 1 - ema towards the policy's at each update; 0 is the policy itself."""
    data: int = 0
    """Objects of a given data set that are taken apart (`FlowTrainer` is given it)."""
    replay: int = 0
    """Objects built before that are taken apart again."""
    replay_by: ReplayBy = "uniform"
    """Which: any; half of them from the best tenth; in proportion to how wrong the policy was about them; any of the
    different ones, of which the least rewarded are forgotten first."""
    replay_capacity: int = 2000
    """Objects that are remembered."""
    local_search: int = 0
    """Objects that are taken apart in part and built anew, the better of the two being kept."""
    local_share: float = 0.5
    """How much of an object that is."""
    exploration: ExplorationConfig = field(default_factory=ExplorationConfig)

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where there is nothing to learn from."""
        require("sources.forward", self.forward)
        require("sources.repeats", self.repeats)
        require("sources.data", self.data, 0)
        require("sources.replay", self.replay, 0)
        require("sources.replay-capacity", self.replay_capacity)
        require("sources.local-search", self.local_search, 0, self.forward)
        require("sources.ema", self.ema, 0, 1)
        require("sources.local-share", self.local_share, 0, 1)
        if self.forward % self.repeats:
            raise ValueError(f"--sources.forward {self.forward}: give a multiple of --sources.repeats {self.repeats}")


Measures = Callable[[GraphBatch], Tensor]
"""From finished objects [B] to [B, K] float64."""


class Experience(NamedTuple):
    """M trajectories, and what their objects measure, [M, K] float64."""

    trajectories: Trajectories
    measures: Tensor


class Workshop(NamedTuple):
    """What sources work with: what is sampled, conditions, a sampler, what measures objects, and a random generator."""

    generation: Generation
    condition: ConditionConfig
    num_measures: int
    sampler: Sampler
    measure: Measures
    generator: torch.Generator

    def conditions(self, count: int) -> Conditions:
        """`count` drawn conditions."""
        return self.condition.draw(count, self.num_measures, self.generator)

    def taken_apart(self, objects: GraphBatch, measures: Tensor) -> Experience:
        """Trajectories that end in `objects`, for the conditions that these have."""
        return Experience(self.sampler.take_apart(objects), measures)


class Source(ABC, Iterator[Experience]):
    """An endless iterator over experience."""

    @abstractmethod
    def __next__(self) -> Experience:
        """What to learn from next."""


class OnPolicy(Source):
    """`count` objects that the sampler builds; `repeats` of them, one after the other, share instance and condition."""

    def __init__(self, workshop: Workshop, instances: Instances, count: int, repeats: int) -> None:
        self.workshop = workshop
        self.instances = instances
        self.count = count
        self.repeats = repeats

    @override
    def __next__(self) -> Experience:
        shop, different = self.workshop, self.count // self.repeats
        instances = self.instances(shop.sampler.environment, different, shop.generator)
        instances = shop.condition.attach(instances, shop.conditions(different))
        if self.repeats > 1:
            instances = instances.select(torch.arange(different).repeat_interleave(self.repeats))
        trajectories = shop.sampler.build(instances)
        return Experience(trajectories, shop.measure(trajectories.objects))


class LocalSearch(Source):
    """What another source gives, and the `count` best of it once more, as a local search leaves them.

    Each is taken apart in part (`share`) and built anew; the better of the two is kept (`Sampler.search`).
    """

    def __init__(self, workshop: Workshop, inner: Source, count: int, share: float) -> None:
        self.workshop = workshop
        self.inner = inner
        self.count = count
        self.share = share

    @override
    def __next__(self) -> Experience:
        shop, found = self.workshop, next(self.inner)
        combine, objects = shop.generation.reward.combine, found.trajectories.objects
        log_reward = combine(found.measures, objects)
        best = log_reward.argsort(descending=True, stable=True)[: self.count]
        before, after = objects.select(best), shop.sampler.search(objects.select(best), self.share)
        measures = shop.measure(after)
        better = combine(measures, after) > log_reward[best]
        kept = GraphBatch.concat([before.select(~better), after.select(better)])
        return joined([found, shop.taken_apart(kept, torch.cat([found.measures[best][~better], measures[better]]))])


class FromData(Source):
    """`count` objects of a data set, taken apart under fresh conditions."""

    def __init__(self, workshop: Workshop, objects: GraphBatch, count: int) -> None:
        self.workshop = workshop
        self.objects = objects
        self.count = count

    @override
    def __next__(self) -> Experience:
        shop = self.workshop
        rows = torch.randint(self.objects.num_graphs, (self.count,), generator=shop.generator)
        objects = shop.condition.attach(self.objects.select(rows), shop.conditions(self.count))
        return shop.taken_apart(objects, shop.measure(objects))


class FromReplay(Source):
    """`count` objects that were built before, taken apart under fresh conditions; none as long as there are none."""

    def __init__(self, workshop: Workshop, replay: Replay, count: int) -> None:
        self.workshop = workshop
        self.replay = replay
        self.count = count

    def __next__(self) -> Experience:
        """raises StopIteration while the replay is empty."""
        if not len(self.replay):
            raise StopIteration
        objects, measures = self.replay.draw(self.count, self.workshop.generator)
        objects = self.workshop.condition.attach(objects, self.workshop.conditions(self.count))
        return self.workshop.taken_apart(objects, measures)


class Mixed(Source):
    """What several sources give, one after the other; one that has nothing is left out."""

    def __init__(self, *sources: Source) -> None:
        self.sources = sources

    @override
    def __next__(self) -> Experience:
        return joined([part for source in self.sources if (part := next(source, None)) is not None])


def joined(parts: list[Experience]) -> Experience:
    """All of `parts`, in order."""
    trajectories = Trajectories.concat([part.trajectories for part in parts])
    return Experience(trajectories, torch.cat([part.measures for part in parts]))


def make_source(workshop: Workshop, config: SourcesConfig, replay: Replay, data: GraphBatch | None) -> Source:
    """The sources that `config` names, the trajectories of the policy itself first."""
    wanted = workshop.generation
    instances = wanted.small_instances if config.small and wanted.small_instances is not None else wanted.instances
    source: Source = OnPolicy(workshop, instances, config.forward, config.repeats)
    if config.local_search:
        source = LocalSearch(workshop, source, config.local_search, config.local_share)
    given = [FromData(workshop, data, config.data)] if config.data and data is not None else []
    replayed = [FromReplay(workshop, replay, config.replay)] if config.replay else []
    return Mixed(source, *given, *replayed)
