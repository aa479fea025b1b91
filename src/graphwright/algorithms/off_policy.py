"""What algorithms share that learn from a replay: minibatches, errors that say what is drawn again, bootstraps."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Algorithm, Setup
from graphwright.algorithms.optimizer import AnnealedAdam, mean_of, require_each
from graphwright.algorithms.value_scale import EACH_MINIBATCH, value_scale
from graphwright.algorithms.valued import ValuedDeciders, ValuedGraphs
from graphwright.core import Observation
from graphwright.core.segment import Segments
from graphwright.data.replay import Transitions
from graphwright.data.samples import DECISIONS, ReplaySamples
from graphwright.functional.q_learning import discounted
from graphwright.nn import GraphPolicy
from graphwright.nn.actors import require_actor_scores
from graphwright.nn.critics import OwnValue
from graphwright.nn.policies import MakeCritic


@dataclass(frozen=True)
class OffPolicyConfig:
    """What the settings of such algorithms have in common."""

    options: ClassVar[str]

    learning_rate: float = 2e-3
    """Of all networks at the beginning; it falls linearly to zero."""
    discount: float = 1.0
    """γ; episodes are finite, and undiscounted costs are what is compared."""
    target_rate: float = 0.01
    """Part of the way that target networks move to the others each time; 1 copies them."""
    max_grad_norm: float = 10.0
    """Gradients are clipped to this norm."""
    normalize_values: bool = False
    """Let critics speak in standard deviations of their targets, for returns that are large, or hardly differ."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require_each(self, self.options, ("learning_rate", "max_grad_norm"), 0)
        require_each(self, self.options, ("discount", "target_rate"), 0, 1)


class OffPolicyAlgorithm(Algorithm):
    """Learns from `ReplaySamples`, a gradient step of each of its networks for every minibatch.

    Subclasses say what a gradient step is (`_step`). Raises ValueError where actions are no candidates.
    """

    Config: ClassVar[type]
    options: ClassVar[str]
    fewest_samples: ClassVar[int] = 1
    takes_continuous: ClassVar[bool] = False
    policy: GraphPolicy

    def __init__(self, config: Any, setup: Setup) -> None:
        if setup.actions.continuous and not self.takes_continuous:
            name = setup.actions.blocks[0].name
            raise ValueError(
                f"--algorithm {setup.name}: needs candidates to choose from, and {name!r} is continuous; take sac or "
                "ppo"
            )
        self.config = config
        self.observe = setup.environment.observe
        self.valued = self.valued_in(setup)
        self.scale = value_scale(config.normalize_values, EACH_MINIBATCH).to(setup.generator.device)

    def valued_in(self, setup: Setup) -> ValuedGraphs:
        """What has a value: deciders, where each has a reward of its own; graphs elsewhere."""
        return ValuedDeciders() if setup.own_reward else ValuedGraphs()

    @classmethod
    def build(cls, config: Any, setup: Setup) -> Algorithm:
        """A fresh algorithm. Raises ValueError, naming the option, where actions or heads do not fit."""
        return cls(config, setup)

    @override
    def acting_state(self) -> dict[str, Tensor]:
        return self.policy.acting_state()

    @override
    def update(self, batch: ReplaySamples, progress: float) -> dict[str, Tensor]:
        for part in vars(self).values():
            if isinstance(part, AnnealedAdam):
                part.anneal(progress)
        steps = []
        for transitions in batch:
            metrics, error = self._step(transitions)
            batch.set_error(transitions.ids, error)
            steps.append({name: metric.detach() for name, metric in metrics.items()})
        return mean_of(steps)

    @abstractmethod
    def _step(self, transitions: Transitions) -> tuple[dict[str, Tensor], Tensor]:
        """One gradient step: scalars, and how far off the value of each transition was, [S] from 0."""

    @abstractmethod
    def _worth(self, observation: Observation, graphs: Segments) -> Tensor:
        """[R]: what the target networks say of states in which an episode goes on. graphs: of their decisions."""

    @torch.no_grad()
    def _following(self, transitions: Transitions) -> Tensor:
        """[R]: what the next states are worth, 0 after the end; where an episode ended, no network is asked."""
        valued, on = self.valued, (~transitions.columns["terminated"]).nonzero().squeeze(1)
        if not on.numel():
            return torch.zeros_like(valued.rewards(transitions)[:, 0])
        observation = self.observe(transitions.next_state.select(on))
        graphs = self.policy.actions.deciders(observation.graph)
        return valued.following(self._worth(observation, graphs), transitions, graphs)

    def _target(self, transitions: Transitions, following: Tensor, bonus: Tensor | float = 0.0) -> Tensor:
        """[R]: Σ γᵏ r, `bonus`, and γⁿ of what follows, as the critic is to say it.

        following: [R], what the next states are worth.
        """
        graphs = transitions.groups[DECISIONS].segments
        discount = self.config.discount ** transitions.columns["length"].float()
        reward = discounted(self.valued.rewards(transitions), self.config.discount)
        return self.scale.targets(reward + bonus + self.valued.of_graphs(discount, graphs) * following)


def require_several(setup: Setup) -> None:
    """Raise ValueError where graphs decide, and not their nodes or edges."""
    if setup.actions.one_per_graph:
        raise ValueError(f"--algorithm {setup.name}: needs agents that decide for themselves, and here graphs decide")


def own_critic(setup: Setup) -> MakeCritic:
    """A critic of each agent that reads nothing but what the agent sees. Raises ValueError where graphs decide."""
    require_several(setup)
    return lambda encoder: OwnValue(setup.actions.decider, encoder.width, encoder.edge_width)


def scoring(policy: Any, setup: Setup) -> Any:
    """`policy`, where the run's networks are. Raises ValueError where its head has no free scores to be Q-values."""
    require_actor_scores(policy.actor, setup.heads, "Q-values")
    return policy.to(setup.generator.device)
