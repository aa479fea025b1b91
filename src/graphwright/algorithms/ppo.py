"""Proximal policy optimisation (Schulman et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm, Observe, Setup, actor_critic
from graphwright.algorithms.optimizer import mean_of, require
from graphwright.algorithms.rewards import Returns, make_rewards
from graphwright.core.segment import Segments, segment_sum
from graphwright.data.chains import decision_chain, state_chain
from graphwright.data.rollout import Rollout
from graphwright.functional.policy_gradient import approximate_kl, clipped_surrogate_loss, standardize
from graphwright.functional.returns import generalized_advantage
from graphwright.functional.value import explained_variance, squared_error
from graphwright.nn import ActorCritic
from graphwright.nn.policies import Values


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
    returns: Returns = "discounted"
    """What the value of a state is: discounted rewards, or, of what never ends, rewards above their average."""
    rate_step: float = 0.1
    """Of average returns: step size of the average reward, each update."""
    gae_lambda: float = 1.0
    """λ of generalised advantage estimation; episodes are short, and a smaller one trusts an untrained critic."""
    clip: float = 0.2
    """ε of the clipped surrogate."""
    ratio: Literal["joint", "decision"] = "joint"
    """What is clipped where a graph has several decisions: the ratio of all of them together, or that of each."""
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
        for name in ("discount", "gae_lambda", "rate_step"):
            require(f"ppo.{name.replace('_', '-')}", getattr(self, name), 0, 1)


class PPO(MinibatchAlgorithm[PPOConfig]):
    """Proximal policy optimisation: clipped policy gradients with a critic, from steps of many episodes."""

    Config = PPOConfig
    options = "ppo"
    policy: ActorCritic

    def __init__(self, policy: ActorCritic, observe: Observe, config: PPOConfig, generator: torch.Generator) -> None:
        super().__init__(policy, observe, config, generator)
        self.rewards = make_rewards(config).to(generator.device)

    @classmethod
    @override
    def build(cls, config: PPOConfig, setup: Setup) -> Self:
        own = config.ratio == "decision" and setup.own_reward
        values: Values = "decisions" if own else "graphs"
        return cls(actor_critic(setup, values), setup.environment.observe, config, setup.generator)

    @override
    def update(self, rollout: Rollout, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        advantage, target, metrics = self.advantages(rollout)
        steps = []
        weight = standardize(advantage)
        for _ in range(self.config.epochs):
            for rows in self.minibatches(rollout.num_steps, target.device):
                steps.append(self._step(rollout, rows, weight, target))
            if self.config.target_kl is not None and steps[-1]["kl"] > self.config.target_kl:
                break
        metrics["explained_variance"] = explained_variance(target - advantage, target)
        return metrics | mean_of(steps)

    def advantages(self, rollout: Rollout) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Advantages and value targets from one pass of the critic over all states: [T · B] each, or [Q] (`_own`).

        Also what is to be logged of them.
        """
        values, states = self._values(rollout)
        chain = decision_chain(rollout, states) if self._own(rollout) else state_chain(rollout)
        value = values[: chain.reward.numel()]
        next_value = chain.following(values)
        advantage = generalized_advantage(
            self.rewards.above(chain.reward),
            value,
            next_value,
            chain.carry_row,
            chain.steps,
            discount=self.rewards.discount,
            gae_lambda=self.config.gae_lambda,
        )
        return advantage, advantage + value, self.rewards.learn(chain.reward, next_value, value)

    def _own(self, rollout: Rollout) -> bool:
        """Whether each decision has an advantage and a value of its own."""
        return self.config.ratio == "decision" and rollout.own_reward is not None

    @torch.no_grad()
    def _values(self, rollout: Rollout) -> tuple[Tensor, Segments]:
        """The value of every state [R], or of every decision in them; and the decisions of each state (→ R)."""
        rows = torch.arange(rollout.states.num_states, device=rollout.reward.device)
        values, lengths = [], []
        for piece in rows.split(self.config.minibatch_size):  # to bound memory
            observation = self.observe(rollout.states.select(piece))
            values.append(self.policy.value(observation))
            lengths.append(self.policy.actions.deciders(observation.graph).lengths)
        return torch.cat(values), Segments.from_lengths(torch.cat(lengths))

    def _step(self, rollout: Rollout, rows: Tensor, advantage: Tensor, target: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`, with the advantages and targets of all."""
        observation = self.observe(rollout.states.select(rows))
        distribution, value = self.policy(observation)
        decisions, groups = rollout.action.decisions(rows)
        chosen = decisions if self._own(rollout) else rows
        advantage, target = advantage[chosen], target[chosen]
        log_prob, entropy = distribution.log_prob(rollout.action.select(rows)), distribution.entropy
        old_log_prob = rollout.log_prob[decisions]
        if groups is not None and self.config.ratio == "joint":
            log_prob, old_log_prob = segment_sum(log_prob, groups), segment_sum(old_log_prob, groups)
            entropy = segment_sum(entropy, groups)
        elif groups is not None and not self._own(rollout):
            advantage = advantage[groups.index]
        policy_loss = clipped_surrogate_loss(log_prob, old_log_prob, advantage, self.config.clip)
        value_loss = squared_error(value, target)
        entropy = entropy.mean()
        loss = policy_loss + self.config.value_coefficient * value_loss - self.config.entropy_coefficient * entropy
        norm = self.optimizer.step(loss + self.distance(distribution, observation))
        metrics = {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "kl": approximate_kl(log_prob, old_log_prob),
            "grad_norm": norm,
        }
        return {name: value.detach() for name, value in metrics.items()}
