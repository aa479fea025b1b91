"""Teams of others: a graph for each environment, whose agents die, leave and join."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from rich.console import Console

from frameworks.foreign.foreign_environments import INSECTS, PRESENT, Relay
from graphwright.core import ActionSpec, GraphError, per_graph
from graphwright.frameworks.foreign import (
    ForeignTraining,
    ForeignVectorEnv,
    WorkerWarning,
    from_gymnasium,
    play_episodes,
    resume_foreign,
    train_foreign,
)
from graphwright.frameworks.foreign.pettingzoo import from_pettingzoo
from graphwright.frameworks.foreign.team import from_team
from graphwright.frameworks.foreign.vmas import VmasVectorEnv
from graphwright.nn import EncoderConfig
from graphwright.training.checkpoint import CheckpointError
from graphwright.training.collectors.replay import ExploringReplayConfig, ReplayConfig
from graphwright.training.config import ConfigError

SMALL = EncoderConfig(width=8, depth=1, kind="gin")
QUIET = Console(quiet=True)


def numbers(vector: ForeignVectorEnv) -> list[list[float]]:
    return vector.state.nodes["x"].tolist()


@pytest.mark.parametrize("workers", [0, 2])
def test_agents_that_die_leave_and_join_are_followed(workers: int) -> None:
    with from_team(Relay, 2, workers) as vector:
        for _ in range(2):
            expected = [
                ([0, -1, 1], False, []),
                ([0, 1], False, []),
                ([0, 1, 2], True, [[0, 3], [2, 3], [3, 3]]),  # of all; the others go on
                ([-1, 0], True, [[3, 4]]),  # the ant has died
            ]
            for time, (successor, truncated, final) in enumerate(expected):
                alive = [INSECTS.index(agent) for agent in PRESENT[time]]
                vector.state.validate()
                assert numbers(vector) == [[number, time] for number in alive] * 2
                action = torch.arange(2 * len(alive)) % 3
                step = vector.step(action)
                assert step.reward.tolist() == [
                    10.0 * n + does for n, does in zip(alive * 2, action.tolist(), strict=True)
                ]
                assert step.successor is not None
                assert step.successor.tolist() == successor * 2
                assert step.terminated.tolist() == [False, False]
                assert step.truncated.tolist() == [truncated, truncated]
                assert step.final.nodes["x"].tolist() == final * 2


def test_all_agents_see_each_other_or_whom_links_name() -> None:
    everyone = from_team(Relay, 1).state
    assert everyone.edge_index.T.tolist() == [[1, 0], [2, 0], [0, 1], [2, 1], [0, 2], [1, 2]]
    some = from_team(Relay, 1, links=lambda env, agents: [("ant", "cat"), ("cat", "ant")], identity=True).state
    assert sorted(some.edge_index.T.tolist()) == [[0, 2], [2, 0]]
    assert some.nodes["identity"].tolist() == torch.eye(4)[:3].tolist()
    with pytest.raises(GraphError, match="links: agent 'dog' is not in the graph"):
        from_team(Relay, 1, links=lambda env, agents: [("ant", "dog")])


def test_agents_that_are_cut_off_are_linked_to_the_last() -> None:
    with from_team(Relay, 1, links=lambda env, agents: pairwise(agents)) as vector:
        for alive in PRESENT[:3]:
            step = vector.step(torch.zeros(len(alive), dtype=torch.int64))
    assert sorted(step.final.edge_index.T.tolist()) == [[0, 1], [1, 0], [1, 2], [2, 1]]


class Stays(Relay):
    """Three agents, of which `ends` end in every second step: terminated or `cut`, yet kept among those alive."""

    def __init__(self, ends: list[str], cut: bool = False) -> None:
        super().__init__()
        self.ends, self.cut = ends, cut

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        self.time += 1
        over = {agent: agent in self.ends and self.time % 2 == 0 for agent in actions}
        never = dict.fromkeys(actions, False)
        ends = (never, over) if self.cut else (over, never)
        return self._seen(self.agents), dict.fromkeys(actions, 0.0), *ends, {}


def test_an_agent_that_begins_anew_moves_nobody_else() -> None:
    with from_team(partial(Stays, ["ant"]), 1) as vector:
        action = torch.zeros(3, dtype=torch.int64)
        found = [vector.step(action).successor for _ in range(2)]
        assert [places.tolist() for places in found if places is not None] == [[0, 1, 2], [-1, 1, 2]]
        assert numbers(vector) == [[0, 2], [1, 2], [2, 2]]


@pytest.mark.parametrize("cut", [False, True])
def test_an_episode_ends_where_agents_are_kept_after_their_end(cut: bool) -> None:
    with from_team(partial(Stays, ["ant", "bee", "cat"], cut), 1) as vector:
        for _ in range(2):
            for time, over in enumerate([False, True]):
                assert numbers(vector) == [[number, time] for number in range(3)]
                step = vector.step(torch.zeros(3, dtype=torch.int64))
                assert (step.terminated.item(), step.truncated.item()) == (over and not cut, over and cut)
    make = partial(Stays, ["ant", "bee", "cat"], cut)
    with from_pettingzoo(make, 1, actions=ActionSpec(per_graph("act", 3))) as each:
        for time in (0, 1, 0, 1):
            assert numbers(each) == [[number, time] for number in range(3)]
            each.step(torch.zeros(3, dtype=torch.int64))


def test_numbers_are_scaled_to_their_bounds() -> None:
    with from_team(partial(Relay, True), 1) as vector:
        assert vector.step(torch.tensor([[-1.0], [0.5], [1.0]])).reward.tolist() == [-4, 12, 24]


@pytest.mark.parametrize(
    ("space", "said"),
    [(spaces.Box(0, np.inf, (1,)), "bounded on one side only"), (spaces.Box(0, 5, (1,), np.int64), "are no int64")],
)
def test_numbers_that_no_agent_could_give_are_refused_at_once(space: spaces.Space, said: str) -> None:
    class Bounded(Relay):
        def action_space(self, agent: str) -> spaces.Space:
            return space

    with pytest.raises(ValueError, match=said):
        from_team(Bounded, 1)


def test_a_step_that_nobody_answers_is_lost_and_no_other() -> None:
    with from_team(partial(Relay, fails=1), 2) as vector:
        vector.step(torch.zeros(6, dtype=torch.int64))
        with pytest.warns(WorkerWarning, match="out of breath"):
            step = vector.step(torch.ones(4, dtype=torch.int64))
        assert step.reward.tolist() == [0, 0, 0, 0]
        assert step.successor is not None
        assert step.successor.tolist() == [0, 1, 0, 1]
        assert step.truncated.all()
        assert step.lost is not None
        assert step.lost.all()
        assert step.final.nodes["x"].tolist() == [[0, 1], [2, 1]] * 2
        assert numbers(vector) == [[0, 0], [1, 0], [2, 0]] * 2


@pytest.mark.parametrize("algorithm", ["ippo", "mappo", "central-v", "coma", "iql", "qmix", "maddpg", "awac"])
def test_every_algorithm_for_teams_learns_where_agents_come_and_go(algorithm: str, tmp_path: Path) -> None:
    replays = {
        "iql": ExploringReplayConfig,
        "qmix": ExploringReplayConfig,
        "maddpg": ReplayConfig,
        "awac": ReplayConfig,
    }
    replay = replays[algorithm](warm_up=16, num_minibatches=1, minibatch_size=16) if algorithm in replays else None
    config = ForeignTraining(steps=64, num_steps=8, algorithm=algorithm, encoder=SMALL, threads=1, replay=replay)
    with from_team(Relay, 2) as vector, from_team(Relay, 2, seed=1) as watched:
        run = train_foreign(vector, config, tmp_path / "run", QUIET, validation=watched)
        assert all(np.isfinite(row["grad_norm"]) for row in run.rows)
        gone_on = resume_foreign(vector, tmp_path / "run", steps=96, console=QUIET, validation=watched)
    assert (run.counters.steps, gone_on.counters.steps) == (64, 96)


def test_a_replay_goes_on_with_what_it_remembers(tmp_path: Path) -> None:
    replay = ExploringReplayConfig(warm_up=16, num_minibatches=1, minibatch_size=16)
    config = ForeignTraining(steps=32, num_steps=8, algorithm="qmix", encoder=SMALL, threads=1, replay=replay)
    with from_team(Relay, 2) as vector:
        train_foreign(vector, config, tmp_path / "run", QUIET)
        collector: Any = resume_foreign(vector, tmp_path / "run", steps=48, console=QUIET).collector
    assert len(collector.replay) == 48
    with (
        from_team(Relay, 3) as more,
        pytest.raises(CheckpointError, match="2 episodes were played side by side, and the"),
    ):
        resume_foreign(more, tmp_path / "run", steps=64, console=QUIET)


def test_longer_returns_are_asked_for_with_the_steps_that_bound_them() -> None:
    asked = ForeignTraining(algorithm="qmix", num_steps=16, replay=ExploringReplayConfig(n_step=12, num_steps=16))
    assert asked.replay is not None
    assert asked.replay.n_step == 12
    with pytest.raises(ConfigError, match=r"replay\.num_steps"):
        ForeignTraining(algorithm="qmix", num_steps=16, replay=ExploringReplayConfig(num_steps=12))
    with pytest.raises(ValueError, match="num_envs=0: give at least 1"):
        from_team(Relay, 0)


def test_what_is_remembered_is_what_was_played(tmp_path: Path) -> None:
    """The team's reward of each step, and the successor of each agent, as the rules above have them."""
    replay = ReplayConfig(warm_up=8, n_step=1)
    config = ForeignTraining(steps=8, num_steps=8, algorithm="awac", encoder=SMALL, threads=1, replay=replay)
    with from_team(Relay, 1) as vector:
        collector: Any = train_foreign(vector, config, tmp_path / "run", QUIET).collector
    found = collector.replay.select(collector.replay.ids)
    decisions = found.groups["decisions"].columns
    assert decisions["successor"].tolist() == [0, -1, 1, 0, 1, 0, 1, 2, -1, 0] * 2
    assert decisions["reward"].flatten().tolist() == (10 * ALIVE_NUMBERS + decisions["action"]).tolist()
    assert found.state.nodes["x"][:, 0].tolist() == ALIVE_NUMBERS.tolist()
    assert not found.columns["terminated"].any()


ALIVE_NUMBERS = torch.tensor([INSECTS.index(agent) for alive in PRESENT for agent in alive] * 2)


def test_what_is_no_team_is_refused_in_one_line() -> None:
    class Other(Relay):
        def action_space(self, agent: str) -> spaces.Space:
            return spaces.Discrete(3 if agent == "ant" else 4)

    with pytest.raises(
        GraphError, match=r"agent 'bee' has the action_space Discrete\(4\), and 'ant' has Discrete\(3\)"
    ):
        from_team(Other, 1)
    nobody = Relay()
    nobody.possible_agents = []
    with pytest.raises(GraphError, match="`possible_agents` is empty"):
        from_team(lambda: nobody, 1)
    with pytest.raises(ValueError, match="is played by one; take from_gymnasium"):
        from_team(lambda: gymnasium.make("CartPole-v1"), 1)
    with from_gymnasium("CartPole-v1", 2, actions=ActionSpec(per_graph("push", 2))) as vector:
        for algorithm, said in (("qmix", "from_team"), ("imitation", "take ppo")):
            with pytest.raises(ConfigError, match=said):
                train_foreign(vector, ForeignTraining(steps=8, algorithm=algorithm), "nowhere", QUIET)
    for replay, said in (
        (ReplayConfig(), "fed by a ExploringReplayConfig"),
        (ExploringReplayConfig(data="rec"), "replay.data: says nothing"),
    ):
        with pytest.raises(ConfigError, match=said):
            ForeignTraining(algorithm="qmix", replay=replay)
    with pytest.raises(ConfigError, match="learns from each step once"):
        ForeignTraining(algorithm="ppo", replay=ReplayConfig())


def test_an_agent_without_a_legal_action_is_named() -> None:
    class Stuck(Relay):
        def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
            *answer, _ = super().step(actions)
            return (*answer, {"cat": {"action_mask": np.zeros(3, np.int8)}})  # type: ignore[return-value]

    vector = from_team(Stuck, 1)
    with pytest.raises(GraphError, match="environment 0: agent 'cat' is alive and has no legal action"):
        vector.step(torch.zeros(3, dtype=torch.int64))


def test_an_agent_that_is_cut_off_needs_no_legal_action() -> None:
    class Over(Relay):
        def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
            *answer, _ = super().step(actions)
            none = {"action_mask": np.zeros(3, np.int8)}
            return (*answer, {agent: none for agent in actions if agent not in self.agents})  # type: ignore[return-value]

    with from_team(Over, 1) as vector:
        for alive in PRESENT[:4]:
            step = vector.step(torch.zeros(len(alive), dtype=torch.int64))
        assert step.final.nodes["x"].tolist() == [[3, 4]]


class Duet(gymnasium.Env):
    """Two players, each paid for what the other does; three steps."""

    observation_space = spaces.Tuple([spaces.Box(0, 9, (2,))] * 2)
    action_space = spaces.Tuple([spaces.Discrete(3)] * 2)

    def __init__(self, reward: str = "each") -> None:
        self.reward = reward

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[tuple, dict]:
        self.time = 0
        return self._seen(), {}

    def step(self, action: tuple[int, int]) -> tuple[tuple, Any, bool, bool, dict]:
        self.time += 1
        reward = [float(action[1]), float(action[0])]
        return self._seen(), reward if self.reward == "each" else sum(reward), self.time == 3, False, {}

    def _seen(self) -> tuple[np.ndarray, np.ndarray]:
        return tuple(np.array([player, self.time], np.float32) for player in range(2))  # type: ignore[return-value]


def test_players_of_a_tuple_are_a_team() -> None:
    with pytest.raises(ValueError, match=r"take team\.from_team"):
        from_gymnasium(Duet, 1, actions=ActionSpec(per_graph("go", 3)))
    with from_team(Duet, 2) as vector:
        assert numbers(vector) == [[0, 0], [1, 0]] * 2
        step = vector.step(torch.tensor([0, 1, 2, 0]))
        assert step.reward.tolist() == [1, 0, 0, 2]
        assert play_episodes(vector, lambda seen: torch.full((4,), 2), 2).tolist()[1] == [8.0, 12.0]
    same = Duet()
    with pytest.raises(ValueError, match="played already"):
        from_team(lambda: same, 2)
    with from_team(partial(Duet, "all"), 1) as vector, pytest.raises(GraphError, match="there are 2 players"):
        vector.step(torch.tensor([0, 1]))


def test_players_are_told_their_masks() -> None:
    class Masked(Duet):
        def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[tuple, dict]:
            return super().reset()[0], {"action_mask": np.array([[1, 0, 1], [0, 1, 1]], np.int8)}

    with from_team(Masked, 1) as vector:
        assert vector.observe().masks[0].tolist() == [[True, False, True], [False, True, True]]


@pytest.mark.parametrize("name", ["lbforaging", "knights_archers_zombies"])
def test_published_teams_are_played_as_they_are(name: str) -> None:
    pytest.importorskip({"lbforaging": "lbforaging", "knights_archers_zombies": "pygame"}[name])
    with from_team(partial(published, name), 1, seed=5) as vector:
        env = vector.pool.group.envs[0].env  # type: ignore[attr-defined]
        for turn in range(12):
            assert len(vector.state.nodes["x"]) == len(env.agents)
            choices = vector.observe().masks[0].shape[1]
            step = vector.step((turn + torch.arange(len(env.agents))) % choices)
            assert step.reward.shape == (len(env.possible_agents),)
        assert vector.state.nodes["x"].shape[1] == spaces.flatdim(env.observation_space(env.possible_agents[0]))


def published(name: str) -> Any:
    if name == "mpe2":
        from mpe2 import simple_spread_v3

        return simple_spread_v3.parallel_env(N=3)
    if name == "lbforaging":
        import lbforaging  # noqa: F401

        return gymnasium.make("Foraging-8x8-2p-2f-coop-v3", disable_env_checker=True)
    from pettingzoo.butterfly import knights_archers_zombies_v11

    return knights_archers_zombies_v11.parallel_env()


def test_spread_of_mpe2_is_stepped_as_by_hand() -> None:
    pytest.importorskip("mpe2")
    by_hand = published("mpe2")
    with from_team(partial(published, "mpe2"), 1, seed=3) as vector:
        first = np.stack([vector.state.nodes["x"].numpy()[row] for row in range(3)])
        env = vector.pool.group.envs[0].env  # type: ignore[attr-defined]
        seen, _ = by_hand.reset(seed=vector.pool._seed_of(0))  # type: ignore[attr-defined]
        np.testing.assert_array_equal(first, np.stack([seen[agent] for agent in env.agents]))
        for turn in range(25):
            action = torch.tensor([turn % 5, (turn + 1) % 5, 3])
            seen, reward, _, truncated, _ = by_hand.step(dict(zip(by_hand.agents, action.tolist(), strict=True)))
            step = vector.step(action)
            np.testing.assert_allclose(step.reward.numpy(), list(reward.values()), rtol=1e-6)
            last = step.final if all(truncated.values()) else vector.state
            np.testing.assert_array_equal(last.nodes["x"].numpy(), np.stack(list(seen.values())))


class Balls:
    """As VMAS has it: two teams of two balls on a line, which move by what they do and are paid for where they are."""

    terminated_truncated, num_envs, device = True, 2, "cpu"

    def __init__(self, numbers: bool = False, steps: int = 3) -> None:
        space: Any = spaces.Box(-2.0, 2.0, (1,)) if numbers else spaces.Discrete(3)
        self.action_space, self.horizon = (space, space), steps

    def reset(self) -> list[torch.Tensor]:
        self.at, self.time = torch.zeros(2, 2), torch.zeros(2)
        return self._seen()

    def reset_at(self, index: int, return_observations: bool) -> None:
        self.at[index], self.time[index] = 0, 0

    def get_from_scenario(self, **asked: bool) -> list[list[torch.Tensor]]:
        assert [name for name, value in asked.items() if value] == ["get_observations"]
        return [self._seen()]

    def step(self, actions: list[torch.Tensor]) -> tuple[Any, ...]:
        self.at = self.at + torch.cat(actions, dim=1)
        self.time = self.time + 1
        return self._seen(), list(self.at.unbind(1)), self.at[:, 0] > 4, self.time >= self.horizon, [{}, {}]

    def _seen(self) -> list[torch.Tensor]:
        return [torch.stack([at, self.time], dim=1) for at in self.at.unbind(1)]


def test_vmas_steps_all_teams_at_once_and_resets_those_that_are_done(tmp_path: Path) -> None:
    vector = VmasVectorEnv(Balls())
    vector.state.validate()
    step = vector.step(torch.tensor([2, 0, 1, 1]))
    assert step.reward.tolist() == [2, 0, 1, 1]
    assert vector.state.nodes["x"].tolist() == [[2, 1], [0, 1], [1, 1], [1, 1]]
    vector.step(torch.tensor([2, 0, 0, 0]))
    step = vector.step(
        torch.tensor([2, 1, 0, 2])
    )  # the first team ends where it would have been cut, the second is cut
    assert (step.terminated.tolist(), step.truncated.tolist()) == ([True, False], [False, True])
    assert step.final.nodes["x"].tolist() == [[1, 3], [3, 3]]
    assert vector.state.nodes["x"].tolist() == [[0, 0]] * 4
    scaled = VmasVectorEnv(Balls(numbers=True)).step(torch.tensor([[1.0], [-0.5], [0.0], [3.0]]))
    assert scaled.reward.tolist() == [2, -1, 0, 2]
    config = ForeignTraining(steps=32, num_steps=8, algorithm="mappo", encoder=SMALL, threads=1)
    assert train_foreign(vector, config, tmp_path / "run", QUIET).counters.steps == 32


def test_vmas_that_says_not_what_cuts_an_episode_is_refused() -> None:
    plain = Balls()
    plain.terminated_truncated = False
    with pytest.raises(ValueError, match="terminated_truncated=True"):
        VmasVectorEnv(plain)
    named = Balls()
    named.reset = lambda: {"a": torch.zeros(2, 2), "b": torch.zeros(2, 2)}  # type: ignore[assignment, method-assign, return-value]
    with pytest.raises(GraphError, match="dict_spaces=False"):
        VmasVectorEnv(named)
    several = Balls()
    several.action_space = (spaces.Discrete(3), spaces.Discrete(5))
    with pytest.raises(GraphError, match="agent 1 has 5 actions, and agent 0 has 3"):
        VmasVectorEnv(several)
