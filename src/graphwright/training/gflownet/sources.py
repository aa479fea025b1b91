"""Data sources of trajectories: iterators that can be put together in any way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.numbers import require
from graphwright.data.trajectories import Trajectories
from graphwright.envs.generation import Generation, Instances, Reward
from graphwright.envs.generative.environment import blank
from graphwright.training.exploration import ExplorationConfig
from graphwright.training.gflownet.conditions import ConditionConfig, Conditions
from graphwright.training.gflownet.measuring import Measures
from graphwright.training.gflownet.replay import ObjectReplay, ReplayBy
from graphwright.training.gflownet.sampler import Sampler


@dataclass(frozen=True)
class SourcesConfig:
    """What each update learns from."""

    forward: int = 64
    """Trajectories that the policy builds."""
    num_samples: int = 1
    """So many of them, one after the other, share their instance and condition."""
    small: bool = True
    """Learn on the small instances of a task that has some, rather than on those that objects are asked for."""
    known: int = 1500
    """Where an environment has at most so many states, and all begin alike, the policy is asked once for all of them,
    and trajectories are looked up; 0: never."""
    known_times: int | None = None
    """So many times as many trajectories are then learned from at once, built and replayed: they cost little. By
    default eight in a run of so many seconds whose batches are learned from several times, otherwise one."""
    ema: float = 0.0
    """The sampler's weights move by a share of 1 - ema towards the policy's at each update; 0 is the policy itself."""
    data: str | None = None
    """File of objects, sampled backward: node-link lines (.jsonl), SMILES (.smi), arrays (.npz), words (.txt)."""
    from_data: int = 16
    """How many of them, where there is a file, or `train` is given a data set."""
    replay: int | None = None
    """Objects built before that are sampled backward again; by default half as many as are built, where that is
    something to learn from."""
    replay_by: ReplayBy = "diverse"
    """Which: any; half of them from the best tenth; in proportion to how wrong the policy was about them; any of the
    different ones, of which the least rewarded are forgotten first."""
    replay_capacity: int = 2000
    """Objects that are remembered."""
    local_search: int = 0
    """Objects that go back in part and are built anew, the better of the two being kept."""
    local_share: float = 0.5
    """How much of an object that is."""
    exploration: ExplorationConfig = field(default_factory=ExplorationConfig)

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where there is nothing to learn from."""
        require("sources.forward", self.forward)
        require("sources.num-samples", self.num_samples)
        require("sources.from-data", self.from_data, 0)
        if self.replay is not None:
            require("sources.replay", self.replay, 0)
        require("sources.replay-capacity", self.replay_capacity)
        require("sources.local-search", self.local_search, 0, self.forward)
        require("sources.known", self.known, 0)
        if self.known_times is not None:
            require("sources.known-times", self.known_times)
        require("sources.ema", self.ema, 0, 1)
        if self.ema == 1:
            raise ValueError("--sources.ema 1: what builds would never learn; give less than 1")
        require("sources.local-share", self.local_share, 0, 1)
        if self.forward % self.num_samples:
            raise ValueError(
                f"--sources.forward {self.forward}: give a multiple of --sources.num-samples {self.num_samples}"
            )

    def times(self, number: int) -> SourcesConfig:
        """With `number` times as many trajectories that are built and that are replayed."""
        return replace(self, forward=number * self.forward, replay=number * self.replayed)

    @property
    def replayed(self) -> int:
        """How many objects are sampled backward again."""
        return self.replay if self.replay is not None else self.forward // 2


class Measured(NamedTuple):
    """M trajectories, and what their objects measure, [M, K] float64."""

    trajectories: Trajectories
    measures: Tensor


class SourceContext(NamedTuple):
    """What sources draw with: the reward, conditions, a sampler, what measures objects, and a random generator."""

    reward: Reward
    condition: ConditionConfig
    num_measures: int
    sampler: Sampler
    measure: Measures
    generator: torch.Generator

    def conditions(self, count: int) -> Conditions:
        """`count` drawn conditions."""
        return self.condition.draw(count, self.num_measures, self.generator)

    def wanted_for(self, conditions: Conditions) -> Callable[[Tensor], Tensor] | None:
        """From measures [S, K] to log R [C, S] of each under each of C `conditions`; None where these ask alike."""
        if conditions.preference is None and conditions.focus is None:
            return None
        told = self.condition.attach(blank(conditions.beta.numel()), conditions)

        def wanted(measures: Tensor) -> Tensor:
            count, number = told.num_graphs, measures.shape[0]
            each = told.select(torch.arange(count).repeat_interleave(number))
            return self.reward.combine(measures.repeat(count, 1), each).view(count, number)

        return wanted

    def backward_from(self, objects: GraphBatch, measures: Tensor) -> Measured:
        """Trajectories that end in `objects`, for the conditions that these have."""
        return Measured(self.sampler.sample_backward(objects), measures)


class Source(ABC, Iterator[Measured]):
    """An endless iterator over measured trajectories."""

    @abstractmethod
    def __next__(self) -> Measured:
        """What to learn from next."""


class OnPolicy(Source):
    """`count` objects that the sampler builds; `num_samples` in a row share their instance and condition."""

    def __init__(self, context: SourceContext, instances: Instances, count: int, num_samples: int) -> None:
        self.context = context
        self.instances = instances
        self.count = count
        self.num_samples = num_samples

    @override
    def __next__(self) -> Measured:
        context, different = self.context, self.count // self.num_samples
        instances = self.instances(context.sampler.environment, different, context.generator)
        instances = context.condition.attach(instances, context.conditions(different))
        if self.num_samples > 1:
            instances = instances.select(torch.arange(different).repeat_interleave(self.num_samples))
        trajectories = context.sampler.sample_forward(instances)
        return Measured(trajectories, context.measure(trajectories.objects))


class LocalSearch(Source):
    """What another source gives, and the `count` best of it once more, as a local search leaves them.

    Each goes back in part (`share`) and is built anew; the better of the two is kept (`Sampler.search`).
    """

    def __init__(self, context: SourceContext, inner: Source, count: int, share: float) -> None:
        self.context = context
        self.inner = inner
        self.count = count
        self.share = share

    @override
    def __next__(self) -> Measured:
        context, found = self.context, next(self.inner)
        combine, objects = context.reward.combine, found.trajectories.objects
        log_reward = combine(found.measures, objects)
        best = log_reward.argsort(descending=True, stable=True)[: self.count]
        before, after = objects.select(best), context.sampler.search(objects.select(best), self.share)
        measures = context.measure(after)
        better = combine(measures, after) > log_reward[best]
        kept = GraphBatch.concat([before.select(~better), after.select(better)])
        return joined(
            [found, context.backward_from(kept, torch.cat([found.measures[best][~better], measures[better]]))]
        )


class FromData(Source):
    """`count` objects of a data set, sampled backward under fresh conditions."""

    def __init__(self, context: SourceContext, objects: GraphBatch, count: int) -> None:
        self.context = context
        self.objects = objects
        self.count = count

    @override
    def __next__(self) -> Measured:
        context = self.context
        rows = torch.randint(self.objects.num_graphs, (self.count,), generator=context.generator)
        objects = context.condition.attach(self.objects.select(rows), context.conditions(self.count))
        return context.backward_from(objects, context.measure(objects))


class FromReplay(Source):
    """`count` objects built before, sampled backward under fresh conditions; none as long as there are none."""

    def __init__(self, context: SourceContext, replay: ObjectReplay, count: int) -> None:
        self.context = context
        self.replay = replay
        self.count = count

    def __next__(self) -> Measured:
        """raises StopIteration while the replay is empty."""
        if not len(self.replay):
            raise StopIteration
        context = self.context
        conditions = context.conditions(self.count)
        objects, measures = self.replay.draw(self.count, context.generator, context.wanted_for(conditions))
        return context.backward_from(context.condition.attach(objects, conditions), measures)


class Mixed(Source):
    """What several sources give, one after the other; one that has nothing is left out."""

    def __init__(self, *sources: Source) -> None:
        self.sources = sources

    @override
    def __next__(self) -> Measured:
        return joined([part for source in self.sources if (part := next(source, None)) is not None])


def joined(parts: list[Measured]) -> Measured:
    """All of `parts`, in order."""
    if len(parts) == 1:
        return parts[0]
    trajectories = Trajectories.concat([part.trajectories for part in parts])
    return Measured(trajectories, torch.cat([part.measures for part in parts]))


def make_source(
    context: SourceContext, wanted: Generation, config: SourcesConfig, replay: ObjectReplay, data: GraphBatch | None
) -> Source:
    """The sources that `config` names, the trajectories of the policy itself first."""
    instances = wanted.small_instances if config.small and wanted.small_instances is not None else wanted.instances
    source: Source = OnPolicy(context, instances, config.forward, config.num_samples)
    if config.local_search:
        source = LocalSearch(context, source, config.local_search, config.local_share)
    given = [FromData(context, data, config.from_data)] if config.from_data and data is not None else []
    replayed = [FromReplay(context, replay, config.replayed)] if config.replayed else []
    return Mixed(source, *given, *replayed)
