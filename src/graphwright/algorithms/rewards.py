"""What rewards count for: less the later they come, or as much as they are above their average."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Returns = Literal["discounted", "average"]


class DiscountedRewards(nn.Module):
    """Σ γᵏ r."""

    def __init__(self, discount: float) -> None:
        super().__init__()
        self.discount = discount

    def above(self, reward: Tensor) -> Tensor:
        """What a `reward` adds to the return."""
        return reward

    def learn(self, reward: Tensor, next_value: Tensor, value: Tensor) -> dict[str, Tensor]:
        """Called once with all rows of an update; scalars to log."""
        return {}


class DifferentialRewards(DiscountedRewards):
    """Σ (r − ρ), where ρ is the average reward, which is learned: ρ ← ρ + η · mean δ, δ = r − ρ + V(s′) − V(s).

    R-learning (Schwartz 1993, "A reinforcement learning method for maximizing undiscounted rewards") with the error of
    differential TD (Wan, Naik, Sutton 2021, "Learning and planning in average-reward Markov decision processes"), which
    is right off the policy too. It begins with the mean reward of the first rows. One ρ stands for all instances: what
    one of them has above it, its values take over.

    rate: [] float64, ρ. begun: [] bool.
    """

    rate: Tensor
    begun: Tensor

    def __init__(self, step: float) -> None:
        super().__init__(discount=1.0)
        self.step = step
        self.register_buffer("rate", torch.zeros((), dtype=torch.float64))
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))

    def above(self, reward: Tensor) -> Tensor:
        """r − ρ."""
        if not self.begun:
            self.rate.copy_(reward.double().mean())
            self.begun.fill_(True)
        return (reward - self.rate).to(reward.dtype)

    def learn(self, reward: Tensor, next_value: Tensor, value: Tensor) -> dict[str, Tensor]:
        """Move ρ by the errors of all rows, [Q] each."""
        error = reward.double() - self.rate + next_value.double() - value.double()
        self.rate += self.step * error.mean()
        return {"average_reward": self.rate.clone()}
