"""The settings that all objectives share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graphwright.algorithms.optimizer import require, require_each
from graphwright.functional.gflownet import Regression

Backward = Literal["uniform", "learned", "max-entropy"]
OptimizerKind = Literal["muon", "adam"]


@dataclass(frozen=True)
class GFlowNetConfig:
    """Settings of generative flow networks, whatever the objective."""

    learning_rate: float = 3e-3
    """At the beginning; it falls linearly to zero."""
    optimizer: OptimizerKind = "muon"
    """How weight matrices are changed: along orthogonalised momentum (at seven times the learning rate, its steps being
    of another kind), or by Adam as everything else."""
    log_z_learning_rate: float = 0.1
    """That of what conditions add to log Z; what is the same for all is set to what trajectories say of it."""
    max_grad_norm: float = 10.0
    """Gradients are clipped to this norm."""
    passes: int = 4
    """How often each batch of trajectories is learned from; once, where an algorithm learns from its own policy."""
    minibatches: int = 4
    """Parts of each batch, with a gradient step each in every pass; one, where an algorithm learns from its own
    policy."""
    regression: Regression = "squared"
    """What is made of a residual."""
    decay: float = 0.9
    """subtb, modified-subtb: the weight of a sub-trajectory falls by this factor with each step of its length."""
    entropy_coefficient: float = 0.01
    """trajectory-a2c, trajectory-reinforce: weight of the entropy bonus."""
    backward: Backward = "uniform"
    """The backward policy: uniform, learned with the rest, or such that all trajectories to an object have the same
    probability."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, for a rate or a norm that is no positive number."""
        require_each(self, "flow", ("learning_rate", "log_z_learning_rate", "max_grad_norm"), 0)
        require("flow.decay", self.decay, 0)
        require("flow.passes", self.passes)
        require("flow.minibatches", self.minibatches)
