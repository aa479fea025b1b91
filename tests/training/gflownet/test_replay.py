"""Replay: what is remembered, what is forgotten, and how often each is drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from flow_many import TABLE, TWO_OBJECTIVES, TableReward, cell
from graphwright.core import Features, GraphBatch
from graphwright.envs.generation import Reward
from graphwright.envs.generative.enumeration import enumerate_states
from graphwright.envs.generative.grid import HyperGrid, axes
from graphwright.envs.reversible import Reversible
from graphwright.training.gflownet.conditions import ConditionConfig, Conditions
from graphwright.training.gflownet.measuring import ObjectMeasures
from graphwright.training.gflownet.replay import ObjectReplay, ReplayBy
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler
from graphwright.training.gflownet.sources import SourceContext, SourcesConfig
from strategies import assert_same_batch, seeded

GRID = HyperGrid(2, 8)


def cells(*numbers: int) -> GraphBatch:
    """Cells of the grid by their number."""
    coordinate = torch.tensor([[n // 8, n % 8] for n in numbers], dtype=torch.int64)
    return GRID.reset(axes(len(numbers), 2)).with_nodes(coordinate=coordinate.flatten())


def numbers(objects: GraphBatch) -> list[int]:
    return [8 * x + y for x, y in objects.nodes["coordinate"].view(-1, 2).tolist()]


def add(replay: ObjectReplay, rewards: dict[int, float], priority: float = 1.0) -> None:
    values = torch.tensor(list(rewards.values()), dtype=torch.float64)
    replay.add(cells(*rewards), values.unsqueeze(1), values, torch.full((len(rewards),), priority))


def held(replay: ObjectReplay) -> list[int]:
    assert len(replay) == replay.objects.num_graphs == len(replay.measures)
    assert torch.equal(replay.measures[:, 0], replay.log_reward)
    return numbers(replay.objects)


@pytest.mark.parametrize("by", ["uniform", "reward", "loss"])
def test_the_oldest_are_forgotten(by: ReplayBy) -> None:
    replay = ObjectReplay(GRID, 4, by)
    assert len(replay) == 0
    add(replay, {1: 5.0, 2: 4.0, 3: 3.0})
    assert held(replay) == [1, 2, 3]
    add(replay, {4: 0.0, 1: 5.0})
    assert held(replay) == [2, 3, 4, 1]
    add(replay, dict.fromkeys(range(10, 16), 0.0))
    assert held(replay) == [12, 13, 14, 15]


def test_diverse_forgets_repeats_and_then_the_worst() -> None:
    replay = ObjectReplay(GRID, 3, "diverse")
    add(replay, {1: 5.0, 2: 1.0})
    add(replay, {1: 5.0})
    assert held(replay) == [1, 2]
    add(replay, {3: 2.0, 4: 3.0, 2: 1.0})
    assert held(replay) == [1, 3, 4]
    add(replay, {5: 0.0})
    assert held(replay) == [1, 3, 4]


def test_what_was_seen_is_not_numbered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, keys = [], HyperGrid.keys

    def counted(environment: HyperGrid, states: GraphBatch) -> list[bytes]:
        asked.extend(numbers(states))
        return keys(environment, states)

    monkeypatch.setattr(HyperGrid, "keys", counted)
    replay = ObjectReplay(GRID, 3, "diverse")
    add(replay, {1: 5.0, 2: 1.0})
    add(replay, {2: 1.0, 3: 2.0, 1: 5.0})
    assert held(replay) == [1, 2, 3]
    assert sorted(asked) == [1, 2, 3]


def frequencies(replay: ObjectReplay, count: int = 20_000) -> Tensor:
    objects, measures = replay.draw(count, seeded())
    assert objects.num_graphs == len(measures) == count
    values = dict(zip(held(replay), replay.measures[:, 0].tolist(), strict=True))
    assert [values[number] for number in numbers(objects)] == measures[:, 0].tolist()
    return torch.bincount(torch.tensor(numbers(objects)), minlength=64)[held(replay)] / count


def test_uniform_draws_any() -> None:
    replay = ObjectReplay(GRID, 100, "uniform")
    add(replay, {n: float(n) for n in range(10)})
    torch.testing.assert_close(frequencies(replay), torch.full((10,), 0.1), rtol=0, atol=0.01)


def test_half_of_those_by_reward_are_of_the_best_tenth() -> None:
    replay = ObjectReplay(GRID, 100, "reward")
    add(replay, {n: float(n * 7 % 20) for n in range(20)})
    expected = torch.full((20,), 0.5 / 20)
    expected[[n for n in range(20) if n * 7 % 20 >= 18]] += 0.25
    torch.testing.assert_close(frequencies(replay), expected, rtol=0, atol=0.015)


def test_what_is_replayed_is_the_best_of_what_it_is_replayed_for() -> None:
    """Not of what it was built for: what is asked for differs from time to time."""
    environment = TWO_OBJECTIVES.builder
    every = enumerate_states(environment, axes(1, 2)).states
    reward, condition = TableReward(), ConditionConfig(preference=1.0)
    measures = reward.measure(environment, every)
    built_for_the_first = reward.combine(measures, every.with_graphs(preference=torch.tensor([[1.0, 0.0]] * 16)))
    replay = ObjectReplay(environment, 100, "reward")
    replay.add(every, measures, built_for_the_first, torch.zeros(16))
    sampler = Sampler(environment, None, NO_EXPLORATION, seeded())  # type: ignore[arg-type]  # nothing is built
    context = SourceContext(reward, condition, 2, sampler, lambda objects: measures, seeded())
    preference = torch.tensor([[1.0, 0.0], [0.0, 1.0]] * 10)
    wanted = context.wanted_for(Conditions(torch.ones(20), preference, None))
    assert wanted is not None
    torch.testing.assert_close(wanted(measures), (preference.double() @ measures.T).clamp(min=reward.floor).log())
    objects, found = replay.draw(20, seeded(), wanted)
    torch.testing.assert_close(found, TABLE[cell(objects)])
    assert found[:10:2, 0].tolist() == [float(TABLE[:, 0].max())] * 5
    assert found[1:10:2, 1].tolist() == [float(TABLE[:, 1].max())] * 5
    assert context.wanted_for(Conditions(torch.ones(20), None, None)) is None


def test_what_an_object_was_built_for_makes_no_other_object_of_it() -> None:
    replay, asked = ObjectReplay(GRID, 100, "diverse"), ConditionConfig(preference=1.0)
    for _ in range(2):
        objects = asked.attach(cells(1, 2, 3), asked.draw(3, 2, seeded(len(replay))))
        replay.add(objects, torch.zeros(3, 2), torch.zeros(3), torch.zeros(3))
    assert len(replay) == 3
    other = ObjectReplay(GRID, 100, "diverse")
    other.load_state_dict(replay.state_dict())
    other.add(asked.attach(cells(1), asked.draw(1, 2, seeded(7))), torch.zeros(1, 2), torch.zeros(1), torch.zeros(1))
    assert len(other) == 3


def test_an_object_is_measured_once_whatever_it_is_built_for() -> None:
    asked: list[int] = []

    class Counted(TableReward):
        def measure(self, environment: Reversible, objects: GraphBatch) -> Tensor:
            asked.append(objects.num_graphs)
            return super().measure(environment, objects)

    environment, condition = TWO_OBJECTIVES.builder, ConditionConfig(preference=1.0)
    every = enumerate_states(environment, axes(1, 2)).states
    with ObjectMeasures("two", environment, Counted()) as measure:
        for seed in range(3):
            found = measure(condition.attach(every, condition.draw(16, 2, seeded(seed))))
            torch.testing.assert_close(found, TABLE[cell(every)])
    assert sum(asked) == 16


def test_columns_of_the_environment_stay_whatever_their_names_are() -> None:
    class Aimed(HyperGrid):
        @property
        def features(self) -> Features:
            return replace(super().features, graphs={"focus": 1})

    class Nearness(Reward):
        def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
            return -objects.graphs["focus"].double()

    environment = Aimed(2, 8)
    objects = ConditionConfig().attach(cells(1, 1), ConditionConfig().draw(2, 1, seeded()))
    objects = objects.with_graphs(focus=torch.tensor([3.0, 4.0]))
    with ObjectMeasures("aimed", environment, Nearness()) as measure:
        assert measure(objects).squeeze(1).tolist() == [-3, -4]


def test_those_by_loss_are_drawn_in_proportion_to_it() -> None:
    replay = ObjectReplay(GRID, 100, "loss")
    add(replay, {1: 0.0}, priority=1.0)
    add(replay, {2: 0.0}, priority=3.0)
    add(replay, {3: 0.0}, priority=0.0)
    torch.testing.assert_close(frequencies(replay), torch.tensor([0.25, 0.75, 0.0]), rtol=0, atol=0.015)


def test_even_where_nothing_is_wrong_something_is_drawn() -> None:
    replay = ObjectReplay(GRID, 100, "loss")
    add(replay, {1: 0.0, 2: 0.0}, priority=0.0)
    torch.testing.assert_close(frequencies(replay), torch.tensor([0.5, 0.5]), rtol=0, atol=0.02)


def test_forgotten_ones_leave_the_ring() -> None:
    """What is kept by reward is kept whatever comes and goes, and the ring holds at most as many again."""
    replay = ObjectReplay(GRID, 3, "diverse")
    add(replay, {1: 5.0, 2: 6.0, 3: 7.0})
    for number in range(8, 64):
        add(replay, {number: 0.0, 2: 6.0})
        assert held(replay) == [1, 2, 3]
        assert len(replay.ring) <= 2 * 3
        assert set(numbers(replay.draw(20, seeded(number))[0])) <= {1, 2, 3}


@pytest.mark.parametrize("by", ["loss", "diverse"])
def test_what_is_saved_is_all_of_it(by: ReplayBy) -> None:
    replay, other = ObjectReplay(GRID, 5, by), ObjectReplay(GRID, 5, by)
    other.load_state_dict(replay.state_dict())
    assert len(other) == 0
    add(replay, {1: 1.0, 2: 2.0}, priority=0.5)
    other.load_state_dict({name: tensor.clone() for name, tensor in replay.state_dict().items()})
    assert_same_batch(other.objects, replay.objects)
    for name, tensor in replay.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    assert_same_batch(replay.draw(9, seeded(4))[0], other.draw(9, seeded(4))[0])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"forward": 0}, "--sources.forward 0"),
        ({"num_samples": 0}, "--sources.num-samples 0"),
        ({"num_samples": 3}, "give a multiple of --sources.num-samples 3"),
        ({"ema": 1.5}, "--sources.ema 1.5"),
        ({"ema": 1.0}, "--sources.ema 1: what builds would never learn; give less than 1"),
        ({"local_search": 65}, "--sources.local-search 65"),
        ({"local_share": -1.0}, "--sources.local-share"),
        ({"replay": -1}, "--sources.replay -1"),
        ({"from_data": -1}, "--sources.from-data -1"),
        ({"replay_capacity": 0}, "--sources.replay-capacity 0"),
        ({"known": -1}, "--sources.known -1"),
        ({"known_times": 0}, "--sources.known-times 0"),
    ],
)
def test_sources_that_are_none_are_refused_by_name(options: dict[str, float], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        SourcesConfig(**options)  # type: ignore[arg-type]
