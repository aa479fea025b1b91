"""COMA: policy gradients of a team whose baseline is what an agent would have gained by doing something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm, Observe, Setup
from graphwright.algorithms.multiagent.team import TeamSettings
from graphwright.algorithms.off_policy import require_several, scoring
from graphwright.algorithms.optimizer import AnnealedAdam, mean_of, require_each
from graphwright.algorithms.sequences import pieces_of, sequence_of
from graphwright.algorithms.target import Target
from graphwright.algorithms.value_scale import EACH_UPDATE, ValueScale, value_scale
from graphwright.core import Observation
from graphwright.core.segment import Segments
from graphwright.core.sequence import Sequence
from graphwright.data.chains import decision_chain
from graphwright.data.rollout import Rollout
from graphwright.distributions import RaggedCategorical
from graphwright.functional.policy_gradient import score_function_loss, standardize
from graphwright.functional.returns import generalized_advantage
from graphwright.functional.value import explained_variance, squared_error
from graphwright.nn import GraphPolicy
from graphwright.nn.action_values import CounterfactualValue
from graphwright.nn.individual import individual


@dataclass(frozen=True)
class COMAConfig(TeamSettings):
    """Settings of COMA."""

    options: ClassVar[str] = "coma"

    learning_rate: float = 1e-3
    """Of both networks at the beginning; it falls linearly to zero."""
    minibatch_size: int = 256
    """States of each gradient step."""
    discount: float = 0.95
    """γ."""
    gae_lambda: float = 0.8
    """λ of TD(λ), by which the critic learns."""
    critic_epochs: int = 2
    """Passes of the critic over what was collected, before one of the policy."""
    target_rate: float = 0.02
    """Part of the way that the target critic moves to the critic after each of its gradient steps."""
    entropy_coefficient: float = 0.01
    """Weight of the entropy bonus."""
    max_grad_norm: float = 10.0
    """Gradients are clipped to this norm."""
    normalize_values: bool = False
    """Let the critic speak in standard deviations of its targets, for returns that are large, or hardly differ."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require_each(self, "coma", ("minibatch_size", "critic_epochs"))
        require_each(self, "coma", ("learning_rate", "max_grad_norm"), 0)
        require_each(self, "coma", ("discount", "gae_lambda", "target_rate"), 0, 1)


class Valued(NamedTuple):
    """Of decisions [D]: the value of what was done, what the policy expects over its own actions, and who decides."""

    taken: Tensor
    expected: Tensor
    graphs: Segments


class COMA(MinibatchAlgorithm[COMAConfig]):
    """COMA: each agent's advantage is over what it would have done otherwise, the others as they were.

    A_i = Q_i(s, a) − Σ_a′ π_i(a′) Q_i(s, (a′, a_-i)), with one pass of the critic for all agents and all their actions
    (Foerster et al. 2018). The critic learns TD(λ) targets along `successor`, of the team's reward or of each agent's.
    """

    Config: ClassVar[type] = COMAConfig
    options = "coma"
    remembers = True

    def __init__(
        self,
        policy: GraphPolicy,
        critic: nn.Module,
        observe: Observe,
        config: COMAConfig,
        generator: torch.Generator,
    ) -> None:
        super().__init__(policy, observe, config, generator)
        self.critic = critic
        self.scale = value_scale(config.normalize_values, EACH_UPDATE).to(generator.device)
        self.target = Target(critic, config.target_rate, 1, self.scale)
        self.critic_optimizer = AnnealedAdam(critic, config.learning_rate, config.max_grad_norm)

    @classmethod
    @override
    def build(cls, config: COMAConfig, setup: Setup) -> COMA:
        require_several(setup)
        if setup.actions.continuous:
            name = setup.actions.blocks[0].name
            raise ValueError(f"--algorithm {setup.name}: needs candidates to choose from, and {name!r} is continuous")
        parts = setup.features, setup.actions, setup.encoder
        policy = scoring(GraphPolicy(*parts, setup.heads), setup)
        inputs = config.team_inputs(setup)
        critic = individual(*parts, lambda: CounterfactualValue(*parts, inputs)).to(setup.generator.device)
        return cls(policy, critic, setup.environment.observe, config, setup.generator)

    @override
    def update(self, rollout: Rollout, progress: float) -> dict[str, Tensor]:
        for optimizer in (self.optimizer, self.critic_optimizer):
            optimizer.anneal(progress)
        target, decisions = self.targets(rollout)
        to_say = self.scale.targets(target)
        steps = [
            self._learn_values(rollout, rows, to_say)
            for _ in range(self.config.critic_epochs)
            for rows in self.minibatches(rollout.num_steps, target.device)
        ]
        found = self._valued(rollout, rollout.num_steps, self.critic, self.scale)
        weight = standardize(found.taken - found.expected)
        pieces = pieces_of(rollout, self.policy, self.config.minibatch_size, self.generator)
        moves = [self._move(rollout, rows, weight, decisions) for rows in pieces]
        return {"explained_variance": explained_variance(found.taken, target)} | mean_of(steps) | mean_of(moves)

    def targets(self, rollout: Rollout) -> tuple[Tensor, Segments]:
        """[Q]: TD(λ) of the target critic; where nothing was done any more, with actions that the policy draws.

        Also the decisions of each state (→ R).
        """
        found = self._valued(rollout, rollout.states.num_states, self.target.network, self.target.scale)
        chain = decision_chain(rollout, found.graphs)
        value = found.taken[: chain.reward.numel()]
        advantage = generalized_advantage(
            chain.reward,
            value,
            chain.following(found.taken),
            chain.carry_row,
            chain.steps,
            discount=self.config.discount,
            gae_lambda=self.config.gae_lambda,
        )
        return advantage + value, found.graphs

    @torch.no_grad()
    def _valued(self, rollout: Rollout, num_states: int, critic: nn.Module, scale: ValueScale) -> Valued:
        """Of all decisions of the first `num_states` states."""
        taken, expected, lengths = [], [], []
        for observation, action in self._acted(rollout, num_states):
            policy, values = self._policy(observation), critic(observation, action)
            taken.append(scale.values(values.at(action, values.logits)))
            expected.append(scale.values(policy.expectation(values.logits)))
            lengths.append(self.policy.actions.deciders(observation.graph).lengths)
        return Valued(torch.cat(taken), torch.cat(expected), Segments.from_lengths(torch.cat(lengths)))

    def _acted(self, rollout: Rollout, num_states: int) -> Iterator[tuple[Observation, Tensor]]:
        """Pieces of the states with what was done in them, or drawn in those in which nothing was done any more."""
        rows = torch.arange(num_states, device=rollout.reward.device)
        for piece in rows[: rollout.num_steps].split(self.config.minibatch_size):
            yield self.observe(rollout.states.select(piece)), rollout.action.select(piece)
        for piece in rows[rollout.num_steps :].split(self.config.minibatch_size):
            if piece.numel():
                observation = self.observe(rollout.states.select(piece))
                yield observation, self._policy(observation).sample(self.generator)

    def _learn_values(self, rollout: Rollout, rows: Tensor, target: Tensor) -> dict[str, Tensor]:
        """One gradient step of the critic on the states at `rows`; target: [Q], in the critic's own units."""
        action = rollout.action.select(rows)
        values = self.critic(self.observe(rollout.states.select(rows)), action)
        loss = squared_error(values.at(action, values.logits), target[rollout.action.decisions(rows)[0]])
        norm = self.critic_optimizer.step(loss)
        self.target.follow(self.critic, self.scale)
        return {"value_loss": loss.detach(), "critic_grad_norm": norm}

    def _move(self, rollout: Rollout, rows: Tensor, advantage: Tensor, decisions: Segments) -> dict[str, Tensor]:
        """One gradient step of the policy on the states at `rows`; decisions: as `targets` gives them."""
        observation = self.observe(rollout.states.select(rows))
        policy = self._policy(observation, sequence_of(rollout, self.policy, rows, decisions))
        log_prob, entropy = policy.log_prob(rollout.action.select(rows)), policy.entropy.mean()
        loss = score_function_loss(log_prob, advantage[rollout.action.decisions(rows)[0]])
        loss = loss - self.config.entropy_coefficient * entropy
        norm = self.optimizer.step(loss + self.distance(policy, observation))
        return {"policy_loss": loss.detach(), "entropy": entropy.detach(), "grad_norm": norm}

    def _policy(self, observation: Observation, sequence: Sequence | None = None) -> RaggedCategorical:
        found, _ = self.policy.read(observation, sequence)
        assert isinstance(found, RaggedCategorical)  # `build` has asked for it
        return found
