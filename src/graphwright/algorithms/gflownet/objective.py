"""What all objectives are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.functional import gflownet


@dataclass(frozen=True)
class Objective(ABC):
    """learned: what the policy has beside its forward actor: "flow" (log F of states), "log_z" (log Z); or in it:
    "values" (Q of each action, for each of several objectives).

    teaches_backward: whether its loss has a gradient for a learned backward policy. compares: whether it learns from
    how the trajectories of a group differ, and so nothing from one alone. by_step: whether it is a mean over steps, so
    that some of them, drawn uniformly, will do. knows_flows: whether it learns the flow of the initial state, which is
    Z; `log_z` then needs no other states (`FlowBatch.beginnings`).
    """

    regression: gflownet.Regression = "squared"
    decay: float = 0.9
    entropy_coefficient: float = 0.01
    preferences: int = 4

    learned = frozenset[str]()
    teaches_backward = True
    compares = False
    by_step = False
    knows_flows = False

    @abstractmethod
    def loss(self, batch: FlowBatch) -> Tensor:
        """A scalar."""

    def begin(self, sample: Callable[[], FlowBatch]) -> None:  # noqa: B027 (nothing is an answer)
        """Start what is learned beside the networks, from a batch if need be; by default there is nothing."""

    def log_z(self, batch: FlowBatch) -> Tensor:
        """What is known of log Z, a scalar: by default the mean over trajectories of log R + Σ log P_B - Σ log P_F."""
        estimate = gflownet.log_z_estimate(batch.log_forward, batch.log_backward, batch.log_reward, batch.segments)
        return estimate.mean()

    def mean(self, residual: Tensor, count: float | None = None) -> Tensor:
        """The mean loss of residuals; 0 where there are none, as if all objects were finished at once.

        count: how many there are in expectation, where an excerpt may have more or fewer.
        """
        total = gflownet.regression(self.regression)(residual).sum()
        return total / ((residual.numel() if count is None else count) or 1)
