"""Kernels are compiled when they are first called, with the kernels that they call."""

from __future__ import annotations

import torch

from graphwright.core import from_edges
from graphwright.core.kernels.jit import jit_as_written
from graphwright.nn.kernels import neighbour_sum


@jit_as_written
def _double(x):  # type: ignore[no-untyped-def]
    return 2 * x


@jit_as_written
def _quadruple(x):  # type: ignore[no-untyped-def]
    return _double(_double(x))


def test_a_kernel_calls_others_by_name() -> None:
    assert _quadruple(3) == 12
    assert _double(4) == 8


@jit_as_written
def _added(x, y):  # type: ignore[no-untyped-def]
    return x + y


@jit_as_written
def _counted(n):  # type: ignore[no-untyped-def]
    total = 0
    for _ in range(n):
        total = _added(total, 1)
    return _added(total, 2)


def test_constants_are_numbers_as_others() -> None:
    counted = _counted._compile(cache=False)  # what was kept would not ask for the kernels that it calls
    assert counted(3) == 5
    assert len(_added.nopython_signatures) == 1


def test_without_gradients_a_function_gives_the_same() -> None:
    x, graph = torch.randn(3, 4), from_edges(torch.tensor([[0], [1]]), torch.tensor([3]), undirected=True)
    with_gradient = neighbour_sum(x.requires_grad_(), graph)
    with torch.no_grad():
        without = neighbour_sum(x, graph)
    assert with_gradient.requires_grad
    assert not without.requires_grad
    assert torch.equal(with_gradient, without)


@jit_as_written
def _increased(x):  # type: ignore[no-untyped-def]
    return x + 1


def test_python_calls_what_was_compiled_without_a_detour() -> None:
    imported_before = _increased
    assert _increased(1) == 2
    assert _increased is imported_before.compiled
    assert imported_before(2) == 3
