"""Conditions: what a sampler is told of the reward: how strongly to prefer better objects, and what is better."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from graphwright.core import Features, GraphBatch
from graphwright.core.numbers import require
from graphwright.core.timestep import PREFERENCE
from graphwright.envs.generative.many_objectives import FOCUS

BETA, CONDITION = "beta", "condition"
_COLUMNS = (BETA, CONDITION, PREFERENCE, FOCUS)


class Conditions(NamedTuple):
    """Of B trajectories. beta: [B] float32; preference, focus: [B, K] float32, or None."""

    beta: Tensor
    preference: Tensor | None
    focus: Tensor | None


class Goal(NamedTuple):
    """What all objects are to be built for: an exponent, weights of objectives, a direction; None where it is drawn."""

    beta: float | None = None
    preference: tuple[float, ...] | None = None
    focus: tuple[float, ...] | None = None


ANY_GOAL = Goal()


@dataclass(frozen=True)
class ConditionConfig:
    """The exponent β of R(x)^β, which objects are drawn in proportion to; weights of objectives; a focus among them.

    As graph columns: `beta` [B], `preference` [B, K] and `focus` [B, K] for the reward, `condition` [B, D] for the
    policy, which sees K · preference - 1: as they are, weights differ by too little to be heard (measured: goals.md).
    """

    beta: Literal["constant", "uniform", "log-uniform", "gamma"] = "constant"
    """How β is drawn for each trajectory; the policy is told, unless it is constant."""
    low: float = 1.0
    """The constant, or the least β."""
    high: float = 32.0
    """The greatest β; for gamma, drawn values are cut there."""
    shape: float = 2.0
    """gamma: shape; its mean is the middle between low and high."""
    bins: int = 16
    """Numbers that β is written as, like the column of a thermometer."""
    preference: float | None = None
    """Concentration of the Dirichlet distribution of the weights of objectives; all alike if it is not given."""
    focus: bool = False
    """Whether each trajectory has a direction in the space of objectives, drawn uniformly, that is wanted."""
    hindsight: float = 0.0
    """Share of the trajectories whose focus is afterwards said to have been where their object is."""

    def __post_init__(self) -> None:
        """Raise ValueError for a range that is none."""
        require("condition.low", self.low, 1e-6)
        if self.beta != "constant":
            require("condition.high", self.high, self.low)
        require("condition.shape", self.shape, 1e-6)
        require("condition.bins", self.bins)
        require("condition.hindsight", self.hindsight, 0, 1)
        if self.preference is not None:
            require("condition.preference", self.preference, 1e-6)
        if self.hindsight and not self.focus:
            raise ValueError(f"--condition.hindsight {self.hindsight}: there is no focus; give --condition.focus")

    @property
    def varies(self) -> bool:
        """Whether the policy has to be told."""
        return self.beta != "constant" or self.preference is not None or self.focus

    @property
    def told(self) -> dict[str, str]:
        """How a policy is told what options alone do not say: runs that were told otherwise do not fit."""
        return {"preference": "K w - 1"} if self.preference is not None else {}

    @property
    def greatest(self) -> float:
        """The greatest β."""
        return self.low if self.beta == "constant" else self.high

    def features(self, features: Features, num_measures: int) -> Features:
        """What the policy sees beside the object, which has K = `num_measures` measures."""
        width = self.bins * (self.beta != "constant")
        width += num_measures * ((self.preference is not None) + self.focus)
        return replace(features, graphs={**features.graphs, CONDITION: width}) if width else features

    def draw(self, count: int, num_measures: int, generator: torch.Generator) -> Conditions:
        """`count` conditions for rewards of K = `num_measures` numbers."""
        preference = focus = None
        if self.preference is not None:
            gamma = torch._standard_gamma(torch.full((count, num_measures), self.preference), generator=generator)
            preference = gamma / gamma.sum(1, keepdim=True).clamp(min=1e-30)
        if self.focus:
            direction = torch.randn(count, num_measures, generator=generator).abs()
            focus = direction / direction.norm(dim=1, keepdim=True)
        return Conditions(self._draw_beta(count, generator), preference, focus)

    def goals(self, count: int, num_measures: int, generator: torch.Generator, fixed: Goal) -> Conditions:
        """As `draw`, but with what `fixed` says for all; the exponent is the greatest unless it says so.

        Weights of a preference count by their shares, as drawn ones add up to 1.

        Raises ValueError for what the sampler was not trained for.
        """
        drawn = self.draw(count, num_measures, generator)
        if fixed.beta is not None and not self.low <= fixed.beta <= self.greatest:
            trained = f"β = {self.low:g}" if self.beta == "constant" else f"β from {self.low:g} to {self.high:g}"
            raise ValueError(f"beta {fixed.beta:g}: this sampler was trained with {trained}")
        beta = torch.full((count,), self.greatest if fixed.beta is None else fixed.beta)
        preference = _fixed("preference", drawn.preference, fixed.preference)
        if preference is not None and fixed.preference is not None:
            total = sum(fixed.preference)
            if min(fixed.preference) < 0 or not 0 < total < math.inf:
                raise ValueError(f"preference {fixed.preference}: give weights of at least 0, not all of them 0")
            preference = preference / total
        return Conditions(beta, preference, _fixed("focus", drawn.focus, fixed.focus))

    def attach(self, graph: GraphBatch, conditions: Conditions) -> GraphBatch:
        """`graph` with the columns that the class names."""
        columns, seen = {BETA: conditions.beta}, []
        if self.beta != "constant":
            seen.append(thermometer(conditions.beta, self.low, self.high, self.bins))
        if conditions.preference is not None:
            columns[PREFERENCE] = conditions.preference
            seen.append(conditions.preference * conditions.preference.shape[1] - 1)  # 0 where all weights are alike
        if conditions.focus is not None:
            columns[FOCUS] = conditions.focus
            seen.append(conditions.focus)
        return graph.with_graphs(**columns, **({CONDITION: torch.cat(seen, dim=1)} if seen else {}))

    def _draw_beta(self, count: int, generator: torch.Generator) -> Tensor:
        """[count] float32."""
        if self.beta == "constant":
            return torch.full((count,), self.low)
        uniform = torch.rand(count, generator=generator)
        if self.beta == "uniform":
            return self.low + (self.high - self.low) * uniform
        if self.beta == "log-uniform":
            return self.low * (self.high / self.low) ** uniform
        scale = (self.low + self.high) / 2 / self.shape
        rate = torch.full((count,), self.shape)
        return (torch._standard_gamma(rate, generator=generator) * scale).clamp(self.low, self.high)


def unconditioned(objects: GraphBatch, features: Features) -> GraphBatch:
    """`objects` without what `ConditionConfig.attach` gave them: what was built, whatever it was built for.

    features: of their environment, which may have columns of such names itself.
    """
    others = tuple(name for name in objects.graphs if name not in _COLUMNS or name in features.graphs)
    return objects.keep(tuple(objects.nodes), tuple(objects.edges), others)


def _fixed(name: str, drawn: Tensor | None, value: tuple[float, ...] | None) -> Tensor | None:
    """`value` for every row of `drawn` [B, K]. Raises ValueError where the sampler knows no such condition."""
    if value is None:
        return drawn
    if drawn is None or drawn.shape[1] != len(value):
        wanted = (
            f"{drawn.shape[1]} numbers" if drawn is not None else f"none: it was trained without --condition.{name}"
        )
        raise ValueError(f"{name} {value}: this sampler takes {wanted}")
    return torch.tensor(value, dtype=torch.float32).expand_as(drawn)


def thermometer(values: Tensor, low: float, high: float, bins: int) -> Tensor:
    """[B, bins] float32: 1 up to the bin that a value from `low` to `high` falls in, a share there, then 0."""
    filled = (values - low) / max(high - low, 1e-9) * bins
    return (filled.unsqueeze(1) - torch.arange(bins, device=values.device)).clamp(0, 1)


def refocus(graph: GraphBatch, rows: Tensor, direction: Tensor, num_measures: int) -> GraphBatch:
    """`graph` with a `direction` [S, K] as the focus of the graphs at `rows` [S], for the reward and the policy."""
    direction = direction.to(torch.float32)
    condition = graph.graphs[CONDITION].clone()
    condition[rows, -num_measures:] = direction  # the focus is what a condition ends with
    return graph.with_graphs(**{FOCUS: graph.graphs[FOCUS].index_copy(0, rows, direction), CONDITION: condition})
