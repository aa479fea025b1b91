"""Kernels: Numba gives the values and gradients of plain torch, and both are what the formula says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.nn.kernels import (
    neighbour_max,
    neighbour_max_reference,
    neighbour_sum,
    neighbour_sum_reference,
    neighbour_weighted_sum,
    neighbour_weighted_sum_reference,
)
from strategies import alone, ragged_batches, seeded, seeds

PAIRS = {
    "sum": (neighbour_sum, neighbour_sum_reference),
    "max": (neighbour_max, neighbour_max_reference),
    "weighted sum": (neighbour_weighted_sum, neighbour_weighted_sum_reference),
}


def arguments(name: str, graph: GraphBatch, seed: int = 0) -> list[Tensor]:
    """Random tensors of the shapes that the kernel takes, each wanting its gradient."""
    generator = seeded(seed)
    shapes = [(graph.num_nodes, 2, 3), (graph.num_edges, 2)] if name == "weighted sum" else [(graph.num_nodes, 3)]
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def value_and_gradients(function: Callable[..., Tensor], tensors: list[Tensor], graph: GraphBatch) -> list[Tensor]:
    """The value, and the gradients of its sum under fixed weights."""
    value = function(*tensors, graph)
    weight = torch.linspace(-1, 2, value.numel()).view_as(value)
    return [value.detach(), *torch.autograd.grad((value * weight).sum(), tensors)]


@pytest.mark.parametrize("name", PAIRS)
@given(graph=ragged_batches(), seed=seeds)
def test_a_kernel_agrees_with_its_reference(name: str, graph: GraphBatch, seed: int) -> None:
    tensors = arguments(name, graph, seed)
    kernel, reference = (value_and_gradients(function, tensors, graph) for function in PAIRS[name])
    torch.testing.assert_close(kernel, reference, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", PAIRS)
@given(graph=ragged_batches(graphs=(1, 3)), seed=seeds)
def test_batching_changes_nothing(name: str, graph: GraphBatch, seed: int) -> None:
    kernel, _ = PAIRS[name]
    tensors = arguments(name, graph, seed)
    together = kernel(*tensors, graph)
    for index in range(graph.num_graphs):
        rows = [graph.node_graph == index, graph.edge_graph == index]
        parts = [tensor[row] for tensor, row in zip(tensors, rows, strict=False)]
        torch.testing.assert_close(kernel(*parts, alone(graph, index)), together[rows[0]])


@pytest.mark.parametrize("form", [0, 1], ids=["kernel", "reference"])
@pytest.mark.parametrize("name", PAIRS)
def test_gradients_are_finite_differences(name: str, form: int) -> None:
    graph = from_edges(torch.tensor([[0, 2, 2, 1, 4], [1, 1, 0, 1, 5]]), torch.tensor([4, 2]), undirected=False)
    function, tensors, step = PAIRS[name][form], arguments(name, graph), 1e-2
    value, *gradients = value_and_gradients(function, tensors, graph)
    weight = torch.linspace(-1, 2, value.numel()).view_as(value)
    for which, gradient in enumerate(gradients):
        for cell in range(gradient.numel()):
            ends = []
            for sign in (1, -1):
                moved = [tensor.detach().clone() for tensor in tensors]
                moved[which].view(-1)[cell] += sign * step
                ends.append(float((function(*moved, graph) * weight).sum()))
            assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(float(gradient.view(-1)[cell]), abs=1e-3)


def test_values_by_hand() -> None:
    graph = from_edges(torch.tensor([[0, 1, 1, 2], [1, 1, 2, 1]]), torch.tensor([4]), undirected=False)
    x = torch.tensor([[1.0, -1], [2, -2], [4, -4], [9, 9]])
    assert neighbour_sum(x, graph).tolist() == [[0, 0], [7, -7], [2, -2], [0, 0]]
    assert neighbour_max(x, graph).tolist() == [[0, 0], [4, -1], [2, -2], [0, 0]]
    weight = torch.tensor([[1.0], [10], [100], [0.5]])  # of the edges 0 → 1, 1 → 1, 2 → 1, 1 → 2
    result = neighbour_weighted_sum(x.unsqueeze(1), weight, graph).squeeze(1)
    assert result.tolist() == [[0, 0], [421, -421], [1, -1], [0, 0]]


@pytest.mark.parametrize("name", PAIRS)
def test_the_layout_of_memory_makes_no_difference(name: str) -> None:
    graph = from_edges(torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([3]), undirected=True)
    kernel, _ = PAIRS[name]
    tensors = arguments(name, graph)
    strided = [tensor.detach().mT.contiguous().mT.requires_grad_() for tensor in tensors]
    assert not any(tensor.is_contiguous() for tensor in strided)
    expected, result = (value_and_gradients(kernel, some, graph) for some in (tensors, strided))
    torch.testing.assert_close(result, expected)
    total = torch.autograd.grad(kernel(*tensors, graph).sum(), tensors)  # its gradient is expanded from one number
    weighted = torch.autograd.grad((kernel(*tensors, graph) * 1).sum(), tensors)
    torch.testing.assert_close(total, weighted)


@pytest.mark.parametrize("name", PAIRS)
def test_other_types_take_the_reference(name: str) -> None:
    graph = from_edges(torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([3]), undirected=True)
    kernel, reference = PAIRS[name]
    tensors = [tensor.detach().double().requires_grad_() for tensor in arguments(name, graph)]
    torch.testing.assert_close(kernel(*tensors, graph), reference(*tensors, graph))
    assert torch.autograd.gradcheck(lambda *some: kernel(*some, graph), tensors)
