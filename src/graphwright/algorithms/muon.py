"""Muon: steps of matrices along orthogonalised momentum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.algorithms.optimizer import AnnealedAdam

_LEAST = 16
"""Rows and columns of a matrix that is worth it; smaller ones, such as the last layer of a score, are Adam's."""
_MOMENTUM = 0.95
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic polynomial that Jordan iterates; singular values end between about 0.7 and 1.2."""
_ITERATIONS = 5
_RATIO = 7
"""Of the learning rate of matrices and that of all else: about 0.02 to 0.003."""


class AnnealedMuon(AnnealedAdam):
    """Weight matrices step along their orthogonalised Nesterov momentum, everything else by Adam; rates fall to zero.

    A step has the same size along all singular directions, so that what a matrix does rarely is learned as fast as what
    it does often (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"). Matrices of one shape
    or its transpose are orthogonalised at once, which torch's own does one by one, in bfloat16.
    """

    def __init__(
        self,
        module: nn.Module,
        learning_rate: float,
        max_grad_norm: float,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(module, learning_rate, max_grad_norm, rates)
        self.matrices = [one for one in self.parameters if one.dim() == 2 and min(one.shape) >= _LEAST]
        self.momenta = [torch.zeros_like(one) for one in self.matrices]
        self.first_matrix_rate = self.matrix_rate = _RATIO * learning_rate

    @override
    def anneal(self, progress: float) -> None:
        super().anneal(progress)
        self.matrix_rate = self.first_matrix_rate * (1 - min(max(progress, 0.0), 1.0))

    @override
    @torch.no_grad()
    def descend(self) -> None:
        shapes: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
        for matrix, momentum in zip(self.matrices, self.momenta, strict=True):
            if matrix.grad is not None:
                momentum.mul_(_MOMENTUM).add_(matrix.grad)
                ahead = matrix.grad.add_(momentum, alpha=_MOMENTUM)
                rows, columns = matrix.shape
                shapes.setdefault((min(rows, columns), max(rows, columns)), []).append((matrix, ahead))
                matrix.grad = None  # Adam passes over it
        for group in shapes.values():
            for (weight, _), step in zip(group, orthogonalised([ahead for _, ahead in group]), strict=True):
                rows, columns = weight.shape
                weight.sub_(step, alpha=self.matrix_rate * max(1.0, rows / columns) ** 0.5)
        super().descend()

    @override
    def state_dict(self) -> dict[str, Tensor]:
        return super().state_dict() | {f"momentum.{place}": one for place, one in enumerate(self.momenta)}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        super().load_state_dict({name: one for name, one in state.items() if not name.startswith("momentum.")})
        for place, momentum in enumerate(self.momenta):
            known = state[f"momentum.{place}"]
            if known.shape != momentum.shape:
                raise ValueError(f"the optimizer remembers other things of matrix {place}")
            momentum.copy_(known)


def orthogonalised(matrices: Sequence[Tensor]) -> list[Tensor]:
    """Of each matrix U S Vᵀ, nearly U Vᵀ, by Newton-Schulz iterations; all are of one shape or its transpose."""
    x = torch.stack([one.mT if one.shape[0] > one.shape[1] else one for one in matrices])
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-12)
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return [step.mT if one.shape[0] > one.shape[1] else step for one, step in zip(matrices, x, strict=True)]
