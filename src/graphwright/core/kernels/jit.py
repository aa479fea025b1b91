"""What all kernels share: the compiler's settings, when a kernel is taken, and tensors as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial, update_wrapper
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor

from graphwright.core.kernels.compiling import watch_compiler

_NO_VMAP = (
    "torch.vmap (or another transform of torch.func): work on a ragged batch depends on its data, which that cannot "
    "follow; leave it out, as GraphGAE and TorchRL's deactivate_vmap=True do"
)


class Kernel:
    """A function that Numba compiles when it is first called, so that importing it does not import the compiler.

    From then on its name in its module stands for what Numba made of it. Kernels that it calls are found by name among
    the globals of its module. options: those of `numba.njit`.
    """

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self.function = function
        self.options = options
        self.is_kept = False
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self.compiled(*arguments)

    @cached_property
    def compiled(self) -> Any:
        """Numba's dispatcher, with the kernels that the function calls compiled alike."""
        try:
            return self._compile(cache=True)
        except RuntimeError:  # no folder can be written to where it would be kept
            return self._compile(cache=False)

    def _compile(self, cache: bool) -> Any:
        import numba

        watch_compiler()
        names = self.function.__globals__
        for name in self.function.__code__.co_names:
            called = getattr(names.get(name), "kernel", names.get(name))  # what another kernel has compiled already
            if isinstance(called, Kernel) and called is not self:
                if called.is_kept and not cache:
                    called._compile(cache=False)
                names[name] = called.compiled
        self.is_kept = cache
        settings = {"nogil": True, "cache": cache, "no_cfunc_wrapper": True}  # C calls none of them
        self.compiled = numba.njit(**settings, **self.options)(self.function)
        if cache:
            kept = self.compiled._cache
            kept.load_overload = partial(_or_none, kept.load_overload)
            kept.save_overload = partial(_or_none, kept.save_overload)
        self.compiled.kernel = self
        self.compiled.get_call_template = partial(_call_of_numbers, self.compiled.get_call_template)
        if names.get(self.function.__name__) is self:
            names[self.function.__name__] = self.compiled
        return self.compiled


def _or_none(access: Callable[..., Any], *what: Any) -> Any:
    """What is kept on the disk for other processes, read or written; what cannot be is this process's alone."""
    with suppress(OSError):
        return access(*what)
    return None


def _call_of_numbers(call_of: Callable[..., Any], args: Sequence[Any], kws: Mapping[str, Any]) -> Any:
    """What Numba asks a kernel that is called by another, with the types of constants as those of other numbers.

    It would be compiled once more for each constant, even for the 0 that a variable begins with.
    """
    from numba.core.types.misc import unliteral

    return call_of(tuple(map(unliteral, args)), {name: unliteral(kind) for name, kind in kws.items()})


jit = partial(Kernel, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})
"""Sums may be reordered, or no loop that sums would use vector instructions; NaN and infinity keep their meaning.

Arrays are indexed by the variables of `range` alone: Numba guards any other index against a negative one, and a guarded
loop is not vectorised (measured: ten times slower).
"""
jit_as_written = Kernel
"""Every operation in its written order, as graph algorithms need it."""


class _NoContext:
    """What a forward pass keeps for a backward pass that never comes."""

    needs_input_grad = (False,) * 16

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Nothing."""

    def set_materialize_grads(self, value: bool) -> None:
        """Nothing."""


def differentiable(function: type[torch.autograd.Function], *arguments: Any) -> Any:
    """`function.apply`, without the part of autograd where no gradient is wanted."""
    if torch.is_grad_enabled():
        return function.apply(*arguments)
    return function.forward(_NoContext(), *arguments)


def has_kernel(x: Tensor) -> bool:
    """Whether the Numba kernels take a tensor like `x`; the plain-torch reference all others, and exports."""
    return x.is_cpu and x.dtype == torch.float32 and not torch.compiler.is_compiling()


def arrays(*tensors: Tensor | None) -> tuple[Any, ...]:
    """The tensors as C-contiguous arrays, which share their memory where they are contiguous; None stays None.

    What a kernel writes into has to be made so, whatever it is like: by `x.new_empty(*x.shape)`, never `empty_like(x)`.
    For each argument that is None a kernel is compiled once more, without what it would have done with it.
    Raises RuntimeError under `torch.vmap` and its like, whose tensors have no memory of their own.
    """
    # One call a tensor and none beside: an iteration of a small network has hundreds of them.
    found: list[Any] = [*tensors]
    try:
        for place, tensor in enumerate(tensors):
            if tensor is not None:
                array = (tensor.detach() if tensor.requires_grad else tensor).numpy()
                found[place] = array if array.flags.c_contiguous else np.ascontiguousarray(array)
    except RuntimeError as error:
        if any(tensor is not None and is_functorch_wrapped_tensor(tensor) for tensor in tensors):
            raise RuntimeError(_NO_VMAP) from error
        raise
    return (*found,)
