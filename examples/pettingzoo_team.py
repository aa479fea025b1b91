"""A team of PettingZoo agents on one graph, trained with `from_pettingzoo`.

Errands: each agent stands on a node of a ring with chords, moves to a neighbour, and is paid 1 at its goal, where it
gets another one. It observes the graph with its own place, its goal and the others' places, and chooses among its
neighbours; two agents on one node cost each of them 0.5. `python examples/pettingzoo_team.py [--seconds 30]` prints
the mean return of an agent on a ring of 12 nodes, as in training, and of 16, for the learned policy and for random
moves.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import tyro
from gymnasium import spaces
from pettingzoo import ParallelEnv
from rich.console import Console

from graphwright.cli.main import one_line_errors
from graphwright.core import ActionSpec, per_neighbour
from graphwright.envs.problem import random_choice
from graphwright.frameworks.foreign import ForeignTraining, play_episodes, train_foreign
from graphwright.frameworks.foreign.pettingzoo import from_pettingzoo
from graphwright.nn import EncoderConfig

ACTIONS = ActionSpec(per_neighbour("go"))
HORIZON = 20


class Errands(ParallelEnv):
    """Agents on a ring of `size` nodes with a chord from every other node of one half; 20 steps an episode."""

    metadata = {"name": "errands"}  # noqa: RUF012

    def __init__(self, size: int = 12, team: int = 3) -> None:
        self.possible_agents = [f"agent_{number}" for number in range(team)]
        self.agents: list[str] = []
        ring = [(node, (node + 1) % size) for node in range(size)]
        links = np.array(ring + [(node, (node + size // 2) % size) for node in range(0, size // 2, 2)])
        self.links = np.concatenate([links, links[:, ::-1]])
        self.size = size

    def observation_space(self, agent: str) -> spaces.Space:
        """The graph, and where the agent stands."""
        graph = spaces.Graph(spaces.Box(0, np.inf, (3,)), None)
        return spaces.Dict({"graph": graph, "at": spaces.Discrete(self.size)})

    def action_space(self, agent: str) -> spaces.Space:
        """The place of a link among those that leave the agent's node."""
        return spaces.Discrete(3)

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """Everyone somewhere."""
        if seed is not None or not hasattr(self, "random"):
            self.random = np.random.default_rng(seed)
        self.agents, self.time = list(self.possible_agents), 0
        self.at = {agent: int(self.random.integers(self.size)) for agent in self.agents}
        self.goal = {agent: self._another(self.at[agent]) for agent in self.agents}
        return self._observe(), {}

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        """Everyone moves."""
        for agent, action in actions.items():
            self.at[agent] = int(self.links[self.links[:, 0] == self.at[agent]][action, 1])
        reward = {}
        for agent, place in self.at.items():
            arrived = place == self.goal[agent]
            reward[agent] = float(arrived) - 0.5 * (list(self.at.values()).count(place) > 1)
            if arrived:
                self.goal[agent] = self._another(place)
        self.time += 1
        over = self.time == HORIZON
        acted, self.agents = list(actions), [] if over else self.agents
        return self._observe(), reward, dict.fromkeys(acted, over), dict.fromkeys(acted, False), {}

    def _another(self, node: int) -> int:
        return int((node + self.random.integers(1, self.size)) % self.size)

    def _observe(self) -> dict[str, dict]:
        places = np.arange(self.size)
        counts = np.bincount(list(self.at.values()), minlength=self.size)
        shown = {}
        for agent in self.possible_agents:
            own = places == self.at[agent]
            nodes = np.stack([own, counts - own, places == self.goal[agent]], axis=1).astype(np.float32)
            shown[agent] = {"graph": spaces.GraphInstance(nodes, None, self.links), "at": self.at[agent]}
        return shown


def main(seconds: float = 30) -> dict[str, list[float]]:
    """A team of PettingZoo agents on one graph: the mean return of an agent on 12 and on 16 nodes, learned and random.

    Args:
        seconds: Training time.
    """
    config = ForeignTraining(seconds=seconds, encoder=EncoderConfig(width=32, depth=4), threads=1)
    with TemporaryDirectory() as folder, from_pettingzoo(Errands, 8, actions=ACTIONS) as vector:
        policy = train_foreign(vector, config, Path(folder) / "run", Console(quiet=True)).learned()
        random = random_choice(vector.environment, torch.Generator().manual_seed(0))
    returns: dict[str, list[float]] = {}
    for name, choose in {"policy": policy.best, "random": random}.items():
        returns[name] = []
        for size in (12, 16):
            with from_pettingzoo(partial(Errands, size), 16, actions=ACTIONS, seed=1) as test:
                returns[name].append(float(play_episodes(test, choose).mean()))
    return returns


if __name__ == "__main__":
    with one_line_errors():
        results = tyro.cli(main)
        print("| moves | 12 nodes | 16 nodes |\n|---|---:|---:|")
        for name, (trained_on, larger) in results.items():
            print(f"| {name} | {trained_on:.2f} | {larger:.2f} |")
