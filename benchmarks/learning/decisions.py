"""PPO where a graph has several decisions, against the optimum that enumeration gives, in one command.

    python benchmarks/learning/decisions.py

Three environments of `tests/decision_environments.py`: the nodes of a graph are spins, its links are taken or not (all
share the reward), and foragers on nodes move, die and join (rewards of their own). PPO clips the ratio of all decisions
of a graph together or that of each. A policy is trained on instances that it meets once and decides greedily on others.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Literal

import torch
import tyro

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from decision_environments import ENVIRONMENTS, greedy, optimum
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.core import GraphBatch
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import Choose, play
from graphwright.envs.team import has_own_reward
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.training.collectors.steps import collect_steps

Ratio = Literal["joint", "decision"]
ENCODER, HEADS = EncoderConfig(kind="gin", width=32, depth=4), HeadsConfig()
NUM_ENVS, NUM_STEPS = 64, 4


@dataclass(frozen=True)
class Options:
    """What is run."""

    seeds: int = 5
    """Runs of each."""
    updates: int = 300
    """Updates of each run, of 256 environment steps."""
    tested: int = 200
    """Instances of the test."""


def train(environment: Environment, draw: object, ratio: Ratio, updates: int, seed: int) -> ActorCritic:
    """The policy that so many updates of PPO leave."""
    torch.manual_seed(seed)
    own = has_own_reward(environment) and ratio == "decision"
    policy = ActorCritic(environment.features, environment.actions, ENCODER, HEADS, "decisions" if own else "graphs")
    config = PPOConfig(
        learning_rate=5e-3, epochs=4, minibatch_size=256, ratio=ratio, target_kl=None, value_coefficient=0.5,
        max_grad_norm=1.0,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    vector = VectorEnvironment(environment, GeneratedInstances(draw, seed), NUM_ENVS)
    algorithm = PPO(policy, environment.observe, config, generator)
    for done in range(updates):
        algorithm.update(collect_steps(vector, policy, NUM_STEPS, generator), done / updates)
    return policy


def share(environment: Environment, instances: GraphBatch, best: torch.Tensor, choose: Choose) -> float:
    """The summed objective of what `choose` does, as a share of that of the optimum."""
    return float(environment.objective(play(environment, instances, choose)).sum() / best.sum())


def main(options: Options) -> None:
    """Print a table."""
    print("| environment | ratio | random | greedy | PPO, mean of seeds | least | seconds a run |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for name, (environment, draw) in ENVIRONMENTS.items():
        instances = environment.instance(draw(options.tested, torch.Generator().manual_seed(1000)))
        best = optimum(environment, instances)
        uniform = random_choice(environment, torch.Generator().manual_seed(0))
        random = share(environment, instances, best, uniform)
        simple = share(environment, instances, best, lambda seen, rules=environment: greedy(rules, seen))
        for ratio in ("joint", "decision"):
            start, reached = time.perf_counter(), []
            for seed in range(options.seeds):
                policy = train(environment, draw, ratio, options.updates, seed)
                reached.append(share(environment, instances, best, policy.best))
            seconds = (time.perf_counter() - start) / options.seeds
            numbers = [f"{value:.3f}" for value in (random, simple, mean(reached), min(reached))]
            print("|", " | ".join([name, ratio, *numbers, f"{seconds:.0f}"]), "|", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Options))
