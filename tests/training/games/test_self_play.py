"""Self-play in the one runner: the pool answers, the gate keeps the best, and runs go on where they stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor
from typing_extensions import override

from games_and_queues import Kayles
from graphwright.core import Observation
from graphwright.core.segment import segment_argmax, segment_sum
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.game import Game
from graphwright.envs.generators import InstanceGenerator, parse_topology
from graphwright.envs.problem import no_columns
from graphwright.nn.policies import ValuedPolicy
from graphwright.training.agent import load
from graphwright.training.collectors.self_play import players
from graphwright.training.collectors.steps import collect_steps
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.games.match import Score
from graphwright.training.games.pool import OpponentPool
from graphwright.training.games.vector import ITSELF, LiveGames
from graphwright.training.train import resume, train
from graphwright.training.training_run import TrainingRun
from kayles_problem import KAYLES
from strategies import seeded

GAMES = InstanceGenerator(parse_topology("path"), (4, 5, 7), no_columns)


def config_of(**options: object) -> TrainConfig:
    general = {
        "steps": 1000,
        "threads": 1,
        "encoder": {"width": 8, "depth": 2},
        "collection": {"num_envs": 32, "num_steps": 6},
        "validation": {"games": 12, "every": 3},
    }
    return TrainConfig.for_problem(KAYLES, **{**general, **options})


def small_policy() -> ValuedPolicy:
    run = config_of()
    return ValuedPolicy(Kayles.features, Kayles.actions, run.encoder, run.heads)


@pytest.fixture(name="pool")
def _pool() -> OpponentPool:
    pool = OpponentPool(small_policy, size=2)
    for _ in range(3):
        pool.add(small_policy().state_dict())
    pool.set_best(small_policy().state_dict())
    return pool


def test_opponents_have_moved_whenever_one_is_asked(pool: OpponentPool) -> None:
    """Side and opponent stay for a game; rewards are those of the side that is asked, whoever ends the game."""
    games = LiveGames(Kayles(), GeneratedInstances(GAMES, 0, block=64), 24, pool, 16, seeded())
    policy, won = small_policy(), []
    for _ in range(12):
        asked = games.against != ITSELF
        assert torch.equal(Kayles().player(games.state)[asked], games.side[asked])
        assert not bool(asked[16:].any())
        step = games.step(policy.act(games.observe(), seeded()).action)
        assert set(step.reward[step.terminated].tolist()) <= {-1.0, 1.0}
        won += step.reward[step.terminated & asked].tolist()
    assert {-1.0, 1.0} == set(won)
    assert bool((games.against[:16] != ITSELF).all())
    assert bool((pool.score != 0.5).any())


def test_both_sides_are_learned_from(pool: OpponentPool) -> None:
    games = LiveGames(Kayles(), GeneratedInstances(GAMES, 0, block=64), 8, pool, 0, seeded())
    rollout = collect_steps(games, small_policy(), 5, seeded())
    player = players(Kayles(), rollout.states, torch.device("cpu"))[:40].view(5, 8)
    assert bool((player[1:] != player[:-1])[~rollout.terminated[:-1]].all())


def test_a_run_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    quiet = Console(quiet=True)
    whole = train(KAYLES, config_of(algorithm="a2c"), tmp_path / "whole", quiet)
    going_on = TrainingRun(KAYLES, config_of(algorithm="a2c"), tmp_path / "part")
    going_on.evaluate()
    going_on.has_begun = True
    for _ in range(3):
        going_on.iterate()
    going_on.evaluate()
    (tmp_path / "part").mkdir()
    going_on.save()
    (tmp_path / "part" / "config.json").write_text(going_on.text.config)
    found = resume(tmp_path / "part", console=quiet, trust=True)
    assert found.counters == replace(whole.counters, seconds=found.counters.seconds)
    for key, tensor in whole.algorithm.state_dict().items():
        assert torch.equal(tensor, found.algorithm.state_dict()[key]), key
    gates = [(tmp_path / name / "gate.csv").read_text() for name in ("whole", "part")]
    assert gates[0] == gates[1]
    assert gates[0].splitlines()[1] == "0,-1,0,0,0,0,0,0.0000,1"
    ratings = json.loads((tmp_path / "whole" / "ratings.json").read_text())
    assert len(ratings) == len(gates[0].splitlines()) - 1 + len(KAYLES.opponents)
    assert (tmp_path / "whole" / "curve.png").exists()
    agent = load(tmp_path / "whole", trust=True)
    assert agent.policy.value(Kayles().observe(Kayles().reset(GAMES(3, seeded())))).shape == (3,)


def test_a_broken_candidate_is_rejected_and_the_best_stays(tmp_path: Path) -> None:
    """A policy that wins where it can meets one that has lost its mind."""
    run = scripted_run(tmp_path)
    evaluator, good, broken = run.evaluator, _Winner(), _Loser()
    assert evaluator.evaluate(good)["gate_passed"] == 1
    found = evaluator.evaluate(broken)
    assert found["gate_passed"] == 0
    assert not evaluator.improves(found, None)
    kept = {name: tensor.clone() for name, tensor in evaluator.pool.weights[0].items()}
    assert torch.equal(kept["wins"], torch.ones(()))
    again = evaluator.evaluate(_Winner())  # as good as the best, so not surely better
    assert again["gate_passed"] == 0
    assert [row[-1] for row in evaluator.gate.tolist()] == [1, 0, 0]
    fixed = len(KAYLES.opponents)
    assert evaluator.ratings[fixed].value > evaluator.ratings[fixed + 1].value


def test_the_broken_one_is_replaced_by_the_good_one(tmp_path: Path) -> None:
    run = scripted_run(tmp_path)
    assert run.evaluator.evaluate(_Loser())["gate_passed"] == 1
    assert run.evaluator.evaluate(_Winner())["gate_passed"] == 1


def test_a_match_of_one_decided_pair_says_nothing_and_can_be_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pair has no interval: the gate stays shut, its log holds numbers, and the run can be resumed."""
    run, other = (scripted_run(tmp_path) for _ in range(2))
    assert run.evaluator.evaluate(_Loser())["gate_passed"] == 1
    monkeypatch.setattr(run.evaluator, "_meet", lambda one, other: (Score(2, 2, 0), Score(1, 1, 0)))
    found = run.evaluator.evaluate(_Winner())
    assert (found["gate_passed"], found["gate_low"]) == (0, 0)
    other.evaluator.load_state_dict(run.evaluator.state_dict())


class _Scripted(ValuedPolicy):
    """Looks at what each move leads to; `wins` says whether it takes or avoids moves that end the game."""

    def __init__(self, wins: float) -> None:
        config = config_of()
        super().__init__(Kayles.features, Kayles.actions, config.encoder, config.heads)
        self.register_buffer("wins", torch.tensor(wins))

    @override
    def best(self, observation: Observation) -> Tensor:
        graph, (mask,) = observation.graph, observation.masks
        taken = mask.long() + segment_sum(mask[graph.edge_index[0]].long(), graph.in_edges)
        left = segment_sum(mask.long(), graph.node_segments)[graph.node_graph] - taken
        ends = (left == 0).float() * (2 * self.wins - 1)
        return segment_argmax(ends.masked_fill(~mask, -torch.inf), graph.node_segments)


def scripted_run(directory: Path) -> TrainingRun:
    """A run whose pool holds scripted policies."""
    run = TrainingRun(KAYLES, config_of(validation={"games": 60}), directory)
    run.evaluator.pool.make = _Loser  # type: ignore[attr-defined]
    return run


def _Winner() -> _Scripted:
    return _Scripted(1.0)


def _Loser() -> _Scripted:
    return _Scripted(0.0)


def test_what_learns_no_games_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="dqn: learns no games of two sides; choose one of ppo, a2c"):
        TrainConfig.for_problem(KAYLES, "dqn")
    with pytest.raises(ConfigError, match="penalty: games"):
        config_of(collection={"invalid": {"handling": "penalty"}})
    assert isinstance(KAYLES.game, Game)
    with pytest.raises(ValueError, match="is a game"):
        _ = KAYLES.optimization


@pytest.mark.parametrize(
    ("part", "name", "change", "message"),
    [
        ("evaluator", "encounters", lambda tensor: tensor + 99, "has not had"),
        ("evaluator", "encounters", lambda tensor: tensor[:, :3], "has not had"),
        ("evaluator", "places", lambda tensor: tensor - 1, "has not had"),
        ("evaluator", "gate", lambda tensor: tensor * float("nan"), "has not had"),
        ("evaluator", "pool.score", lambda tensor: tensor[:1], "one number from 0 to 1"),
        ("evaluator", "pool.added", lambda tensor: -tensor - 1, "one number from 0 to 1"),
        ("evaluator", "pool.99.x", None, "has no place 99"),
        ("collector", "against", lambda tensor: tensor + 7, "not in the pool"),
        ("collector", "side", lambda tensor: tensor + 2, "not in the pool"),
    ],
)
def test_what_a_strangers_checkpoint_says_of_games_leads_somewhere(
    part: str, name: str, change: Callable[[Tensor], Tensor] | None, message: str, tmp_path: Path
) -> None:
    run = TrainingRun(KAYLES, config_of(), tmp_path)
    run.evaluator.evaluate(run.policy)
    other = getattr(TrainingRun(KAYLES, config_of(), tmp_path), part)
    if part == "collector":
        other.vector.pool.load_state_dict(run.collector.vector.pool.state_dict())  # type: ignore[attr-defined]
    state = {key: tensor.clone() for key, tensor in getattr(run, part).state_dict().items()}
    other.load_state_dict(state)
    state[name] = torch.zeros(1) if change is None else change(state[name])
    with pytest.raises(ValueError, match=message):
        other.load_state_dict(state)
