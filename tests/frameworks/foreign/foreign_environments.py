"""Gymnasium environments for tests, importable by worker processes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from pettingzoo import ParallelEnv

from graphwright.core import GraphBatch
from graphwright.envs.problems.vertex_cover.environment import VertexCover

GRAPH = spaces.Graph(node_space=spaces.Box(-np.inf, np.inf, (2,)), edge_space=spaces.Box(-np.inf, np.inf, (1,)))


class Changing(gymnasium.Env):
    """Another random graph at every step; nodes say which episode and step it is, links are weighted, in any order.

    An action is a link, which pays its weight; those of negative weight are illegal. An episode ends with probability
    0.2 at each step, or is cut short with 0.1. `form`: where the graph stands in the observation.
    """

    def __init__(self, form: str = "graph", most: int = 6) -> None:
        self.form, self.most = form, most
        self.action_space = spaces.Discrete(10_000)
        clock = spaces.Box(-np.inf, np.inf, (1,))
        self.observation_space: spaces.Space = {
            "graph": GRAPH,
            "dict": spaces.Dict({"clock": clock, "graph": GRAPH}),
            "tuple": spaces.Tuple((GRAPH, clock)),
        }[form]
        self.episode = -1

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        self.episode, self.time = self.episode + 1, 0
        return self._observe()

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict]:
        reward = self.weight[action]
        assert reward >= 0, "an illegal action was played"
        self.time += 1
        end = self.np_random.random()
        return self._observe()[0], float(reward), bool(end < 0.2), bool(0.2 <= end < 0.3), self.info

    def _observe(self) -> tuple[Any, dict]:
        size = int(self.np_random.integers(2, self.most + 1))
        links = np.argwhere(self.np_random.random((size, size)) < 0.7)
        links = np.concatenate([self.np_random.permutation(links), [[0, 1]]])
        self.weight = self.np_random.normal(size=len(links)).astype(np.float32)
        self.weight[-1] = 1.0
        nodes = np.stack([np.full(size, self.episode), np.full(size, self.time)], axis=1).astype(np.float32)
        graph = spaces.GraphInstance(nodes, self.weight[:, None], links)
        self.info = {"action_mask": self.weight >= 0}
        clock = np.array([self.time], np.float32)
        return {"graph": graph, "dict": {"graph": graph, "clock": clock}, "tuple": (graph, clock)}[self.form], self.info


class Faulty(Changing):
    """`Changing` that fails at the third step of its second episode, in the first process that plays it."""

    def __init__(self, fault: str, flag: str) -> None:
        super().__init__("graph")
        self.fault, self.flag = fault, flag

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict]:
        if self.episode == 1 and not os.path.exists(self.flag):
            open(self.flag, "x").close()
            match self.fault:
                case "raise":
                    raise RuntimeError("the simulator diverged")
                case "exit":
                    os._exit(7)
                case "sleep":
                    time.sleep(1000)
        return super().step(action)


class Cover(gymnasium.Env):
    """Vertex cover on one instance, its links in an order of their own; the mask through `action_masks`."""

    def __init__(self, instance: GraphBatch, order: list[int]) -> None:
        self.instance, self.order, self.rules = instance, order, VertexCover(view="all")
        self.action_space = spaces.Discrete(instance.num_nodes)
        self.observation_space = GRAPH

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[Any, dict]:
        self.state = self.rules.reset(self.instance)
        return self._observe(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict]:
        step = self.rules.step(self.state, torch.tensor([action]))
        self.state = step.state
        return self._observe(), step.reward.item(), bool(step.terminated), False, {}

    def action_masks(self) -> np.ndarray:
        return self.rules.observe(self.state).masks[0].numpy()

    def _observe(self) -> spaces.GraphInstance:
        graph = self.rules.observe(self.state).graph
        nodes = torch.stack([graph.nodes["selected"].float(), graph.nodes["weight"]], dim=1)
        covered = graph.edges["covered"].float()[self.order, None]
        return spaces.GraphInstance(nodes.numpy(), covered.numpy(), graph.edge_index.t()[self.order].numpy())


class Matrices(gymnasium.Env):
    """One path of three weighted nodes as matrices with room for five; the node of most weight pays most."""

    def __init__(self) -> None:
        self.action_space = spaces.Discrete(5)
        self.observation_space = spaces.Dict(
            {
                "node_features": spaces.Box(-1, 1, (5, 1)),
                "edge_features": spaces.Box(-9, 9, (25, 1)),
                "adjacency_matrix": spaces.MultiBinary((5, 5)),
                "num_nodes": spaces.Discrete(6),
                "goal": spaces.Discrete(3),
                "action_mask": spaces.MultiBinary(5),
            }
        )

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        super().reset(seed=seed)
        self.weight = np.pad(self.np_random.random((3, 1)).astype(np.float32), ((0, 2), (0, 0)))
        adjacency = np.zeros((5, 5), np.int8)
        adjacency[[0, 1, 1, 2], [1, 0, 2, 1]] = 1
        edges = np.arange(25, dtype=np.float32)[:, None]
        mask = np.array([1, 1, 1, 0, 0], np.int8)
        return {
            "node_features": self.weight,
            "edge_features": edges,
            "adjacency_matrix": adjacency,
            "num_nodes": 3,
            "goal": 2,
            "action_mask": mask,
        }, {}

    def step(self, action: int) -> tuple[dict, float, bool, bool, dict]:
        reward = float(self.weight[action, 0])
        return self.reset()[0], reward, True, False, {}


class BreaksInReset(Changing):
    def reset(self, **_: object) -> tuple:
        raise RuntimeError("no licence")


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


INSECTS = ["ant", "bee", "cat", "dog"]
PRESENT = [["ant", "bee", "cat"], ["ant", "cat"], ["ant", "cat", "dog"], ["ant", "dog"], []]
"""Who acts at each time: the bee dies, the dog joins, the cat is cut off while others play on, and in the last step the
ant dies exactly where the dog is cut off."""
DIES, CUT = {(0, "bee"), (3, "ant")}, {(2, "cat"), (3, "dog")}


class Relay(ParallelEnv):
    """Agents see their number and the time, and are paid ten times their number and what they do."""

    metadata = {"name": "relay"}  # noqa: RUF012

    def __init__(self, numbers: bool = False, fails: int = -1) -> None:
        self.possible_agents, self.numbers, self.fails = INSECTS, numbers, fails
        self.agents: list[str] = []
        self.steps = 0

    def observation_space(self, agent: str) -> spaces.Space:
        return spaces.Box(-9, 99, (2,))

    def action_space(self, agent: str) -> spaces.Space:
        return spaces.Box(-4, 4, (1,)) if self.numbers else spaces.Discrete(3)

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        self.time, self.agents = 0, list(PRESENT[0])
        return self._seen(self.agents), {}

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        assert list(actions) == self.agents == PRESENT[self.time]
        if self.steps == self.fails:
            raise RuntimeError("out of breath")
        reward = {agent: 10.0 * INSECTS.index(agent) + float(np.sum(does)) for agent, does in actions.items()}
        ended, cut = ({agent: (self.time, agent) in which for agent in actions} for which in (DIES, CUT))
        self.time, self.steps = self.time + 1, self.steps + 1
        self.agents = list(PRESENT[self.time])
        return self._seen([*actions, *self.agents]), reward, ended, cut, {}

    def _seen(self, agents: list[str]) -> dict[str, np.ndarray]:
        return {agent: np.array([INSECTS.index(agent), self.time], np.float32) for agent in agents}


class Paying(gymnasium.Env):
    """Episodes of five steps, each of which pays one; with a flag that is not there yet, the third one fails."""

    observation_space, action_space = GRAPH, spaces.Discrete(1)

    def __init__(self, flag: str | None = None) -> None:
        self.flag = flag

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[spaces.GraphInstance, dict]:
        self.time = 0
        return spaces.GraphInstance(np.zeros((1, 2)), np.zeros((1, 1)), np.array([[0, 0]])), {}

    def step(self, action: int) -> tuple[spaces.GraphInstance, float, bool, bool, dict]:
        if self.time == 2 and self.flag is not None and not Path(self.flag).exists():
            Path(self.flag).touch()
            raise RuntimeError("the simulator diverged")
        time = self.time + 1
        shown = self.reset()[0]
        self.time = time
        return shown, 1.0, time == 5, False, {}


class NoMoney(Paying):
    """Pays what is no number."""

    def step(self, action: int) -> tuple[spaces.GraphInstance, float, bool, bool, dict]:
        return (*super().step(action)[:1], float("inf"), *super().step(action)[2:])
