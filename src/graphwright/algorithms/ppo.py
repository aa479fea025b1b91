"""Proximal policy optimisation (Schulman et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm
from graphwright.algorithms.optimizer import mean_of, require
from graphwright.data.rollout import Rollout
from graphwright.functional.policy_gradient import approximate_kl, clipped_surrogate_loss, standardize
from graphwright.functional.returns import generalized_advantage
from graphwright.functional.value import explained_variance, squared_error
from graphwright.nn import ActorCritic


@dataclass(frozen=True)
class PPOConfig:
    """Settings of PPO."""

    learning_rate: float = 4e-3
    """At the beginning; it falls linearly to zero."""
    epochs: int = 3
    """Passes over what was collected."""
    minibatch_size: int = 512
    """States of each gradient step."""
    discount: float = 1.0
    """γ; episodes are finite, and undiscounted costs are what is compared."""
    gae_lambda: float = 1.0
    """λ of generalised advantage estimation; episodes are short, and a smaller one trusts an untrained critic."""
    clip: float = 0.2
    """ε of the clipped surrogate."""
    value_coefficient: float = 2.0
    """Weight of the value loss."""
    entropy_coefficient: float = 0.0
    """Weight of the entropy bonus."""
    target_kl: float | None = 0.05
    """An update ends when the policy has moved this far; None: never."""
    max_grad_norm: float = 2.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        for name in ("epochs", "minibatch_size"):
            require(f"ppo.{name.replace('_', '-')}", getattr(self, name))
        for name in ("learning_rate", "clip", "value_coefficient", "max_grad_norm"):
            require(f"ppo.{name.replace('_', '-')}", getattr(self, name), 0)
        for name in ("discount", "gae_lambda"):
            require(f"ppo.{name.replace('_', '-')}", getattr(self, name), 0, 1)


class PPO(MinibatchAlgorithm[PPOConfig]):
    """Proximal policy optimisation: clipped policy gradients with a critic, from steps of many episodes."""

    Config = PPOConfig
    options = "ppo"
    Policy = ActorCritic
    policy: ActorCritic

    @override
    def update(self, rollout: Rollout, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        advantage, target = self.advantages(rollout)
        steps = []
        weight = standardize(advantage)
        for _ in range(self.config.epochs):
            for rows in self.minibatches(rollout.num_steps, target.device):
                steps.append(self._step(rollout, rows, weight[rows], target[rows]))
            if self.config.target_kl is not None and steps[-1]["kl"] > self.config.target_kl:
                break
        return {"explained_variance": explained_variance(target - advantage, target)} | mean_of(steps)

    def advantages(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Advantages and value targets of all steps, [T · B] each, from one pass of the critic over all states."""
        values = self._values(rollout)
        value = values[: rollout.num_steps].view_as(rollout.reward)
        next_value = values[rollout.next_row.long()].masked_fill(rollout.terminated, 0)
        advantage = generalized_advantage(
            rollout.reward,
            value,
            next_value,
            rollout.terminated | rollout.truncated,
            discount=self.config.discount,
            gae_lambda=self.config.gae_lambda,
        )
        return advantage.flatten(), (advantage + value).flatten()

    @torch.no_grad()
    def _values(self, rollout: Rollout) -> Tensor:
        """[R]: the value of every state, in pieces of a minibatch's size to bound memory."""
        rows = torch.arange(rollout.states.num_states, device=rollout.reward.device)
        pieces = rows.split(self.config.minibatch_size)
        return torch.cat([self.policy.value(self.observe(rollout.states.select(piece))) for piece in pieces])

    def _step(self, rollout: Rollout, rows: Tensor, advantage: Tensor, target: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`."""
        distribution, value = self.policy(self.observe(rollout.states.select(rows)))
        log_prob = distribution.log_prob(rollout.action.select(rows))
        old_log_prob = rollout.log_prob.flatten()[rows]
        policy_loss = clipped_surrogate_loss(log_prob, old_log_prob, advantage, self.config.clip)
        value_loss = squared_error(value, target)
        entropy = distribution.entropy.mean()
        loss = policy_loss + self.config.value_coefficient * value_loss - self.config.entropy_coefficient * entropy
        norm = self.optimizer.step(loss)
        metrics = {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "kl": approximate_kl(log_prob, old_log_prob),
            "grad_norm": norm,
        }
        return {name: value.detach() for name, value in metrics.items()}
