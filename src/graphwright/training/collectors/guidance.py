"""Decisions that an expert comments on, some of which it takes itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_sum
from graphwright.data.demonstrations import Demonstrations
from graphwright.data.states import States
from graphwright.distributions import RaggedCategorical
from graphwright.envs.environment import Environment
from graphwright.envs.experts import Advice, Expert
from graphwright.functional.relaxed import one_hot
from graphwright.training.collectors.play import ConfigError
from graphwright.training.collectors.tables import action_table

SETTLED = 0.98
"""With this probability of doing what is right, there is nothing to be learned in a state."""


class Label(NamedTuple):
    """What an expert said of a batch of states.

    action: [D], as for `Advice`, where there are no candidates to approve of. approved: [K], elsewhere. lengths:
    [B] int64, the candidates of each state. graphs: its decisions (D → B). settled: [B] bool, whether the policy is as
    good as certain to do what is right; None without candidates.
    """

    action: Tensor | None
    approved: Tensor | None
    lengths: Tensor
    graphs: Segments
    settled: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Guidance:
    """An expert beside a policy: the expert takes its share of the decisions, the policy the others.

    environment: as it is played. own: as the expert knows it. settled_share: of the states in which nothing is to be
    learned, how many are learned from.
    """

    environment: Environment
    own: Environment
    expert: Expert
    generator: torch.Generator
    settled_share: float = 1.0

    def decide(self, policy: Any, state: GraphBatch, aims: GraphBatch, share: float) -> tuple[Tensor, Label]:
        """An action for each decision in `state`, and what the expert says of it; share: β, of the graphs.

        Where several things are right it is the policy that draws among them; where nothing is, it goes on alone.
        """
        observation = self.environment.observe(state)
        distribution, graphs = policy.distribution(observation), self.environment.actions.deciders(observation.graph)
        advice = self.expert.advise(self.own, state, aims)
        action, approved = advice
        own_way = distribution.sample(self.generator)
        guided = torch.rand(graphs.num_groups, generator=self.generator, device=own_way.device) < share
        guided = guided[graphs.index]
        if not isinstance(distribution, RaggedCategorical):
            if action is None:
                raise ConfigError(
                    "--algorithm imitation: needs the probability of every candidate where an expert approves of "
                    "several; take a head that scores them all, or an --expert that is a rule"
                )
            if self.settled_share != 1:
                raise ConfigError(
                    f"--settled-share {self.settled_share}: needs the probability of every candidate; leave it out, or "
                    "take a head that scores them all"
                )
            chosen = guided & _is_decided(action)
            mixed = torch.where(chosen.view(-1, *[1] * (action.dim() - 1)), action, own_way)
            return mixed, Label(action, None, graphs.lengths, graphs)
        segments = distribution.segments
        if approved is None:
            assert action is not None
            approved = one_hot(action, segments) > 0
            advice = Advice(None, approved)
        right = RaggedCategorical(distribution.logits, segments, advice.best).sample(self.generator)
        lengths = self.environment.actions.joint(observation.graph, segments.lengths)
        open_ = segment_sum(distribution.probs * approved, segments) < SETTLED
        label = Label(None, approved, lengths, graphs, segment_sum(open_, graphs) == 0)
        return torch.where(guided & (right >= 0), right, own_way), label

    def demonstrations(self, states: States, labels: Sequence[Label]) -> Demonstrations:
        """`states` with all that was said of them."""
        approved = [label.approved for label in labels if label.approved is not None]
        if approved:
            candidates = Segments.from_lengths(torch.cat([label.lengths for label in labels]))
            return Demonstrations(states, target=torch.cat(approved), candidates=candidates, rows=self._rows(labels))
        actions = [label.action for label in labels if label.action is not None]
        table = action_table(self.environment.actions, actions, [label.graphs for label in labels])
        return Demonstrations(states, action=table)

    def _rows(self, labels: Sequence[Label]) -> Tensor | None:
        """The states to learn from; None: all."""
        if self.settled_share == 1:
            return None
        settled = torch.cat([label.settled for label in labels if label.settled is not None])
        drawn = torch.rand(settled.numel(), generator=self.generator, device=settled.device) < self.settled_share
        return (~settled | drawn).nonzero().squeeze(1)


def _is_decided(action: Tensor) -> Tensor:
    """[D] bool: where an expert does anything."""
    return action.isfinite().all(1) if action.is_floating_point() else action >= 0
