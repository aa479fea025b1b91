"""PettingZoo environments whose agents come and go."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from pettingzoo import ParallelEnv

from frameworks.foreign.foreign_environments import GRAPH
from graphwright.core import ActionSpec, GraphError, per_graph, per_node
from graphwright.frameworks.foreign.pettingzoo import from_pettingzoo

AGENTS = ["fox", "hare", "owl", "wolf"]
# Who is alive before each step; after the last one the environment begins anew. The hare is cut short, others die.
ALIVE = [["fox", "hare"], ["fox", "hare", "owl"], ["owl"], ["wolf", "owl"]]


class Meadow(ParallelEnv):
    """Agents see themselves (their number) and the time, at as many nodes as their number plus one, or as a vector."""

    metadata = {"name": "meadow"}  # noqa: RUF012

    def __init__(self, vector: bool = False) -> None:
        self.vector = vector
        self.possible_agents = AGENTS
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> spaces.Space:
        box = spaces.Box(-9, 99, (2,))
        return spaces.Dict({"observation": box, "action_mask": spaces.MultiBinary(3)}) if self.vector else GRAPH

    def action_space(self, agent: str) -> spaces.Space:
        return spaces.Discrete(12)

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        self.time, self.agents = 0, list(ALIVE[0])
        return self._observe(self.agents)

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        assert list(actions) == ALIVE[self.time]
        self.time += 1
        self.agents = list(ALIVE[self.time]) if self.time < len(ALIVE) else []
        gone = {agent: agent not in self.agents for agent in actions}
        reward = {agent: 100.0 * AGENTS.index(agent) + action for agent, action in actions.items()}
        cut = {agent: agent == "hare" and over for agent, over in gone.items()}
        return self._observe([*actions, *self.agents])[0], reward, gone | {"hare": False}, cut, {}

    def _observe(self, agents: list[str]) -> tuple[dict, dict]:
        return {agent: self._see(agent) for agent in agents}, {}

    def _see(self, agent: str) -> Any:
        number = AGENTS.index(agent)
        seen = np.array([number, self.time], np.float32)
        if self.vector:
            return {"observation": seen, "action_mask": np.array([1, 0, 1], np.int8)}
        return spaces.GraphInstance(np.tile(seen, (number + 1, 1)), np.zeros((1, 1)), np.zeros((1, 2), np.int64))


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


def test_a_vector_is_a_graph_of_one_node() -> None:
    vector = from_pettingzoo(partial(Meadow, vector=True), 2, actions=ActionSpec(per_graph("go", 3)))
    assert vector.state.nodes["x"].tolist() == [[0, 0], [1, 0]] * 2
    assert vector.observe().masks[0].tolist() == [[True, False, True]] * 4
    assert vector.step(torch.tensor([0, 2, 2, 0])).reward.tolist() == [0, 102, 2, 100]


class Unlike(Meadow):
    def observation_space(self, agent: str) -> spaces.Space:
        return spaces.Box(-9, 9, (1 + AGENTS.index(agent),))


def test_agents_that_observe_other_columns_are_refused() -> None:
    with pytest.raises(GraphError, match="agent 'hare' observes other columns"):
        from_pettingzoo(Unlike, 1, actions=ActionSpec(per_graph("go", 3)))
