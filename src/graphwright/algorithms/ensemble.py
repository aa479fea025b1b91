"""`CriticEnsemble`: several networks that are asked the same, and learn the same, each by weights of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override


class CriticEnsemble(nn.Module):
    """Networks of which the most cautious counts.

    Fujimoto, van Hoof, Meger 2018, "Addressing function approximation error in actor-critic methods". each: the
    networks. method: of theirs, which answers.
    """

    def __init__(self, each: Iterable[nn.Module], method: str = "__call__") -> None:
        super().__init__()
        self.each = nn.ModuleList(each)
        self.method = method

    @override
    def forward(self, *asked: Any) -> list[Any]:
        """What each of them says."""
        return [getattr(critic, self.method)(*asked) for critic in self.each]

    def least(self, *asked: Any) -> Tensor:
        """The smallest of what they say; of distributions, of their logits."""
        return least_of(self(*asked))


def least_of(values: Iterable[Any]) -> Tensor:
    """The smallest of values of one shape, elementwise; of distributions, of their logits."""
    return torch.stack([getattr(each, "logits", each) for each in values]).amin(0)


def squared_errors(errors: Iterable[Tensor], weight: Tensor) -> Tensor:
    """What critics descend: the sum of their mean squared errors, a scalar. weight: of each error."""
    return torch.stack([(weight * error.square()).mean() for error in errors]).sum()
