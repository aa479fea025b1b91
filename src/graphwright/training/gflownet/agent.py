"""`FlowAgent`: a trained sampler with the task that it was trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from graphwright.algorithms.optimizer import require
from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problem import Problem
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.checkpoint import CONFIG_FILE, POLICY_FILE, load_checkpoint, load_module
from graphwright.training.config import ConfigError
from graphwright.training.gflownet.conditions import Goal
from graphwright.training.gflownet.config import FlowConfig, flow_from_json
from graphwright.training.gflownet.exact import Exact, enumerate_or_none
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler

ANY_GOAL = Goal()


@dataclass(frozen=True, eq=False)
class FlowAgent:
    """What a flow run leaves behind."""

    task: Problem
    config: FlowConfig
    policy: FlowPolicy

    def sample(self, count: int, seed: int = 0, goal: Goal = ANY_GOAL, at_once: int = 512) -> GraphBatch:
        """`count` finished objects, built for `goal`; by default for the greatest exponent of the run's."""
        require("num", count)
        generator = torch.Generator().manual_seed(seed)
        sampler = Sampler(self.config.environment, self.policy, NO_EXPLORATION, generator)
        parts = []
        for begin in range(0, count, at_once):
            number = min(at_once, count - begin)
            instances = draw_instances(self.task, self.config, number, generator, goal)
            parts.append(sampler.build(instances).objects)
        return GraphBatch.concat(parts)

    def log_reward(self, objects: GraphBatch) -> Tensor:
        """[B] float64: log R of objects, without exponent."""
        return self.config.reward(self.config.environment, objects)

    @torch.no_grad()
    def log_likelihood(self, objects: GraphBatch, trajectories: int = 64, seed: int = 0) -> Tensor:
        """[B] float32: log of the probability of building each object, estimated.

        log of the mean over `trajectories` drawn backward of P_F(τ) / P_B(τ | x), which has the right expectation; of a
        graph without names, any numbering of it counts. objects: with the conditions that `condition.attach` gives.
        """
        environment = self.config.environment
        sampler = Sampler(environment, self.policy, NO_EXPLORATION, torch.Generator().manual_seed(seed))
        found = []
        for _ in range(trajectories):
            apart = sampler.take_apart(objects)
            states = apart.states
            masks, backward_masks = environment.masks(states), environment.backward_masks(states)
            estimate = self.policy(environment.observe(states), masks, backward_masks)
            ratio = estimate.forward.log_prob(apart.forward) - estimate.backward.log_prob(apart.backward)
            found.append(segment_sum(ratio, apart.segments))
        symmetries = environment.log_automorphisms(objects).to(torch.float32)
        return torch.logsumexp(torch.stack(found), 0) - math.log(trajectories) - symmetries

    def exact(self) -> Exact | None:
        """The environment enumerated, where it has one instance, one condition and few enough states."""
        return make_exact(self.task, self.config)


def draw_instances(
    task: Problem, config: FlowConfig, count: int, generator: torch.Generator, goal: Goal = ANY_GOAL
) -> GraphBatch:
    """What objects are built on, with conditions: those of `goal`, others drawn."""
    instances = task.sampled.instances(config.environment, count, generator)
    conditions = config.condition.goals(count, config.reward.num_measures, generator, goal)
    return config.condition.attach(instances, conditions)


def multiplicity(config: FlowConfig, objects: GraphBatch) -> Tensor:
    """[B] float64: what is added to β log R, so that trajectories that are alike, and objects that are, count once."""
    symmetries = config.environment.log_automorphisms(objects) if config.correct_automorphisms else 0.0
    shares = config.environment.log_share(objects) if config.count_once else 0.0
    return torch.zeros(objects.num_graphs, dtype=torch.float64) + symmetries + shares


def make_exact(task: Problem, config: FlowConfig) -> Exact | None:
    """See `FlowAgent.exact`."""
    if config.condition.varies or not task.sampled.one_instance:
        return None
    instance = draw_instances(task, config, 1, torch.Generator().manual_seed(0))
    space = enumerate_or_none(config.environment, instance, config.judgement.max_states)
    if space is None:
        return None
    log_reward = config.condition.low * config.reward(config.environment, space.states)
    if config.count_once:
        log_reward = log_reward + config.environment.log_share(space.states)
    return Exact(config.environment, space, log_reward)


def make_flow_policy(config: FlowConfig) -> FlowPolicy:
    """A fresh policy, the same for the same seed."""
    environment = config.environment
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return FlowPolicy(
            config.condition.features(environment.features, config.reward.num_measures),
            environment.actions,
            environment.backward_actions,
            config.encoder,
            config.heads,
            config.flow.learned(config.algorithm),
            config.reward.num_measures,
            config.flow.value_temperature,
        )


def read_flow_config(directory: Path) -> tuple[Problem, FlowConfig]:
    """The task and settings of a run directory. Raises ConfigError, naming the file."""
    path = directory / CONFIG_FILE
    try:
        return flow_from_json(path.read_text())
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path}: cannot be read; is {directory} a run directory?") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def load_flow(directory: Path | str) -> FlowAgent:
    """The sampler of a run directory. Raises ConfigError or CheckpointError, naming the file."""
    directory = Path(directory)
    task, config = read_flow_config(directory)
    policy = make_flow_policy(config)
    tensors, _ = load_checkpoint(directory / POLICY_FILE)
    load_module(policy, tensors, directory / POLICY_FILE)
    return FlowAgent(task, config, policy)
