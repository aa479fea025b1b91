"""What has a value: a graph whose decisions share its reward, or each decider that earns for itself."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core.segment import Segments, segment_mean, segment_sum
from graphwright.data.replay import Transitions
from graphwright.data.samples import DECISIONS
from graphwright.nn.policies import Values


class ValuedGraphs:
    """S graphs of D decisions have R = S values; what their decisions are worth adds up.

    Sunehag et al. 2018, "Value-decomposition networks for cooperative multi-agent learning".
    """

    values: ClassVar[Values] = "graphs"

    def total(self, values: Tensor, graphs: Segments) -> Tensor:
        """[R] from what each decision is worth, [D]; graphs: D → S."""
        return segment_sum(values, graphs)

    def of_graphs(self, values: Tensor, graphs: Segments) -> Tensor:
        """[R] from one number a graph, [S]."""
        return values

    def mean(self, values: Tensor, graphs: Segments) -> Tensor:
        """[S] from [R]."""
        return values

    def rewards(self, transitions: Transitions) -> Tensor:
        """[R, n]: those of the next steps."""
        return transitions.columns["reward"]

    def following(self, values: Tensor, transitions: Transitions, graphs: Segments) -> Tensor:
        """[R]: 0 after the end; elsewhere `values` of the next states, of which `graphs` group the decisions.

        Both are of the episodes that go on alone, in their order.
        """
        ended = transitions.columns["terminated"]
        return values.new_zeros(ended.shape).masked_scatter(~ended, values)


class ValuedDeciders(ValuedGraphs):
    """D deciders have R = D values, and follow `successor` from state to state."""

    values: ClassVar[Values] = "decisions"

    def total(self, values: Tensor, graphs: Segments) -> Tensor:
        """As they are."""
        return values

    def of_graphs(self, values: Tensor, graphs: Segments) -> Tensor:
        """Those of the decider's graph."""
        return values[graphs.index]

    def mean(self, values: Tensor, graphs: Segments) -> Tensor:
        """Over the deciders of each graph."""
        return segment_mean(values, graphs)

    def rewards(self, transitions: Transitions) -> Tensor:
        """[D, n]: its own of the next steps."""
        return transitions.groups[DECISIONS].columns["reward"]

    def following(self, values: Tensor, transitions: Transitions, graphs: Segments) -> Tensor:
        """Those of the successors; 0 where there is none."""
        here = transitions.groups[DECISIONS]
        graph, successor = here.segments.index, here.columns["successor"]
        on = ~transitions.columns["terminated"]
        gone = (successor < 0) | ~on[graph]
        if not values.numel():
            return values.new_zeros(successor.shape)
        place = (on.long().cumsum(0) - 1).clamp(min=0)  # of each graph among those that go on
        row = (graphs.ptr[place[graph]] + successor).masked_fill(gone, 0)
        return values[row].masked_fill(gone, 0)


class SharingDeciders(ValuedDeciders):
    """Deciders that each have all of their graph's reward as their own."""

    def rewards(self, transitions: Transitions) -> Tensor:
        """[D, n]: those of the next steps, while the decider is there."""
        here, reward = transitions.groups[DECISIONS], transitions.columns["reward"]
        successor, most = here.columns["successor"], reward.shape[1]
        steps = torch.where(successor < 0, -successor, most)
        there = torch.arange(most, device=reward.device) < steps[:, None]
        return reward[here.segments.index] * there


def each_decider(own_reward: bool) -> ValuedDeciders:
    """Deciders with a value each, of their own rewards, or of their graph's where they share it."""
    return ValuedDeciders() if own_reward else SharingDeciders()
