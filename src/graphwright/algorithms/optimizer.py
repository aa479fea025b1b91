"""One gradient step, the same for every algorithm."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from graphwright.core.numbers import require, require_each, require_positive

__all__ = ["AnnealedAdam", "mean_of", "require", "require_each", "require_positive"]


def mean_of(steps: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each scalar over those gradient steps of an update that have it."""
    names = {name: None for step in steps for name in step}
    return {name: torch.stack([step[name] for step in steps if name in step]).mean() for name in names}


class _Adam(torch.optim.Adam):
    """torch's, but that beginning to learn does not import torch's compiler, which takes two seconds.

    The methods that torch keeps from being compiled import it at their first call.
    """

    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Adam.load_state_dict)
    zero_grad = inspect.unwrap(torch.optim.Adam.zero_grad)
    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))


class AnnealedAdam:
    """Adam with a learning rate that falls linearly to zero over the run, and clipped gradients.

    Every trainable parameter of `module` is in it. rates: learning rates of the parameters whose names begin so.
    Raises ValueError where gradients are clipped to nothing.
    """

    def __init__(
        self, module: nn.Module, learning_rate: float, max_grad_norm: float, rates: Mapping[str, float] | None = None
    ) -> None:
        if not max_grad_norm > 0:
            raise ValueError(f"max-grad-norm {max_grad_norm}: give a positive number, or nothing is learned")
        trainable = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
        self.parameters = list(trainable.values())
        self.max_grad_norm = max_grad_norm
        groups: list[dict[str, Any]] = []
        for prefix, rate in {**(rates or {}), "": learning_rate}.items():
            chosen = [trainable.pop(name) for name in list(trainable) if name.startswith(prefix)]
            groups += [{"params": chosen, "lr": rate}] if chosen else []
        self.rates = [group["lr"] for group in groups]
        self.adam = _Adam(groups, eps=1e-5, fused=True)  # one kernel for each tensor instead of ten

    def anneal(self, progress: float) -> None:
        """Set the learning rate for a run that is `progress` (0 to 1) of its way through."""
        for group, rate in zip(self.adam.param_groups, self.rates, strict=True):
            group["lr"] = rate * (1 - min(max(progress, 0.0), 1.0))

    def step(self, loss: Tensor) -> Tensor:
        """Descend `loss` once; the norm of the gradient before it was clipped, a scalar."""
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, self.max_grad_norm)
        self.descend()
        return norm

    def descend(self) -> None:
        """Change all parameters by their gradients."""
        self.adam.step()

    def state_dict(self) -> dict[str, Tensor]:
        """Adam's moments and counters, named place.moment for the place of each parameter."""
        state = self.adam.state_dict()["state"]
        return {f"{place}.{name}": tensor for place, moments in state.items() for name, tensor in moments.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned. Raises ValueError where it is of other parameters."""
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in state.items():
            place, _, name = key.partition(".")
            moments.setdefault(int(place), {})[name] = tensor
        parameters = dict(enumerate(each for group in self.adam.param_groups for each in group["params"]))
        for number, known in moments.items():
            shape = parameters[number].shape if number in parameters else None
            if {name: tensor.shape for name, tensor in known.items()} != {
                "step": torch.Size(), "exp_avg": shape, "exp_avg_sq": shape
            }:  # fmt: skip
                raise ValueError(f"the optimizer remembers other things of parameter {number}")
        self.adam.load_state_dict({"state": moments, "param_groups": self.adam.state_dict()["param_groups"]})
