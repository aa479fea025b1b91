"""What every algorithm is: it owns what it learns and the optimizers that change it, and learns from one batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.algorithms.optimizer import AnnealedAdam
from graphwright.algorithms.trust_region import Anchor
from graphwright.core import ActionSpec, Features, GraphBatch, Observation
from graphwright.distributions import Distribution
from graphwright.nn import ActorCritic, EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.nn.policies import MakeCritic, ValuedPolicy, Values

Observe = Callable[[GraphBatch], Observation]
"""From states to what an agent sees of them."""


@dataclass(frozen=True, eq=False)
class Setup:
    """What an algorithm is built for.

    name: that of the algorithm. features, actions: what a policy reads and chooses among. environment: whose states are
    observed. encoder, heads: settings of the networks. generator: of all random draws, on the device of the networks.
    own_reward: whether each of several deciders has its own.
    keeps_value: whether what acts needs the value too, as it does where moves are searched for.
    """

    name: str
    features: Features
    actions: ActionSpec
    environment: Any
    encoder: EncoderConfig
    heads: HeadsConfig
    generator: torch.Generator
    own_reward: bool = False
    keeps_value: bool = False


class Algorithm(ABC):
    """Networks, with all that changes them.

    policy: what acts, and what a run leaves. The networks and optimizers among its attributes are what a checkpoint
    holds. anchor: the policy that it must not go far from; None: it may go anywhere. draws: whether the probabilities
    of the policy mean anything. remembers: whether it learns from steps in their order, as policies that remember ask.
    """

    policy: nn.Module
    anchor: Anchor | None = None
    draws: ClassVar[bool] = True
    remembers: ClassVar[bool] = False

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with `weights` of what acts, and perhaps of a critic. Raises KeyError or RuntimeError for others."""
        own = self.policy.state_dict()
        if odd := sorted(weights.keys() - own.keys()) + sorted(self.acting_state().keys() - weights.keys()):
            raise KeyError(odd[0])
        self.policy.load_state_dict({**own, **weights})

    def take_units(self, state: Mapping[str, Tensor]) -> None:
        """Let critics speak in the units of another run, whose `state_dict` this is, where both say some."""
        own = self.state_dict()
        units = {name for name in own.keys() & state.keys() if name.startswith(("scale.", "target.scale."))}
        self.load_state_dict(own | {name: state[name] for name in units})

    def learn(self, batch: Any, progress: float) -> dict[str, Tensor]:
        """`update`, and back to where the policy began as far as its trust region says; scalars to log."""
        if self.anchor is None:
            return self.update(batch, progress)
        metrics: dict[str, Tensor] = {}
        with self.anchor.held(self.policy, self.observe, batch, metrics):  # type: ignore[arg-type, attr-defined]
            metrics |= self.update(batch, progress)
        return metrics

    def distance(self, distribution: Distribution, observation: Observation) -> Tensor | float:
        """What a minibatch costs for being far from where the policy began; 0 where nothing holds it."""
        return 0.0 if self.anchor is None else self.anchor.penalty(distribution, observation)

    def begin(self, sample: Callable[[], Any]) -> None:  # noqa: B027 (nothing is an answer)
        """Called once before the first update; `sample` gives a batch to begin with, if one is needed."""

    @abstractmethod
    def update(self, batch: Any, progress: float) -> dict[str, Tensor]:
        """Learn from `batch`, at `progress` (0 to 1) of the run; scalars to log."""

    def acting_state(self) -> dict[str, Tensor]:
        """The weights of what acts, which are what a run leaves."""
        return self.policy.state_dict()

    def state_dict(self) -> dict[str, Tensor]:
        """All that it has to remember."""
        return {
            f"{name}.{key}": tensor for name, part in self._parts().items() for key, tensor in part.state_dict().items()
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned; raises KeyError, ValueError or RuntimeError where it does not fit."""
        for name, part in self._parts().items():
            start = f"{name}."
            part.load_state_dict({key.removeprefix(start): state[key] for key in state if key.startswith(start)})

    def _parts(self) -> dict[str, nn.Module | AnnealedAdam]:
        return {name: part for name, part in vars(self).items() if isinstance(part, nn.Module | AnnealedAdam)}


class AlgorithmClass(Protocol):
    """What a line of the registry names.

    Config: its settings; options: what their names on the command line begin with. fewest_samples: how many episodes of
    each instance it needs.
    """

    __name__: str
    Config: type
    options: str
    fewest_samples: int

    def build(self, config: Any, setup: Setup) -> Algorithm:
        """A fresh algorithm, with weights from torch's global generator."""


def actor_critic(setup: Setup, values: Values = "graphs", make_critic: MakeCritic | None = None) -> ActorCritic:
    """A fresh policy with a critic, see `ActorCritic`, on the device of the generator."""
    make = ValuedPolicy if setup.keeps_value else ActorCritic
    policy = make(setup.features, setup.actions, setup.encoder, setup.heads, values, make_critic)
    return policy.to(setup.generator.device)


class MinibatchSettings(Protocol):
    """What the settings of every algorithm have that learns from minibatches of states."""

    @property
    def learning_rate(self) -> float:
        """At the beginning; it falls linearly to zero."""

    @property
    def max_grad_norm(self) -> float:
        """Gradients are clipped to this norm."""

    @property
    def minibatch_size(self) -> int:
        """States of each gradient step."""


Settings = TypeVar("Settings", bound=MinibatchSettings)


class MinibatchAlgorithm(Algorithm, Generic[Settings]):
    """Updates `policy` from states in minibatches; `observe` is the environment's; `generator` shuffles."""

    Config: ClassVar[type]
    options: ClassVar[str]
    fewest_samples: ClassVar[int] = 1
    policy: GraphPolicy

    def __init__(self, policy: GraphPolicy, observe: Observe, config: Settings, generator: torch.Generator) -> None:
        self.policy = policy
        self.observe = observe
        self.config = config
        self.generator = generator
        self.optimizer = AnnealedAdam(policy, config.learning_rate, config.max_grad_norm)

    @classmethod
    def build(cls, config: Settings, setup: Setup) -> Self:
        """A fresh algorithm with a policy and no critic, on the device of the generator."""
        policy = GraphPolicy(setup.features, setup.actions, setup.encoder, setup.heads)
        return cls(policy.to(setup.generator.device), setup.environment.observe, config, setup.generator)

    @override
    def acting_state(self) -> dict[str, Tensor]:
        return self.policy.acting_state()

    def minibatches(self, count: int, device: torch.device) -> tuple[Tensor, ...]:
        """The rows 0 to `count` in random order, in pieces of `minibatch_size`."""
        return torch.randperm(count, generator=self.generator, device=device).split(self.config.minibatch_size)
