"""Random ragged batches, and the few ways of looking at them that many tests share."""

from __future__ import annotations

from itertools import accumulate

import torch
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch, from_edges, relabel

NODE_COLUMNS = {"x": (torch.float32, (3,)), "kind": (torch.int64, ()), "mass": (torch.float64, (2, 1))}
EDGE_COLUMNS = {"w": (torch.float32, (2,)), "label": (torch.int32, ()), "open": (torch.bool, ())}
GRAPH_COLUMNS = {"g": (torch.float32, ()), "code": (torch.uint8, (2,)), "none": (torch.float16, (0,))}
seeds = st.integers(0, 2**31 - 1)
NO_LIMIT = 1e6
"""Seconds for solvers whose proof is tested: they take a few, and a busy machine must not make them give up."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@st.composite
def ragged_batches(
    draw: st.DrawFn,
    *,
    graphs: tuple[int, int] = (0, 4),
    undirected: bool | None = None,
    loops: bool = True,
    parallels: bool = True,
) -> GraphBatch:
    """From `graphs[0]` to `graphs[1]` graphs, some without nodes, with one node, with isolated nodes.

    The columns are always those named above, so that any two batches of one kind can be concatenated.
    """
    both = draw(st.booleans()) if undirected is None else undirected
    sizes = draw(st.lists(st.integers(0, 5), min_size=graphs[0], max_size=graphs[1]))
    pairs = []
    for start, size in zip(accumulate([0, *sizes]), sizes, strict=False):
        node = st.integers(start, start + size - 1)
        pairs += draw(st.lists(st.tuples(node, node), max_size=2 * size)) if size else []
    if not loops:
        pairs = [pair for pair in pairs if pair[0] != pair[1]]
    if not parallels:
        pairs = list({tuple(sorted(pair)) if both else pair: pair for pair in pairs}.values())
    generator = seeded(draw(seeds))
    return from_edges(
        torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T,
        torch.tensor(sizes, dtype=torch.int64),
        undirected=both,
        nodes=random_columns(NODE_COLUMNS, sum(sizes), generator),
        edges=random_columns(EDGE_COLUMNS, len(pairs), generator),
        graphs=random_columns(GRAPH_COLUMNS, len(sizes), generator),
    )


@st.composite
def cover_instances(draw: st.DrawFn, *, graphs: tuple[int, int] = (0, 4)) -> GraphBatch:
    """Instances of vertex cover, edgeless ones among them; weights uniform, or of 0, 1, 2 and so with ties."""
    graph = draw(ragged_batches(graphs=graphs, undirected=True, loops=False, parallels=False)).keep()
    generator = seeded(draw(seeds))
    ties = torch.randint(3, (graph.num_nodes,), generator=generator).float()
    return graph.with_nodes(weight=ties if draw(st.booleans()) else torch.rand(graph.num_nodes, generator=generator))


def some_of(count: int) -> st.SearchStrategy[list[int]]:
    """Indices below `count`, in any order and with repeats; none where there is nothing to choose from."""
    return st.lists(st.integers(0, count - 1), max_size=2 * count) if count else st.just([])


def random_columns(
    columns: dict[str, tuple[torch.dtype, tuple[int, ...]]], rows: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """One random column of each dtype and shape, [rows, ...]."""
    return {
        name: torch.randn(rows, *shape, generator=generator, dtype=dtype)
        if dtype in (torch.float32, torch.float64)
        else torch.randint(2, (rows, *shape), generator=generator).to(dtype)
        for name, (dtype, shape) in columns.items()
    }


def alone(batch: GraphBatch, graph: int) -> GraphBatch:
    """One graph of a batch, as a batch."""
    return batch.select(torch.tensor([graph]))


def relabelled(graph: GraphBatch, generator: torch.Generator) -> tuple[GraphBatch, Tensor]:
    """The same graphs with the nodes of each in another order, and where each node has gone [N]."""
    key = graph.node_graph + torch.rand(graph.num_nodes, generator=generator, dtype=torch.float64)
    place = torch.argsort(torch.argsort(key))
    return relabel(graph, place), place


def assert_same(left: Tensor, right: Tensor) -> None:
    """The same to the last bit, type and shape included."""
    torch.testing.assert_close(left, right, rtol=0, atol=0, equal_nan=True)


def assert_same_batch(left: GraphBatch, right: GraphBatch) -> None:
    """The very same topology in the same order, and the very same columns."""
    one, other = left.to_tensors(), right.to_tensors()
    assert one.keys() == other.keys()
    for name in one:
        assert_same(one[name], other[name])
