"""Path finding as a problem of the registry."""

from __future__ import annotations

from functools import partial

from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.teams.defaults import LARGE_MINIBATCHES
from graphwright.envs.teams.path_finding.environment import PathFinding
from graphwright.envs.teams.path_finding.maps import maps_of, random_maps
from graphwright.envs.teams.path_finding.pibt import pibt
from graphwright.envs.teams.path_finding.planner import planned, shortest

PATH_FINDING = Problem(
    name="path-finding",
    summary="robots on a grid find their ways around obstacles and each other",
    objective="return",
    environment=PathFinding(),
    topology="points",
    sizes=(4, 8, 16),
    laws={
        "random": random_maps,
        "crowded": partial(random_maps, smallest=8, largest=16),
        "packed": partial(random_maps, smallest=6, largest=11),
    },
    law_of_files=maps_of,
    baselines={"pibt": ControlRule(pibt), "planned": ControlRule(planned), "shortest": ControlRule(shortest)},
    training={
        "algorithm": "ppo",
        "encoder": {"kind": "edge-gated", "depth": 5, "width": 64},
        "heads": {"value_pool": "mean"},
        "ppo": {"ratio": "decision", "learning_rate": 1e-3, "epochs": 2, "discount": 0.97, "gae_lambda": 0.9},
        "imitation": {"minibatch_size": 32, "learning_rate": 3e-3},
        "collection": {
            **LARGE_MINIBATCHES,
            "steps": {"num_envs": 32, "num_steps": 16},
            "demonstrations": {"expert": "pibt", "num_instances": 32, "num_samples": 1, "expert_share": 0.5},
        },
        "validation": {"sizes": (8, 16), "graphs": 16, "every": 20},
    },
)
