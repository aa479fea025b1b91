"""Kernels: Numba gives the values and gradients of plain torch, and both are what the formula says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch, Segments, from_edges
from graphwright.core.kernels.exponential import exp_in_place
from graphwright.core.segment import segment_sum
from graphwright.nn import kernels
from graphwright.nn.kernels import BlockSums, block_sum
from strategies import alone, assert_same, ragged_batches, seeded, seeds


@dataclass(frozen=True)
class Case:
    """A kernel with the shapes that it takes: N and E stand for the sizes of the graph, anything else for itself."""

    kernel: Callable[..., Tensor]
    reference: Callable[..., Tensor]
    shapes: tuple[tuple[str | int, ...], ...]

    def forms(self) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
        return self.kernel, self.reference


def scaled(neighbour_sum: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`neighbour_sum` with scales that follow from the degree."""

    def function(x: Tensor, own: Tensor, graph: GraphBatch) -> Tensor:
        scale = 1 / (graph.in_degree + 1).to(x.dtype)
        return neighbour_sum(x, graph, own, scale.sqrt(), scale)

    return function


def typed(typed_mean: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`typed_mean` with types that follow from the edge features."""
    return lambda x, graph: typed_mean(x, (graph.edges["w"][:, 0] > 0).long(), 3, graph)


def of_graphs(sum_mean_max: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`sum_mean_max` of the nodes of each graph, for each node."""
    return lambda x, graph: sum_mean_max(x, graph.node_segments)[graph.node_graph]


def both(gated_sum: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
    """`gated_sum` as one tensor, nodes on top of edges."""
    return lambda nodes, edges, graph: torch.cat(gated_sum(nodes, edges, graph))


def of_edges(pair_scores: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`pair_scores` of the end points of all edges."""

    def function(source: Tensor, destination: Tensor, score: Tensor, *rest: Any) -> Tensor:
        *pair, graph = rest
        return pair_scores(source, destination, graph.edge_index, score, *pair)

    return function


def case(name: str, *shapes: tuple[str | int, ...], wrap: Callable = lambda function: function) -> Case:
    return Case(wrap(getattr(kernels, name)), wrap(getattr(kernels, f"{name}_reference")), shapes)


CASES = {
    "sum": case("neighbour_sum", ("N", 3)),
    "scaled sum": case("neighbour_sum", ("N", 3), ("N",), wrap=scaled),
    "max": case("neighbour_max", ("N", 3)),
    "sum, mean and max": case("sum_mean_max", ("N", 3), wrap=of_graphs),
    "typed mean": case("typed_mean", ("N", 3), wrap=typed),
    "relu sum": case("edge_relu_sum", ("N", 6), ("E", 5), (6, 5), ()),
    "scored sum": case("scored_sum", ("N", 2, 3), ("N", 2, 2), ("E", 2)),
    "additive attention": case("additive_attention", ("N", 2, 2, 3), (2, 3), ("E", 5), (6, 5)),
    "additive attention without edges": case("additive_attention", ("N", 2, 2, 3), (2, 3), ("E", 0), (6, 0)),
    "dot-product attention": case("dot_product_attention", ("N", 3, 2, 3), ("E", 4), (2, 3, 4)),
    "dot-product attention without edges": case("dot_product_attention", ("N", 3, 2, 3), ("E", 0), (2, 3, 0)),
    "graph attention": case("graph_attention", ("N", 3, 2, 3), ("E", 2)),
    "pair scores": case("pair_scores", ("N", 6), ("N", 6), (2, 6), ("E", 5), (6, 5), wrap=of_edges),
    "pair scores without edges": case("pair_scores", ("N", 6), ("N", 6), (1, 6), wrap=of_edges),
    "pair scores of wide edges": case("pair_scores", ("N", 4), ("N", 4), (2, 4), ("E", 40), (4, 40), wrap=of_edges),
    "gated sum": case("gated_sum", ("N", 3, 4), ("E", 4), wrap=both),
}


def arguments(name: str, graph: GraphBatch, seed: int = 0) -> list[Tensor]:
    """Random tensors of the shapes that the kernel takes, each wanting its gradient."""
    generator, sizes = seeded(seed), {"N": graph.num_nodes, "E": graph.num_edges}
    shapes = [[sizes.get(size, size) for size in shape] for shape in CASES[name].shapes]
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def value_and_gradients(function: Callable[..., Tensor], tensors: list[Tensor], graph: GraphBatch) -> list[Tensor]:
    """The value, and the gradients of its sum under fixed weights."""
    value = function(*tensors, graph)
    weight = torch.linspace(-1, 2, value.numel()).view_as(value)
    return [value.detach(), *torch.autograd.grad((value * weight).sum(), tensors)]


def a_graph(seed: int = 0) -> GraphBatch:
    """Three graphs of 4, 1 and 2 nodes, with a self-loop, parallel edges and isolated nodes."""
    graph = from_edges(
        torch.tensor([[0, 2, 2, 1, 0, 5], [1, 1, 0, 1, 1, 6]]), torch.tensor([4, 1, 2]), undirected=False
    )
    return graph.with_edges(w=torch.randn(6, 2, generator=seeded(seed)))


@pytest.mark.parametrize("name", CASES)
@given(graph=ragged_batches(), seed=seeds)
def test_a_kernel_agrees_with_its_reference(name: str, graph: GraphBatch, seed: int) -> None:
    tensors = arguments(name, graph, seed)
    kernel, reference = (value_and_gradients(function, tensors, graph) for function in CASES[name].forms())
    torch.testing.assert_close(kernel, reference, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_kernel_agrees_with_its_reference_on_large_graphs(name: str) -> None:
    generator, sizes = seeded(), torch.tensor([70, 1, 0, 200])
    edges = torch.cat([torch.randint(70, (2, 500), generator=generator), torch.randint(71, 271, (2, 998))], dim=1)
    graph = from_edges(edges, sizes, undirected=False).with_edges(w=torch.randn(1498, 2, generator=generator))
    tensors = arguments(name, graph)
    kernel, reference = (value_and_gradients(function, tensors, graph) for function in CASES[name].forms())
    for ours, theirs in zip(kernel, reference, strict=True):
        largest = max(1.0, float(theirs.abs().max())) if theirs.numel() else 1.0  # sums over some hundred edges
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * largest)


@pytest.mark.parametrize("name", CASES)
@given(graph=ragged_batches(graphs=(1, 3)), seed=seeds)
def test_batching_changes_nothing(name: str, graph: GraphBatch, seed: int) -> None:
    tensors, kernel = arguments(name, graph, seed), CASES[name].kernel
    together = kernel(*tensors, graph)
    for index in range(graph.num_graphs):
        rows = {"N": graph.node_graph == index, "E": graph.edge_graph == index}
        parts = [
            tensor[rows[shape[0]]] if shape[:1] and shape[0] in rows else tensor
            for tensor, shape in zip(tensors, CASES[name].shapes, strict=True)
        ]
        mine = {"gated sum": torch.cat([rows["N"], rows["E"]])}.get(name, rows["E" if "pair" in name else "N"])
        torch.testing.assert_close(kernel(*parts, alone(graph, index)), together[mine])


@pytest.mark.parametrize("name", CASES)
def test_the_layout_of_memory_makes_no_difference(name: str) -> None:
    graph, kernel = a_graph(), CASES[name].kernel
    tensors = arguments(name, graph)
    strided = [
        tensor.detach().mT.contiguous().mT.requires_grad_() if tensor.dim() > 1 else tensor for tensor in tensors
    ]
    expected, result = (value_and_gradients(kernel, some, graph) for some in (tensors, strided))
    torch.testing.assert_close(result, expected)
    total = torch.autograd.grad(kernel(*tensors, graph).sum(), tensors)  # its gradient is expanded from one number
    weighted = torch.autograd.grad((kernel(*tensors, graph) * 1).sum(), tensors)
    torch.testing.assert_close(total, weighted)


@pytest.mark.parametrize("name", CASES)
def test_a_tensor_that_wants_no_gradient_gets_none(name: str) -> None:
    graph, kernel = a_graph(), CASES[name].kernel
    tensors = arguments(name, graph)
    _, *gradients = value_and_gradients(kernel, tensors, graph)
    for which, gradient in enumerate(gradients):
        only = [tensor.detach().requires_grad_(place == which) for place, tensor in enumerate(tensors)]
        value = kernel(*only, graph)
        (value * torch.linspace(-1, 2, value.numel()).view_as(value)).sum().backward()
        torch.testing.assert_close(only[which].grad, gradient)
        assert [tensor.grad is None for tensor in only] == [place != which for place in range(len(only))]


@pytest.mark.parametrize("name", CASES)
def test_other_types_take_the_reference(name: str) -> None:
    graph, (kernel, reference) = a_graph(), CASES[name].forms()
    tensors = [tensor.detach().double().requires_grad_() for tensor in arguments(name, graph)]
    torch.testing.assert_close(kernel(*tensors, graph), reference(*tensors, graph))
    assert torch.autograd.gradcheck(lambda *some: kernel(*some, graph), tensors)


@pytest.mark.parametrize("name", ["scored sum", "additive attention", "dot-product attention", "graph attention"])
def test_attention_to_equal_values_is_that_value(name: str) -> None:
    """Weights sum to one however large the scores are; a node that attends to nothing gets zero."""
    graph, tensors = a_graph(), [100 * tensor.detach() for tensor in arguments(name, a_graph())]
    values = tensors[0] if name == "scored sum" else tensors[0][:, -1]
    values[:] = 1.5
    if name == "dot-product attention":
        tensors[2][:] = 0
    out = CASES[name].kernel(*tensors, graph)
    reached = torch.ones(7, dtype=torch.bool) if name == "graph attention" else graph.in_degree > 0
    torch.testing.assert_close(out, torch.where(reached[:, None, None], 1.5, 0.0).expand_as(out))


def test_values_by_hand() -> None:
    graph = from_edges(torch.tensor([[0, 1, 1, 2], [1, 1, 2, 1]]), torch.tensor([4]), undirected=False)
    x = torch.tensor([[1.0, -1], [2, -2], [4, -4], [9, 9]])
    assert kernels.neighbour_sum(x, graph).tolist() == [[0, 0], [7, -7], [2, -2], [0, 0]]
    assert kernels.neighbour_max(x, graph).tolist() == [[0, 0], [4, -1], [2, -2], [0, 0]]
    own, source, target = torch.tensor([1.0, 0, 0, 2]), torch.tensor([1.0, 10, 100, 1]), torch.tensor([1, 2.0, 3, 1])
    assert kernels.neighbour_sum(x, graph, own, source, target).tolist() == [[1, -1], [842, -842], [60, -60], [18, 18]]
    types = torch.tensor([1, 0, 1, 1])  # of the edges 0 → 1, 1 → 1, 2 → 1, 1 → 2
    means = kernels.typed_mean(x[:, :1], types, 2, graph).squeeze(2)
    assert means.tolist() == [[0, 0], [2, 2.5], [0, 2], [0, 0]]


@pytest.mark.parametrize("wrong", [-1, 2])
def test_a_type_that_is_not_declared_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="edge column 'type' holds"):
        kernels.typed_mean(torch.ones(7, 2), torch.tensor([0, 1, wrong, 0, 0, 0]), 2, a_graph())


def test_the_exponential_is_that_of_torch() -> None:
    x = torch.cat([torch.linspace(-79.9, 0, 10_001), torch.tensor([-1e-8, -0.0])])
    out = x.clone()
    exp_in_place(out.numpy(), np.empty(len(x), np.int32))
    torch.testing.assert_close(out, x.exp(), rtol=3e-7, atol=0)
    below = torch.tensor([-81.0, -1e30, -torch.inf])
    exp_in_place(below.numpy(), np.empty(3, np.int32))
    assert (below < 2e-35).all()
    assert (below >= 0).all()


@given(st.lists(st.sampled_from([0, 1, 63, 64, 65, 200, 4100]), min_size=1, max_size=3), seeds)
def test_block_sums_are_sums_and_follow_changes_to_the_last_bit(sizes: list[int], seed: int) -> None:
    segments = Segments.from_lengths(torch.tensor(sizes))
    x = torch.randn(segments.num_rows, 3, generator=seeded(seed), requires_grad=True)
    out = block_sum(x, segments)
    torch.testing.assert_close(out, segment_sum(x.double(), segments).float(), rtol=1e-4, atol=1e-4)
    (grad,) = torch.autograd.grad(out.square().sum(), x)
    torch.testing.assert_close(grad, 2 * out.detach()[segments.index])
    rows = x.detach()[: sizes[0]].clone()
    sums, changed = BlockSums(rows), torch.arange(0, sizes[0], 50)
    rows[changed] += 1
    sums.update(changed)
    assert_same(sums.total, block_sum(rows, Segments(torch.tensor([0, sizes[0]]))))
