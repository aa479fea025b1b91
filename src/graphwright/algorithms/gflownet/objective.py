"""What all objectives are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.config import GFlowNetConfig
from graphwright.algorithms.gflownet.gflownet import GFlowNet
from graphwright.functional import gflownet
from graphwright.nn.gflownet_policy import FlowPolicy


@dataclass(frozen=True)
class Objective(ABC):
    """learned: what the policy has beside its forward actor: "flow" (log F of states), "log_z" (log Z).

    teaches_backward: whether its loss has a gradient for a learned backward policy. compares: whether it learns from
    how the trajectories of a group differ, and so nothing from one alone. knows_flows: whether it learns the flow of
    the initial state, which is Z; `log_z` then needs no other states (`FlowBatch.beginnings`). has_log_z: whether there
    is a Z at all. reuses: whether it may learn more than once from what another policy has built.
    """

    Config = GFlowNetConfig
    options = "flow"
    fewest_samples = 1

    regression: gflownet.Regression = "squared"
    decay: float = 0.9
    entropy_coefficient: float = 0.01
    name: str = ""

    learned = frozenset[str]()
    teaches_backward = True
    compares = False
    knows_flows = False
    has_log_z = True
    reuses = True

    @classmethod
    def build(cls, config: GFlowNetConfig, setup: Setup) -> GFlowNet:
        """The algorithm that descends this objective. Raises ValueError where the settings do not fit it."""
        objective, environment = cls.of(config, setup.name), setup.environment
        policy = FlowPolicy(
            setup.features,
            setup.actions,
            environment.backward_actions,
            setup.encoder,
            setup.heads,
            cls.networks(config, setup.name),
        )
        return GFlowNet(policy.to(setup.generator.device), objective, config)

    @classmethod
    def of(cls, config: GFlowNetConfig, name: str) -> Self:
        """With these settings; `name` is that of the algorithm."""
        return cls(
            regression=config.regression,
            decay=config.decay,
            entropy_coefficient=config.entropy_coefficient,
            name=name,
        )

    @classmethod
    def networks(cls, config: GFlowNetConfig, name: str) -> frozenset[str]:
        """What a policy learns beside its forward actor. Raises ValueError where nothing would teach it."""
        if config.backward == "learned" and not cls.teaches_backward:
            raise ValueError(f"--flow.backward learned: --algorithm {name} does not teach it; take max-entropy")
        if config.backward == "max-entropy" and not cls.has_log_z:
            raise ValueError(f"--flow.backward max-entropy: --algorithm {name} looks at no way back; take uniform")
        backward = {"uniform": set[str](), "learned": {"backward"}, "max-entropy": {"backward", "count"}}
        return cls.learned | backward[config.backward]

    @abstractmethod
    def loss(self, batch: FlowBatch) -> Tensor:
        """A scalar."""

    def begin(self, sample: Callable[[], FlowBatch]) -> None:  # noqa: B027 (nothing is an answer)
        """Start what is learned beside the networks, from a batch if need be; by default there is nothing."""

    def check(self, batch: FlowBatch) -> None:  # noqa: B027
        """Raise ValueError where nothing can be learned from `batch`."""

    def settle(self, batch: FlowBatch, rate: float) -> None:  # noqa: B027
        """Before a gradient step, improve what is known without one, by a share `rate` that falls from 1 to 0."""

    def log_z(self, batch: FlowBatch) -> Tensor:
        """What is known of log Z, a scalar: by default the mean over trajectories of log R + Σ log P_B - Σ log P_F."""
        estimate = gflownet.log_z_estimate(batch.log_forward, batch.log_backward, batch.log_reward, batch.segments)
        return estimate.mean()

    def mean(self, residual: Tensor, count: float | None = None) -> Tensor:
        """The mean loss of residuals; 0 where there are none, as if all objects were finished at once.

        count: divides the sum in place of their number, where some that are left out count as 0.
        """
        total = gflownet.regression(self.regression)(residual).sum()
        return total / ((residual.numel() if count is None else count) or 1)
