"""PettingZoo environments whose agents come and go."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from rich.console import Console

from frameworks.foreign.foreign_environments import AGENTS, ALIVE, Meadow
from graphwright.core import ActionSpec, GraphError, per_graph, per_node
from graphwright.frameworks.foreign import ForeignTraining, play_episodes, train_foreign
from graphwright.frameworks.foreign.pettingzoo import from_pettingzoo
from graphwright.nn import EncoderConfig


@pytest.mark.parametrize("workers", [0, 2])
def test_the_batch_holds_the_agents_that_are_alive(workers: int) -> None:
    with from_pettingzoo(Meadow, 3, workers, actions=ActionSpec(per_node("go"))) as vector:
        for step in range(9):
            alive = [AGENTS.index(agent) for agent in ALIVE[step % 4]]
            state = vector.state
            state.validate()
            assert state.graphs["agent"].tolist() == alive * 3
            assert state.graphs["env"].tolist() == [env for env in range(3) for _ in alive]
            assert state.node_segments.lengths.tolist() == [number + 1 for number in alive] * 3
            assert state.nodes["x"][state.node_ptr[:-1]].tolist() == [[number, step % 4] for number in alive] * 3
            answer = vector.step(state.graphs["agent"])  # the agent's last node
            assert answer.reward.tolist() == [101.0 * number for number in alive] * 3
            after = ALIVE[step % 4 + 1] if step % 4 < 3 else []
            gone = [AGENTS[number] not in after for number in alive] * 3
            cut = [over and number == 1 for over, number in zip(gone, alive * 3, strict=True)]
            assert answer.truncated.tolist() == cut
            assert answer.terminated.tolist() == [over and not short for over, short in zip(gone, cut, strict=True)]
            assert answer.final.num_graphs == sum(cut)
            if any(cut):
                assert answer.final.graphs["agent"].tolist() == [1] * 3
                assert answer.final.nodes["x"][:, 1].tolist() == [2] * 6


class Stuck(Meadow):
    """The hare may do nothing."""

    def _see(self, agent: str) -> Any:
        return super()._see(agent) | ({"action_mask": np.zeros(3, np.int8)} if agent == "hare" else {})


def test_an_agent_that_may_do_nothing_is_named() -> None:
    said = r"environment 0: agent 'hare' is alive and has no legal action; give it one, or take it out of `env.agents`"
    with pytest.raises(GraphError, match=said):
        from_pettingzoo(partial(Stuck, vector=True), 2, actions=ActionSpec(per_graph("go", 3)))


def test_a_vector_is_a_graph_of_one_node() -> None:
    vector = from_pettingzoo(partial(Meadow, vector=True), 2, actions=ActionSpec(per_graph("go", 3)))
    assert vector.state.nodes["x"].tolist() == [[0, 0], [1, 0]] * 2
    assert vector.observe().masks[0].tolist() == [[True, False, True]] * 4
    assert vector.step(torch.tensor([0, 2, 2, 0])).reward.tolist() == [0, 102, 2, 100]


def test_agents_that_go_while_others_play_on_are_refused_in_training(tmp_path: Path) -> None:
    config = ForeignTraining(steps=64, encoder=EncoderConfig(width=8, depth=1, kind="gin"))
    with (
        from_pettingzoo(Meadow, 2, actions=ActionSpec(per_node("go"))) as vector,
        pytest.raises(GraphError, match="joined or left while others play on"),
    ):
        train_foreign(vector, config, tmp_path / "run", Console(quiet=True))
    with (
        from_pettingzoo(Meadow, 2, actions=ActionSpec(per_node("go"))) as vector,
        pytest.raises(GraphError, match="joined or left while others play on"),
    ):
        play_episodes(vector, lambda observation: observation.graph.graphs["agent"])


class Herd(Meadow):
    """The fox goes and the owl comes, so that the hare takes the fox's place in the batch."""

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        self.agents = ["hare", "owl"]
        gone, stays = {agent: agent == "fox" for agent in actions}, dict.fromkeys(actions, False)
        return self._observe([*actions, "owl"])[0], dict.fromkeys(actions, 0.0), gone, stays, {}

    def _see(self, agent: str) -> Any:
        self.time = 0
        return super()._see(agent)


def test_a_row_that_passes_to_another_agent_is_refused() -> None:
    with from_pettingzoo(Herd, 2, actions=ActionSpec(per_node("go"))) as vector:
        agents = vector.with_fixed_agents()
        assert agents.observe().graph.graphs["agent"].tolist() == [0, 1, 0, 1]
        with pytest.raises(GraphError, match="joined or left"):
            agents.step(torch.zeros(4, dtype=torch.int64))


def test_a_team_that_stays_together_is_trained(tmp_path: Path) -> None:
    with from_pettingzoo(Together, 2, actions=ActionSpec(per_node("go"))) as vector:
        config = ForeignTraining(steps=64, encoder=EncoderConfig(width=8, depth=1, kind="gin"))
        rows = train_foreign(vector, config, tmp_path / "run", Console(quiet=True)).rows
    assert rows[-1]["return"] == 2.0


class Together(Meadow):
    """All four agents play two steps, each of which pays one."""

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        self.time += 1
        over = self.time == 2
        self.agents = [] if over else list(actions)
        shared = (dict.fromkeys(actions, value) for value in (1.0, False, over))
        return self._observe(list(actions))[0], *shared, {}

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        self.time, self.agents = 0, list(AGENTS)
        return self._observe(AGENTS)


class Unlike(Meadow):
    def observation_space(self, agent: str) -> spaces.Space:
        return spaces.Box(-9, 9, (1 + AGENTS.index(agent),))


def test_agents_that_observe_other_columns_are_refused() -> None:
    with pytest.raises(GraphError, match="agent 'hare' observes other columns"):
        from_pettingzoo(Unlike, 1, actions=ActionSpec(per_graph("go", 3)))


class Sized(Meadow):
    """Padded observations, each agent's to a size of its own."""

    def observation_space(self, agent: str) -> spaces.Space:
        size = 1 + AGENTS.index(agent)
        entries = {"node_features": (size, 2), "adjacency_matrix": (size, size), "action_mask": (size,)}
        return spaces.Dict({name: spaces.Box(-9, 9, shape) for name, shape in entries.items()})

    def action_space(self, agent: str) -> spaces.Space:
        return spaces.Discrete(1 + AGENTS.index(agent))


def test_padded_observations_of_several_sizes_are_refused() -> None:
    said = r"agent 'hare' observes '\w+' of shape \(2,.*; pad the observations and actions of all agents to one size"
    with pytest.raises(GraphError, match=said):
        from_pettingzoo(Sized, 1, actions=ActionSpec(per_node("go")))
