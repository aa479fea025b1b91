"""From a ragged distribution to the dense parameters that TorchRL keeps in a tensordict, and from those to its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, constraints
from torch.distributions import Distribution as TorchDistribution
from typing_extensions import override

from graphwright.core import ActionSpec, Observation, Segments
from graphwright.distributions import Distribution, RaggedCategorical, SquashedGaussian
from graphwright.frameworks.decisions import pad_candidates
from graphwright.frameworks.schema import Limits
from graphwright.frameworks.torchrl.conversion import fill

Shape = tuple[int, int]


def dense_parameters(distribution: Distribution, deciders: Segments, width: int) -> dict[str, Tensor]:
    """`logits` [B, width] of a categorical; `loc` and `scale` [B, width, D] where actions are continuous.

    deciders: the decisions of each graph. Illegal candidates and padding have the lowest finite logit, whose
    probability is 0 exactly, so that a graph with nothing to decide gives no NaN. Decisions in which nothing is done,
    and padding, have scale 0.
    """
    if isinstance(distribution, SquashedGaussian):
        loc, scale = (values.masked_fill(~distribution.mask, 0) for values in (distribution.mean, distribution.scale))
        return {"loc": fill(loc, deciders, width), "scale": fill(scale, deciders, width)}
    assert isinstance(distribution, RaggedCategorical)
    lowest = torch.finfo(distribution.logits.dtype).min
    return {"logits": fill(distribution.logits.clamp(min=lowest), distribution.segments, width, lowest)}


def decision_logits(spec: ActionSpec, observation: Observation, distribution: Distribution, shape: Shape) -> Tensor:
    """[B, d, c]: the logits of several decisions of each graph; of one that may do nothing choice 0 is certain.

    shape: d and c.
    """
    assert isinstance(distribution, RaggedCategorical)
    graph, lowest = observation.graph, torch.finfo(distribution.logits.dtype).min
    able = spec.able(graph, observation.masks)[distribution.segments.index]
    logits = distribution.logits.clamp(min=lowest)
    logits = torch.where(able | (distribution.segments.position > 0), logits, 0)
    return pad_candidates(spec, graph, logits, Limits(0, 0, 0, decisions=shape[0], choices=shape[1]), lowest, 0)


class JointCategorical(Independent):
    """Several independent choices at once: logits [*, d, c], actions [*, d], one log-probability [*] for all."""

    def __init__(self, logits: Tensor, validate_args: bool | None = None) -> None:
        super().__init__(Categorical(logits=logits), 1, validate_args)

    @property
    def deterministic_sample(self) -> Tensor:
        """[*, d]: the most probable choices."""
        return self.mode


class NodeTanhNormal(TorchDistribution):
    """`SquashedGaussian` of dense parameters: loc, scale [*, n, D]; a row of scale 0 does nothing and its action is 0.

    Batch shape [*], event shape [n, D].
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.nonnegative}  # noqa: RUF012
    support = constraints.independent(constraints.interval(-1.0, 1.0), 2)
    has_rsample = True

    def __init__(self, loc: Tensor, scale: Tensor, validate_args: bool | None = None) -> None:
        self.loc = loc
        self.scale = scale
        super().__init__(*self._shapes(loc.shape), validate_args)

    @property
    def mode(self) -> Tensor:
        """[*, n, D]: the squashed mean."""
        return self._native().mode.view_as(self.loc)

    deterministic_sample = mode

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """[*sample_shape, *, n, D]: draws through which gradients flow."""
        return self._native(sample_shape).sample().view(*sample_shape, *self.loc.shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """[*sample_shape, *]: log-density of `value` [*sample_shape, *, n, D], over all rows."""
        shape = value.shape[: value.dim() - self.loc.dim()]
        density = self._native(shape).log_prob(value.reshape(-1, value.shape[-1]))
        return self._of_events(density.view(value.shape[:-1]))

    def entropy(self) -> Tensor:
        """[*] in nats."""
        return self._of_events(self._native().entropy.view(self.loc.shape[:-1]))

    @staticmethod
    def _shapes(shape: torch.Size) -> tuple[torch.Size, torch.Size]:
        """Batch and event of parameters of that shape."""
        return shape[:-2], shape[-2:]

    @staticmethod
    def _of_events(rows: Tensor) -> Tensor:
        """[*]: numbers [*, n] of the rows of each event, together."""
        return rows.sum(-1)

    def _native(self, sample_shape: Any = ()) -> SquashedGaussian:
        rows = (*sample_shape, *self.loc.shape)
        loc, scale = (values.expand(rows).flatten(0, -2) for values in (self.loc, self.scale))
        return SquashedGaussian(loc, torch.where(scale > 0, scale, 1), (scale > 0).all(1))


class AgentTanhNormal(NodeTanhNormal):
    """The same, each row an action of its own: batch shape [*, n], event shape [D], log-probabilities [*, n]."""

    support = constraints.independent(constraints.interval(-1.0, 1.0), 1)

    @staticmethod
    @override
    def _shapes(shape: torch.Size) -> tuple[torch.Size, torch.Size]:
        return shape[:-1], shape[-1:]

    @staticmethod
    @override
    def _of_events(rows: Tensor) -> Tensor:
        return rows
