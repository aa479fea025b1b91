"""A padded Gymnasium environment as practical guides write it, trained unchanged: natively and in Stable-Baselines3.

Independent set: choose nodes, no two of which are joined. Every graph is filled up to `max_nodes` rows, and nothing
but the zeros says which rows are padding. `python examples/padded_environment.py [--steps 8192]` prints the returns of
both routes for four sizes of padding, which are the same.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import gymnasium
import numpy as np
import tyro
from gymnasium import spaces
from rich.console import Console
from sb3_contrib import MaskablePPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from graphwright.algorithms.optimizer import require
from graphwright.algorithms.ppo import PPOConfig
from graphwright.cli.main import one_line_errors
from graphwright.core import ActionSpec, per_node
from graphwright.frameworks.foreign import ForeignTraining, from_gymnasium, train_foreign
from graphwright.frameworks.sb3 import DenseSchema, GraphPolicy
from graphwright.nn import EncoderConfig

ACTIONS = ActionSpec(per_node("choose"))
SMALL = EncoderConfig(width=16, depth=2)


class PaddedIndependentSet(gymnasium.Env):
    """Random graphs of 6 to 12 nodes. An action chooses a node; each pays 1; neighbours of chosen ones are illegal."""

    def __init__(self, max_nodes: int = 15) -> None:
        self.max_nodes = max_nodes
        self.observation_space = spaces.Dict(
            {
                "node_features": spaces.Box(0, 1, (max_nodes, 3), np.float32),
                "edge_features": spaces.Box(0, 1, (max_nodes, max_nodes, 1), np.float32),
                "adjacency_matrix": spaces.Box(0, 1, (max_nodes, max_nodes), np.float32),
                "action_masks": spaces.MultiBinary(max_nodes),
            }
        )
        self.action_space = spaces.Discrete(max_nodes)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """Another graph."""
        super().reset(seed=seed)
        size = int(self.np_random.integers(6, 13))
        upper = np.triu(self.np_random.random((size, size)) < 0.3, 1)
        self.joined = upper | upper.T
        self.chosen = np.zeros(size, bool)
        return self._observe(), {}

    def step(self, action: int) -> tuple[dict, float, bool, bool, dict]:
        """Choose a node."""
        assert self.action_masks()[action], "an illegal node was chosen"
        self.chosen[action] = True
        return self._observe(), 1.0, not self.action_masks().any(), False, {}

    def action_masks(self) -> np.ndarray:
        """[max_nodes] bool: what may be chosen, as sb3-contrib asks for it."""
        free = ~(self.chosen | self.joined[self.chosen].any(0))
        return np.pad(free, (0, self.max_nodes - len(free)))

    def _observe(self) -> dict[str, np.ndarray]:
        size = len(self.chosen)
        more = (0, self.max_nodes - size)
        blocked = self.joined[self.chosen].any(0)
        nodes = np.stack([self.chosen, blocked, self.joined.mean(0)], axis=1).astype(np.float32)
        joined = np.pad(self.joined.astype(np.float32), (more, more))
        return {
            "node_features": np.pad(nodes, (more, (0, 0))),
            "edge_features": joined[:, :, None],
            "adjacency_matrix": joined,
            "action_masks": self.action_masks().astype(np.int8),
        }


def train_natively(max_nodes: int, steps: int = 1024) -> list[float]:
    """The mean return of each update."""
    settings = PPOConfig(minibatch_size=64, learning_rate=3e-3)
    config = ForeignTraining(steps=steps, encoder=SMALL, settings=settings, num_steps=16, threads=1)
    with (
        TemporaryDirectory() as folder,
        from_gymnasium(partial(PaddedIndependentSet, max_nodes), 8, actions=ACTIONS) as vector,
    ):
        run = train_foreign(vector, config, Path(folder) / "run", Console(quiet=True))
        return [row["return"] for row in run.rows]


def train_in_sb3(max_nodes: int, steps: int = 1024) -> list[float]:
    """The return of each episode."""
    env = DummyVecEnv([lambda: Monitor(PaddedIndependentSet(max_nodes))] * 8)
    model = MaskablePPO(
        GraphPolicy,
        env,
        n_steps=16,
        batch_size=64,
        learning_rate=3e-3,
        policy_kwargs={"schema": DenseSchema(ACTIONS), "encoder": SMALL},
        seed=0,
        device="cpu",
    )
    model.learn(steps)
    return [float(value) for monitor in env.envs for value in monitor.get_episode_rewards()]


def main(steps: int = 8192) -> None:
    """A padded environment, trained natively and in Stable-Baselines3: returns do not change with the padding.

    Args:
        steps: Environment steps of each run.
    """
    require("steps", steps, least=8 * 16)
    print("| trained | rows | mean return, of the last three | of all |\n|---|---:|---:|---:|")
    for name, route in {"natively": train_natively, "in Stable-Baselines3": train_in_sb3}.items():
        for padding in (15, 30, 60, 120):
            returns = route(padding, steps)
            print(f"| {name} | {padding} | {np.mean(returns[-3:]):.4f} | {np.mean(returns):.6f} |", flush=True)


if __name__ == "__main__":
    with one_line_errors():
        tyro.cli(main)
