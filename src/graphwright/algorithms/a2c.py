"""Advantage actor-critic: A2C (Mnih et al. 2016, "Asynchronous methods for deep reinforcement learning")."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm, Observe, Setup, actor_critic
from graphwright.algorithms.optimizer import mean_of, require
from graphwright.algorithms.rewards import Returns, make_rewards
from graphwright.core.segment import segment_sum
from graphwright.data.chains import state_chain
from graphwright.data.rollout import Rollout
from graphwright.functional.policy_gradient import score_function_loss, standardize
from graphwright.functional.returns import n_step_return
from graphwright.functional.value import squared_error
from graphwright.nn import ActorCritic


@dataclass(frozen=True)
class A2CConfig:
    """Settings of A2C."""

    learning_rate: float = 2e-3
    """At the beginning; it falls linearly to zero."""
    minibatch_size: int = 1024
    """States of each gradient step; each state is seen once."""
    discount: float = 1.0
    """γ; episodes are finite, and undiscounted costs are what is compared."""
    returns: Returns = "discounted"
    """What the value of a state is: discounted rewards, or, of what never ends, rewards above their average."""
    rate_step: float = 0.1
    """Of average returns: step size of the average reward, each update."""
    value_coefficient: float = 2.0
    """Weight of the value loss."""
    entropy_coefficient: float = 0.0
    """Weight of the entropy bonus."""
    max_grad_norm: float = 2.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require("a2c.minibatch-size", self.minibatch_size)
        for name in ("learning_rate", "value_coefficient", "max_grad_norm"):
            require(f"a2c.{name.replace('_', '-')}", getattr(self, name), 0)
        for name in ("discount", "rate_step"):
            require(f"a2c.{name.replace('_', '-')}", getattr(self, name), 0, 1)


class A2C(MinibatchAlgorithm[A2CConfig]):
    """Advantage actor-critic: one pass of policy gradients with a critic, from steps of many episodes."""

    Config = A2CConfig
    options = "a2c"
    policy: ActorCritic

    def __init__(self, policy: ActorCritic, observe: Observe, config: A2CConfig, generator: torch.Generator) -> None:
        super().__init__(policy, observe, config, generator)
        self.rewards = make_rewards(config).to(generator.device)

    @classmethod
    @override
    def build(cls, config: A2CConfig, setup: Setup) -> A2C:
        return cls(actor_critic(setup), setup.environment.observe, config, setup.generator)

    @override
    def update(self, rollout: Rollout, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        values, chain = self._values(rollout), state_chain(rollout)
        following, value = chain.following(values), values[: rollout.num_steps]
        reward = self.rewards.above(chain.reward)
        target = n_step_return(reward, following, chain.carry_row, chain.steps, discount=self.rewards.discount)
        metrics = self.rewards.learn(chain.reward, following, value)
        weight = standardize(target - value)
        rows = self.minibatches(rollout.num_steps, target.device)
        return metrics | mean_of([self._step(rollout, some, weight[some], target[some]) for some in rows])

    @torch.no_grad()
    def _values(self, rollout: Rollout) -> Tensor:
        """[R]: the value of every state, in pieces to bound memory."""
        rows = torch.arange(rollout.states.num_states, device=rollout.reward.device)
        pieces = rows.split(self.config.minibatch_size)
        return torch.cat([self.policy.value(self.observe(rollout.states.select(piece))) for piece in pieces])

    def _step(self, rollout: Rollout, rows: Tensor, advantage: Tensor, target: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`."""
        observation = self.observe(rollout.states.select(rows))
        distribution, value = self.policy(observation)
        log_prob, entropy = distribution.log_prob(rollout.action.select(rows)), distribution.entropy
        _, groups = rollout.action.decisions(rows)
        if groups is not None:  # several decisions of a graph are one joint action
            log_prob, entropy = segment_sum(log_prob, groups), segment_sum(entropy, groups)
        policy_loss, value_loss = score_function_loss(log_prob, advantage), squared_error(value, target)
        entropy = entropy.mean()
        loss = policy_loss + self.config.value_coefficient * value_loss - self.config.entropy_coefficient * entropy
        norm = self.optimizer.step(loss + self.distance(distribution, observation))
        metrics = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy, "grad_norm": norm}
        return {name: metric.detach() for name, metric in metrics.items()}
