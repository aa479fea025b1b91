"""Games that a search plays into a replay: what is remembered of them, and that runs go on where they stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from rich.console import Console

from games_and_queues import Kayles
from graphwright.core.segment import segment_sum
from graphwright.data.samples import OUTCOME, SEARCHED
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.generators import InstanceGenerator, parse_topology
from graphwright.envs.problem import no_columns
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.policies import ValuedPolicy
from graphwright.training.collectors.expert_games import ExpertGamesCollector, ExpertGamesConfig
from graphwright.training.collectors.play import ConfigError
from graphwright.training.config import TrainConfig
from graphwright.training.games.boards import opened
from graphwright.training.train import resume, train
from graphwright.training.training_run import TrainingRun
from kayles_problem import KAYLES
from strategies import seeded


def test_positions_hold_what_was_found_and_who_won() -> None:
    """Policies are of the legal moves. Who can take the last node has won; sides of one game see opposite outcomes."""
    paths = InstanceGenerator(parse_topology("path"), (1, 2, 5, 6), no_columns)
    config = ExpertGamesConfig(num_games=12, simulations=8, capacity=64, minibatch_size=8)
    collector = ExpertGamesCollector(Kayles(), GeneratedInstances(paths, 0, block=16), config, seeded())
    policy = ValuedPolicy(Kayles.features, Kayles.actions, EncoderConfig(width=8, depth=1), HeadsConfig())
    for _ in range(3):
        moves = collector.collect(policy).num_steps
        assert moves >= 12
    replay = collector.replay
    assert len(replay) <= 64
    found = replay.select(replay.ids)
    legal = ~found.state.nodes["gone"]
    policies = found.groups[SEARCHED]
    assert torch.equal(policies.segments.ptr, found.state.node_ptr)
    torch.testing.assert_close(segment_sum(policies.columns["policy"], policies.segments), torch.ones(len(replay)))
    assert not bool((policies.columns["policy"][~legal] > 0).any())
    last = segment_sum(legal, found.state.node_segments) == 1
    assert bool(last.any())
    assert found.columns[OUTCOME][last].tolist() == [1.0] * int(last.sum())
    assert set(found.columns[OUTCOME].tolist()) == {-1.0, 1.0}


def test_more_positions_than_are_remembered_are_refused_by_the_option() -> None:
    paths = InstanceGenerator(parse_topology("path"), (6,), no_columns)
    config = ExpertGamesConfig(num_games=12, simulations=2, capacity=9, minibatch_size=8)
    collector = ExpertGamesCollector(Kayles(), GeneratedInstances(paths, 0, block=16), config, seeded())
    policy = ValuedPolicy(Kayles.features, Kayles.actions, EncoderConfig(width=8, depth=1), HeadsConfig())
    with pytest.raises(ConfigError, match=r"--capacity 9: --num-games 12 had \d+ positions"):
        collector.collect(policy)


def test_openings_are_legal_beginnings_that_end_no_game() -> None:
    paths = InstanceGenerator(parse_topology("path"), (1, 2, 5, 6), no_columns)
    start = Kayles().reset(paths(40, seeded()))
    begun = opened(Kayles(), start, 3, seeded())
    legal = ~begun.nodes["gone"]
    assert bool((segment_sum(legal, begun.node_segments) > 0).all())
    moves = segment_sum(begun.nodes["gone"], begun.node_segments) - segment_sum(
        start.nodes["gone"], start.node_segments
    )
    assert bool((moves > 0).any())
    assert bool((moves == 0).any())


def test_a_run_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    def config(steps: int) -> TrainConfig:
        return TrainConfig.for_problem(
            KAYLES,
            "expert-iteration",
            steps=steps,
            threads=1,
            encoder={"width": 8, "depth": 1},
            collection={"num_games": 8, "simulations": 4, "num_minibatches": 2, "minibatch_size": 16},
            validation={"games": 6, "every": 2},
        )

    quiet = Console(quiet=True)
    whole = train(KAYLES, config(60), tmp_path / "whole", quiet)
    part = train(KAYLES, config(1), tmp_path / "part", quiet)
    assert part.counters.iteration == 1
    found = resume(tmp_path / "part", steps=60, console=quiet, trust=True)
    assert isinstance(found, TrainingRun)
    assert found.counters.steps == whole.counters.steps
    assert torch.equal(found.collector.replay.ids, whole.collector.replay.ids)  # type: ignore[attr-defined]
    assert len(found.collector.replay) == whole.counters.steps  # type: ignore[attr-defined]
