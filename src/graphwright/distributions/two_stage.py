"""A pair of nodes as two decisions: the source, then the destination given the source."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphwright.core.segment import Segments, segment_sum
from graphwright.distributions.categorical import RaggedCategorical

DestinationGiven = Callable[[Tensor], RaggedCategorical]


class SourceThenDestination:
    """p(u, v) = p(u) p(v | u) over the ordered pairs of each graph's nodes; only the drawn source's row is ever scored.

    source: one categorical over each graph's nodes. destination_given: source [G] int64 (-1 where there is none) → the
    categorical over the same nodes given it. An action [G] int64 is the place u · n + v of the pair; -1 where a graph
    has no legal pair, with log-probability 0.
    """

    def __init__(self, source: RaggedCategorical, destination_given: DestinationGiven) -> None:
        self.source = source
        self.destination_given = destination_given

    @property
    def mode(self) -> Tensor:
        """[G] int64: the likeliest destination of the likeliest source, which need not be the likeliest pair."""
        source = self.source.mode
        return self._pair(source, self.destination_given(source).mode)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """[G] int64: one draw a graph."""
        source = self.source.sample(generator)
        return self._pair(source, self.destination_given(source).sample(generator))

    def log_prob(self, action: Tensor) -> Tensor:
        """[G]: log p(u) + log p(v | u), exactly."""
        size = self._segments.lengths.clamp(min=1)
        none = action < 0
        source = torch.where(none, -1, action // size)
        destination = torch.where(none, -1, action % size)
        return self.source.log_prob(source) + self.destination_given(source).log_prob(destination)

    @property
    def entropy(self) -> Tensor:
        """[G] nats: H(u) + H(v | u) at one drawn source, whose mean is the entropy H(u) + Σ_u p(u) H(v | u).

        All sources would cost as many passes as the largest graph has nodes. The draw is torch's own, and its
        probability passes no gradient.
        """
        return self.source.entropy + self.destination_given(self.source.sample()).entropy

    def kl(self, other: SourceThenDestination) -> Tensor:
        """[G] nats: KL of the sources plus that of the destinations at one drawn source: right in expectation."""
        source = self.source.sample()
        return self.source.kl(other.source) + self.destination_given(source).kl(other.destination_given(source))

    def mmd(self, other: SourceThenDestination) -> Tensor:
        """[G] squared MMD of the sources plus that of the destinations at one drawn source, as in `kl`."""
        source = self.source.sample()
        return self.source.mmd(other.source) + self.destination_given(source).mmd(other.destination_given(source))

    @property
    def _segments(self) -> Segments:
        return self.source.segments

    def _pair(self, source: Tensor, destination: Tensor) -> Tensor:
        return torch.where(destination < 0, -1, source * self._segments.lengths + destination)


def any_in_row(mask: Tensor, segments: Segments) -> Tensor:
    """[N] bool: whether a node has a legal destination; mask: [P] bool over the ordered pairs of each graph's nodes."""
    rows = Segments.from_lengths(segments.lengths[segments.index])
    return segment_sum(mask, rows) > 0
