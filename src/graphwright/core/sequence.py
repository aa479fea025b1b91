"""`Sequence`: which decisions of a batch go on where others of it end, so that what is remembered is passed on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Sequence:
    """L steps of several graphs in one batch, all graphs of a step before those of the next.

    previous: [D] int64, the decision whose memory each decision begins with, one of the step before, or -1: the
    memory that is observed. ptr: L + 1 numbers, where the decisions of each step begin.
    """

    previous: Tensor
    ptr: tuple[int, ...]

    @staticmethod
    def of(following: Tensor, steps: Tensor) -> Sequence:
        """following: [D] int64, the decision that goes on where each ends, -1 where none of the batch does.

        steps: [L] int64, how many decisions each step has.
        """
        previous = torch.full_like(following, -1)
        goes_on = (following >= 0).nonzero().squeeze(1)
        previous[following[goes_on]] = goes_on
        return Sequence(previous, (0, *steps.cumsum(0).tolist()))
