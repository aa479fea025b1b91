"""Modules that are entered without the detour."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.modules import module as every

_CALL = nn.Module.__call__


class Module(nn.Module):
    """torch's own, whose call is that of `forward` where nobody listens.

    On its way there torch calls three functions more, which in a small network take as long as what they lead to. With
    hooks, of this module or of all, where it was compiled, and where another call stands in place of torch's own, as
    while `torch.export` notes which module an operation is of, it is torch that calls.
    """

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """What `forward` returns."""
        if (
            self._forward_pre_hooks
            or self._forward_hooks
            or self._backward_pre_hooks
            or self._backward_hooks
            or self._compiled_call_impl
            or every._global_forward_pre_hooks
            or every._global_forward_hooks
            or every._global_backward_pre_hooks
            or every._global_backward_hooks
            or nn.Module.__call__ is not _CALL
        ):
            return super().__call__(*arguments, **named)
        return self.forward(*arguments, **named)


class Linear(Module, nn.Linear):
    """torch's own, entered so."""
