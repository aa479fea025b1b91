"""Coverage as a problem of the registry."""

from __future__ import annotations

from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.teams.coverage.environment import Coverage, coverage_instances
from graphwright.envs.teams.coverage.rules import assigned, greedy, nearest
from graphwright.envs.teams.replays import LARGE_MINIBATCHES

COVERAGE = Problem(
    name="coverage",
    summary="a team covers landmarks, one each",
    objective="return",
    environment=Coverage(),
    topology="points",
    sizes=(3, 4, 5),
    laws={"uniform": coverage_instances},
    baselines={"assigned": ControlRule(assigned), "greedy": ControlRule(greedy), "nearest": ControlRule(nearest)},
    training={
        "algorithm": "ppo",
        "encoder": {"kind": "transformer", "depth": 2},
        "heads": {"value_pool": "mean"},
        "ppo": {
            "learning_rate": 3e-3,
            "epochs": 4,
            "minibatch_size": 256,
            "ratio": "decision",
            "discount": 0.95,
            "gae_lambda": 0.9,
            "value_coefficient": 0.2,
            "entropy_coefficient": 0.003,
            "max_grad_norm": 1.0,
        },
        "collection": {"steps": {"num_envs": 64, "num_steps": 25}} | LARGE_MINIBATCHES,
        "validation": {"sizes": (3, 5), "graphs": 32, "every": 10},
    },
)
