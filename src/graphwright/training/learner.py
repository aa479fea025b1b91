"""Learners: an algorithm with the collection that feeds it, and all that must be saved to go on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.imitation import Imitation
from graphwright.algorithms.optimizer import AnnealedAdam
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.algorithms.reinforce import Reinforce, ReinforceConfig
from graphwright.core import GraphBatch
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.envs.vector import LiveVector, VectorEnvironment
from graphwright.nn import ActorCritic, GraphPolicy
from graphwright.nn.actors import CategoricalActor
from graphwright.training.collectors import collect_demonstrations, collect_episodes, collect_steps
from graphwright.training.config import ConfigError, TrainConfig


class Learner(ABC):
    """One iteration after the other: play, learn."""

    optimizer: AnnealedAdam

    @abstractmethod
    def iterate(self, progress: float) -> tuple[int, dict[str, Tensor]]:
        """Collect and update once, at `progress` (0 to 1) of the run: environment steps taken, and scalars to log."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """What collection has to remember, beside the source's position."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""


class PPOLearner(Learner):
    """PPO on live episodes that run on from one iteration to the next."""

    def __init__(
        self,
        policy: ActorCritic,
        vector: LiveVector,
        config: PPOConfig,
        generator: torch.Generator,
    ) -> None:
        self.policy = policy
        self.vector = vector
        self.config = config
        self.generator = generator
        self.algorithm = PPO(policy, vector.environment.observe, config, generator)
        self.optimizer = self.algorithm.optimizer
        self.returns = torch.zeros(vector.num_envs, device=vector.state.device)  # so far, of the live episodes

    @override
    def iterate(self, progress: float) -> tuple[int, dict[str, Tensor]]:
        rollout = collect_steps(self.vector, self.policy, self.config.num_steps, self.generator)
        metrics = self.algorithm.update(rollout, progress)
        return rollout.num_steps, {
            "return": self._mean_return(rollout.reward, rollout.terminated | rollout.truncated, rollout.lost)
        } | metrics

    def state(self) -> dict[str, Tensor]:
        """The live episodes."""
        return {"returns": self.returns, **{f"live.{k}": v for k, v in self.vector.state.to_tensors().items()}}

    @override
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        device = self.returns.device
        self.returns = state["returns"].to(device)
        live = {key.removeprefix("live."): tensor for key, tensor in state.items() if key.startswith("live.")}
        self.vector.state = GraphBatch.from_tensors(live).to(device)

    def _mean_return(self, reward: Tensor, done: Tensor, lost: Tensor) -> Tensor:
        """Mean return of the episodes that ended in [T, B] steps, those left out that were lost; NaN where none did."""
        total, count = reward.new_zeros(()), reward.new_zeros(())
        for step_reward, step_done, step_ended in zip(reward, done, done & ~lost, strict=True):
            self.returns = self.returns + step_reward
            total = total + (self.returns * step_ended).sum()
            count = count + step_ended.sum()
            self.returns = self.returns.masked_fill(step_done, 0)
        return total / count


class ReinforceLearner(Learner):
    """REINFORCE on whole episodes of fresh instances: nothing is left over between iterations."""

    def __init__(
        self,
        policy: GraphPolicy,
        environment: Environment,
        source: GeneratedInstances,
        config: ReinforceConfig,
        generator: torch.Generator,
    ) -> None:
        self.policy = policy
        self.environment = environment
        self.source = source
        self.config = config
        self.generator = generator
        self.algorithm = Reinforce(policy, environment.observe, config, generator)
        self.optimizer = self.algorithm.optimizer

    @override
    def iterate(self, progress: float) -> tuple[int, dict[str, Tensor]]:
        instances = self.source.draw(self.config.num_instances)
        episodes = collect_episodes(self.environment, instances, self.config.repeats, self.policy, self.generator)
        return episodes.num_steps, {"return": episodes.returns.mean()} | self.algorithm.update(episodes, progress)

    def state(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """See the base class."""


class ImitationLearner(Learner):
    """Imitation of exact solutions on whole episodes of fresh instances: nothing is left over between iterations."""

    def __init__(
        self,
        policy: GraphPolicy,
        problem: Problem,
        config: TrainConfig,
        source: GeneratedInstances,
        generator: torch.Generator,
    ) -> None:
        if problem.solve_exactly is None or problem.expert is None:
            raise ConfigError(f"--algorithm imitation: {problem.name} has no expert to imitate; take reinforce or ppo")
        if not isinstance(policy.actor, CategoricalActor):
            raise ConfigError(
                "--algorithm imitation: needs the probability of every candidate; take a head that scores them all"
            )
        self.policy = policy
        self.environment, self.rules = config.environment, config.rules
        self.source = source
        self.config = config.imitation
        self.generator = generator
        self.solve, self.expert = problem.solve_exactly, problem.expert
        self.algorithm = Imitation(policy, self.rules.observe, self.config, generator)
        self.optimizer = self.algorithm.optimizer

    @override
    def iterate(self, progress: float) -> tuple[int, dict[str, Tensor]]:
        instances = self.source.draw(self.config.num_instances)
        optimum = self.solve(self.environment, instances, self.config.seconds)
        if optimum.solution is None:
            raise ConfigError("--algorithm imitation: the exact solver gives no solutions to imitate")
        demonstrations = collect_demonstrations(
            self.rules,
            instances,
            optimum.solution,
            self.expert,
            self.policy,
            self.generator,
            repeats=self.config.repeats,
            expert_share=self.config.expert_share,
        )
        metrics = self.algorithm.update(demonstrations, progress)
        return demonstrations.num_steps, {"return": demonstrations.returns.mean()} | metrics

    def state(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """See the base class."""


def make_learner(
    problem: Problem,
    config: TrainConfig,
    policy: GraphPolicy,
    source: GeneratedInstances,
    generator: torch.Generator,
) -> Learner:
    """The learner that `config.algorithm` names. Raises ConfigError where it does not fit the problem."""
    match config.algorithm:
        case "ppo":
            vector = VectorEnvironment(config.rules, source, config.ppo.num_envs)
            assert isinstance(policy, ActorCritic)
            return PPOLearner(policy, vector, config.ppo, generator)
        case "reinforce":
            return ReinforceLearner(policy, config.rules, source, config.reinforce, generator)
        case "imitation":
            return ImitationLearner(policy, problem, config, source, generator)
