"""Runs of teams: resumed ones equal uninterrupted ones, of any size of team, and what cannot be is one line."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from algorithms.multiagent.teams import made, remembered
from decision_environments import ENVIRONMENTS
from graphwright.algorithms.valued import SharingDeciders
from graphwright.core import from_edges
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.registry import find_problem
from graphwright.training.agent import load
from graphwright.training.checkpoint import TRAINER_FILE, load_checkpoint
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.evaluate_team import TeamOptions, evaluate_team
from graphwright.training.interrupt import Interrupted, Interruption
from graphwright.training.train import resume, train, with_agents

QUIET = Console(quiet=True)
STEPS = {"num_envs": 8, "num_steps": 4}
REPLAY = {**STEPS, "warm_up": 32, "capacity": 100, "minibatch_size": 16, "num_minibatches": 2}


class AfterIterations(Interruption):
    """Asks the run to stop when it has looked `count` times."""

    def __init__(self, count: int) -> None:
        self.left = count

    @property
    def signal(self) -> signal.Signals | None:  # type: ignore[override]
        self.left -= 1
        return signal.SIGINT if self.left < 0 else None


def config_of(algorithm: str, collection: dict[str, Any], **settings: Any) -> TrainConfig:
    return TrainConfig.for_problem(
        "coverage",
        algorithm,
        steps=128,
        threads=1,
        environment={"steps": 8},
        encoder={"width": 8, "depth": 1},
        collection={**collection, "sizes": (2, 3)},
        validation={"sizes": (2,), "graphs": 2},
        settings=settings,
        checkpoint_seconds=0.0,
    )


@pytest.mark.parametrize(
    ("algorithm", "collection"), [("qmix", REPLAY), ("maddpg", REPLAY), ("coma", STEPS), ("mappo", STEPS)]
)
def test_resumed_equals_uninterrupted_bit_for_bit(
    algorithm: str, collection: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(algorithm, collection)
    whole = train("coverage", config, tmp_path / "whole", QUIET)
    with monkeypatch.context() as patch:
        patch.setattr("graphwright.training.interrupt.Interruption", lambda: AfterIterations(2))
        with pytest.raises(Interrupted):
            train("coverage", config, tmp_path / "parts", QUIET)
    parts = resume(tmp_path / "parts", console=QUIET)
    assert parts.counters.iteration == whole.counters.iteration == 4
    for name, tensor in whole.algorithm.state_dict().items():
        assert torch.equal(tensor, parts.algorithm.state_dict()[name]), name
    assert load(tmp_path / "parts").policy.state_dict().keys() == whole.algorithm.acting_state().keys()


@pytest.mark.parametrize(("algorithm", "collection"), [("qmix", REPLAY), ("central-v", STEPS)])
def test_more_agents_than_concatenated_inputs_hold_are_one_line(
    algorithm: str, collection: dict[str, Any], tmp_path: Path
) -> None:
    config = config_of(algorithm, collection, inputs="concatenated", max_agents=2)
    with pytest.raises(
        ValueError, match=f"--{algorithm}.max-agents 2: a graph has 3 agents; give at least 3"
    ) as caught:
        train("coverage", config, tmp_path / "run", QUIET)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("algorithm", "collection"), [("qmix", REPLAY), ("mappo", STEPS)])
def test_a_run_goes_on_with_teams_of_another_size(algorithm: str, collection: dict[str, Any], tmp_path: Path) -> None:
    """Networks, optimizers, live episodes and replay stay; the teams that begin from then on are larger."""
    before = train("coverage", config_of(algorithm, collection), tmp_path / "run", QUIET)
    again = resume(tmp_path / "run", steps=128, agents=(6,), console=QUIET)
    assert again.config.collection.sizes == before.config.collection.sizes  # nothing is left to do, and nothing changes
    stored, state = load_checkpoint(tmp_path / "run" / TRAINER_FILE)[0], before.algorithm.state_dict()
    for name, tensor in before.collector.state_dict().items():
        assert torch.equal(tensor, stored[f"collector.{name}"]), name
    assert all(torch.equal(tensor, stored[f"algorithm.{name}"]) for name, tensor in state.items())
    after = resume(tmp_path / "run", steps=256 + 8 * 8, agents=(6,), console=QUIET)
    assert after.config.collection.sizes == (6,)
    assert set(after.collector.vector.state.node_segments.lengths.tolist()) == {12}  # type: ignore[attr-defined]
    moved = after.algorithm.state_dict()
    assert [name for name in state if name.startswith("policy.") and not torch.equal(state[name], moved[name])]


@pytest.mark.parametrize(
    ("algorithm", "options"), [("qmix", {"inputs": "concatenated"}), ("maddpg", {"own_heads": True})]
)
def test_a_run_whose_places_are_fewer_does_not_go_on_with_larger_teams(
    algorithm: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """It is said at once, and not when the first such team begins."""
    train("coverage", config_of(algorithm, REPLAY, max_agents=4, **options), tmp_path / "run", QUIET)
    with pytest.raises(ConfigError, match=rf"^--agents 6: .*\(--{algorithm}.max-agents 4\); give at most 4$"):
        resume(tmp_path / "run", steps=300, agents=(2, 6), console=QUIET)


def test_agents_that_know_who_they_are_are_trained_and_evaluated(tmp_path: Path) -> None:
    config = config_of("mappo", {**STEPS, "identity": {"kind": "slot", "most": 3}})
    train("coverage", replace(config, steps=32), tmp_path / "run", QUIET)
    agent = load(tmp_path / "run")
    (row,) = evaluate_team(agent, TeamOptions(agents=(3,), episodes=2))
    assert set(row.baselines) == {"random", *agent.problem.baselines}
    with pytest.raises(ValueError, match=r"--identity\.most 3: a team has 4 agents"):
        evaluate_team(agent, TeamOptions(agents=(4,), episodes=2))


def test_nodes_of_what_is_no_team_are_not_told_apart() -> None:
    config = TrainConfig.for_problem("vertex-cover", "ppo", collection={"identity": {"kind": "one-hot"}})
    with pytest.raises(ConfigError, match=r"--identity\.kind one-hot: only agents of a team are told apart"):
        _ = config.played


@pytest.mark.parametrize(
    ("problem", "agents", "complaint"),
    [
        ("vertex-cover", (6,), "--agents: vertex-cover is not played by a team; leave it out"),
        ("coverage", (), "--agents: give at least one number of agents"),
    ],
)
def test_other_sizes_that_cannot_be_are_one_line(problem: str, agents: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        with_agents(find_problem(problem), TrainConfig.for_problem(problem), agents)


def test_a_problem_without_agents_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="--algorithm qmix: needs agents that decide for themselves, several on a graph"
    ):
        TrainConfig.for_problem("vertex-cover", "qmix")


@pytest.mark.parametrize("algorithm", ["sac", "awac"])
def test_independent_actor_critics_from_a_replay(algorithm: str) -> None:
    """Each agent has an error of its own, the parameters move, and graphs that decide are refused."""
    environment, draw = ENVIRONMENTS["spins of nodes"]
    own = made(algorithm, environment, independent=True)
    assert isinstance(own.valued, SharingDeciders)
    before = {key: tensor.clone() for key, tensor in own.state_dict().items()}
    own.update(remembered(environment, draw, own.policy, num_minibatches=3).collect(own.policy).batch, 0.0)
    state = own.state_dict()
    assert not [
        key for key in before if key.startswith(("policy.", "critic.")) and torch.equal(before[key], state[key])
    ]
    with pytest.raises(ValueError, match="needs agents that decide for themselves"):
        made(algorithm, VertexCover(), independent=True)


@pytest.mark.parametrize("dueling", [True, False])
@pytest.mark.parametrize("algorithm", ["sac", "awac"])
def test_the_value_of_an_independent_agent_is_of_what_it_sees(algorithm: str, dueling: bool) -> None:
    """A line of six spins: what the last is like changes no value beyond the encoder's sight, as pooled graphs did."""
    environment, _ = ENVIRONMENTS["spins of nodes"]
    line = torch.stack([torch.arange(5), torch.arange(1, 6)])
    columns = {"field": torch.arange(6).float()}, {"coupling": torch.ones(5)}
    graph = from_edges(line, torch.tensor([6]), undirected=True, nodes=columns[0], edges=columns[1])
    for independent in (True, False):
        made_so = made(algorithm, environment, independent=independent, dueling=dueling)
        sight = len(made_so.policy.encoder.rounds)
        values = []
        for field in (5.0, -3.0):
            changed = graph.with_nodes(field=torch.cat([columns[0]["field"][:5], torch.tensor([field])]))
            both = made_so.critic(environment.observe(environment.reset(changed)))
            values.append(torch.stack([each.logits.view(6, 2) for each in both]))
        apart = (values[0] != values[1]).any(-1).any(0)
        assert bool(apart[5 - sight :].all())
        assert bool(apart[: 5 - sight].any()) != independent


def test_agents_with_networks_of_their_own_are_trained_and_no_more_of_them_than_learned(tmp_path: Path) -> None:
    config = replace(config_of("ippo", {**STEPS, "identity": {"kind": "one-hot", "most": 8}}), steps=32)
    config = replace(config, encoder=replace(config.encoder, individual=True))
    train("coverage", config, tmp_path / "run", QUIET)
    (row,) = evaluate_team(load(tmp_path / "run"), TeamOptions(agents=(2,), episodes=2), baselines=False)
    assert row.agents == 2
    complaint = r"--agents 4: each agent has a network of its own \(--encoder.individual\), and those of only 3 have"
    with pytest.raises(ConfigError, match=complaint):
        evaluate_team(load(tmp_path / "run"), TeamOptions(agents=(4,), episodes=2))
    with pytest.raises(ConfigError, match=complaint):
        resume(tmp_path / "run", agents=(4,), console=QUIET)
    more = replace(config, start=str(tmp_path / "run"), collection=replace(config.collection, sizes=(4,)))
    with pytest.raises(ConfigError, match=complaint):
        train("coverage", more, tmp_path / "more", QUIET)
