"""Runs on foreign environments: logged, validated, saved and resumed like all others."""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from rich.console import Console

from graphwright.core import ActionSpec, per_node
from graphwright.frameworks.foreign import (
    ForeignTraining,
    from_gymnasium,
    load_policy,
    play_episodes,
    resume_foreign,
    train_foreign,
)
from graphwright.nn import EncoderConfig
from graphwright.training.agent import load
from graphwright.training.checkpoint import CheckpointError
from graphwright.training.config import ConfigError
from graphwright.training.interrupt import Interrupted, Interruption

QUIET = Console(quiet=True)
ACTIONS = ActionSpec(per_node("take"))
LINKS = np.array([[0, 1], [1, 2]])


class Steady(gymnasium.Env):
    """Four steps on a path of three nodes that shift by one at each; the reward is the number of the node taken.

    Nothing in it is drawn, so that an episode that begins anew is the one that was lost.
    """

    observation_space = spaces.Graph(node_space=spaces.Box(-np.inf, np.inf, (1,)), edge_space=None)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[Any, dict]:
        self.time = 0
        return self.observe(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict]:
        reward = float(self.numbers[action])
        self.time += 1
        return self.observe(), reward, self.time == 4, False, {}

    def observe(self) -> spaces.GraphInstance:
        self.numbers = np.roll(np.array([0.0, 0.5, 1.0], np.float32), self.time)
        return spaces.GraphInstance(self.numbers[:, None], None, LINKS)


def vector(count: int = 3) -> Any:
    return from_gymnasium(Steady, count, actions=ACTIONS, undirected=True)


def config(**options: Any) -> ForeignTraining:
    """As many steps as an episode has, so that no episode is left over between updates."""
    encoder = EncoderConfig(kind="sage", width=8, depth=1)
    return ForeignTraining(**({"steps": 96, "num_steps": 4, "threads": 1, "encoder": encoder} | options))


class AfterIterations(Interruption):
    """Asks the run to stop when it has looked `count` times."""

    def __init__(self, count: int) -> None:
        self.left = count

    @property
    def signal(self) -> int | None:  # type: ignore[override]
        self.left -= 1
        return signal.SIGINT if self.left < 0 else None


@pytest.mark.parametrize("algorithm", ["ppo", "a2c"])
def test_resumed_equals_uninterrupted_bit_for_bit(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(algorithm=algorithm, validation_every=2)
    whole = train_foreign(vector(), settings, tmp_path / "whole", QUIET, validation=vector(1))
    with monkeypatch.context() as patch:
        patch.setattr("graphwright.training.interrupt.Interruption", lambda: AfterIterations(3))
        with pytest.raises(Interrupted):
            train_foreign(vector(), settings, tmp_path / "parts", QUIET, validation=vector(1))
    parts = resume_foreign(vector(), tmp_path / "parts", console=QUIET, validation=vector(1))
    assert parts.counters.iteration == whole.counters.iteration == 8
    for name, tensor in whole.algorithm.state_dict().items():
        assert torch.equal(tensor, parts.algorithm.state_dict()[name]), name
    timed = ("seconds", "steps_per_second")
    kept = [[[v for k, v in row.items() if k not in timed and v == v] for row in run.rows] for run in (whole, parts)]
    assert kept[0] == kept[1]


def test_the_policy_that_validates_best_is_left(tmp_path: Path) -> None:
    run = train_foreign(vector(), config(validation_every=2), tmp_path / "run", QUIET, validation=vector(2))
    assert [row["iteration"] for row in run.rows if not math.isnan(row["validation_return"])] == [2, 4, 6, 8]
    policy = load_policy(tmp_path / "run" / "policy.safetensors")
    assert run.counters.best == play_episodes(vector(1), policy.best).mean()
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"config.json", "policy.safetensors", "trainer.safetensors", "metrics.csv", "curve.png"} <= names


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="algorithm='reinforce': foreign episodes go on"):
        config(algorithm="reinforce")
    train_foreign(vector(), config(steps=12), tmp_path / "run", QUIET)
    with pytest.raises(ConfigError, match=r"exists already.*resume_foreign"):
        train_foreign(vector(), config(), tmp_path / "run", QUIET)
    with pytest.raises(ConfigError, match="runs on the environments of others"):
        load(tmp_path / "run")
    text = (tmp_path / "run" / "config.json").read_text()
    (tmp_path / "run" / "config.json").write_text(text.replace('"seed": 0', '"seed": 1'))
    with pytest.raises(CheckpointError, match="was written with other settings"):
        resume_foreign(vector(), tmp_path / "run", console=QUIET)
