"""A decision process without an objective trains too: it is watched by its return."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from rich.console import Console
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step
from graphwright.envs.environment import Environment
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.training.config import ConfigError, TrainConfig, changed
from graphwright.training.train import new_run, train


@dataclass(frozen=True)
class Bare(Environment):
    """Vertex cover, of which nobody says what is better."""

    rules: ClassVar[VertexCover] = VertexCover()

    @property
    def features(self) -> Features:
        return self.rules.features

    @property
    def actions(self) -> ActionSpec:
        return self.rules.actions

    def reset(self, instances: GraphBatch) -> GraphBatch:
        return self.rules.reset(instances)

    def observe(self, state: GraphBatch) -> Observation:
        return self.rules.observe(state)

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        return self.rules.step(state, action)


@pytest.mark.filterwarnings("ignore:the run can be trained, but not loaded")
def test_what_has_no_objective_is_watched_by_its_return(tmp_path: Path) -> None:
    problem = replace(VERTEX_COVER, name="bare", environment=Bare(), heuristics={}, solve_exactly=None)
    config = TrainConfig.for_problem(
        problem,
        "ppo",
        steps=600,
        threads=1,
        encoder={"width": 8, "depth": 1},
        collection={"sizes": (5,), "num_envs": 16, "num_steps": 8},
        validation={"sizes": (8,), "graphs": 4, "every": 2},
    )
    run = train(problem, config, tmp_path / "run", Console(quiet=True))
    instances = problem.generator(sizes=(8,))(4, torch.Generator().manual_seed(0x5EED))
    weight = VertexCover().objective(run.agent().solve(instances)).mean()
    assert run.counters.best == pytest.approx(-float(weight), rel=1e-5)
    assert run.latest["validation_return"] <= run.counters.best
    counted = changed(config, {"collection": {"invalid": {"handling": "penalty"}}})
    assert not counted.collection.played(Bare()).masked
    collector = new_run(problem, counted, tmp_path / "counted").collector
    assert collector.vector.environment == counted.played  # what is learned is what is punished
    punished = changed(config, {"collection": {"invalid": {"handling": "severity"}}})
    with pytest.raises(ConfigError, match="nothing says how bad an action is"):
        new_run(problem, punished, tmp_path / "other")


def test_a_curve_of_punished_actions_has_the_line_of_the_heuristic(tmp_path: Path) -> None:
    """Whose solutions pay no penalties: the curve asked them how many, and the run ended in a traceback."""
    config = TrainConfig.for_problem(
        "vertex-cover",
        "ppo",
        steps=64,
        threads=1,
        encoder={"width": 8, "depth": 1},
        collection={"sizes": (5,), "num_envs": 8, "num_steps": 4, "invalid": {"handling": "penalty"}},
        validation={"sizes": (6,), "graphs": 2},
    )
    train("vertex-cover", config, tmp_path / "run", Console(quiet=True))
    assert (tmp_path / "run" / "curve.png").exists()
