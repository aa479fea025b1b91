"""Random graphs with names and columns, and equality to the last bit, for the tests of adapters."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphBatch, from_edges

PLAIN_DTYPES = (torch.bool, torch.int64, torch.float64)
ROW_DTYPES = (*PLAIN_DTYPES, torch.uint8, torch.int32, torch.float16, torch.bfloat16, torch.float32)
SHAPES = ((), (2,), (0,), (2, 1))
COLUMN_NAMES = ("x", "edge_x", "weight_of index", "größe", "a<&>'\"b", "graph", "index")
_ONE, _EITHER, _NAMES = st.just(1), st.booleans(), st.text(max_size=4)
_ENDS = {
    torch.bool: (0, 1),
    torch.uint8: (0, 255),
    torch.int32: (-(2**31), 2**31 - 1),
    torch.int64: (-(2**63), 2**63 - 1),
}


@st.composite
def columns(
    draw, rows: int, *, names=COLUMN_NAMES, dtypes=ROW_DTYPES, shapes=SHAPES, inf: bool = True
) -> dict[str, Tensor]:
    """Up to two columns [rows, ...] of any of the types, NaN included."""
    chosen = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    return {
        name: draw(column(rows, draw(st.sampled_from(dtypes)), draw(st.sampled_from(shapes)), inf)) for name in chosen
    }


@st.composite
def column(draw, rows: int, dtype: torch.dtype, shape: tuple[int, ...] = (), inf: bool = True) -> Tensor:
    count = rows * torch.Size(shape).numel()
    if dtype.is_floating_point:
        cell = st.floats(width=32, allow_infinity=inf).map(float)
        values = torch.tensor(draw(st.lists(cell, min_size=count, max_size=count)), dtype=torch.float64).to(dtype)
        values = values if inf else torch.where(values.isinf(), 0, values)
    elif dtype.is_complex:
        cell = st.complex_numbers(width=64)
        values = torch.tensor(draw(st.lists(cell, min_size=count, max_size=count)), dtype=dtype)
    else:
        values = torch.tensor(draw(st.lists(st.integers(*_ENDS[dtype]), min_size=count, max_size=count)), dtype=dtype)
    return values.reshape(rows, *shape)


def weights(rows: int) -> st.SearchStrategy[Tensor]:
    cells = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=rows, max_size=rows)
    return cells.map(lambda values: torch.tensor(values, dtype=torch.float64))


@st.composite
def batches(draw, *, graphs=_ONE, undirected=_EITHER, most_nodes: int = 5, inf: bool = True, **allowed) -> GraphBatch:
    """A batch with loops, parallel edges, lone nodes and graphs without any node or edge.

    Undirected edges all point down, so that the k-th of parallel edges is the opposite of the k-th.
    """
    sizes = draw(st.lists(st.integers(0, most_nodes), min_size=(count := draw(graphs)), max_size=count))
    start, pairs = 0, []
    for size in sizes:
        node = st.integers(start, start + size - 1)
        pairs += draw(st.lists(st.tuples(node, node), max_size=7)) if size else []
        start += size
    edge_index = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
    if both := draw(undirected):
        edge_index = torch.stack([edge_index.amax(0), edge_index.amin(0)])
    tables = {table: draw(columns(rows, inf=inf, **allowed)) for table, rows in
              (("nodes", start), ("edges", len(pairs)), ("graphs", count))}  # fmt: skip
    return from_edges(edge_index, torch.tensor(sizes, dtype=torch.int64), undirected=both, **tables)


@st.composite
def named_graphs(draw, *, names=_NAMES, weighted: bool = False, **allowed) -> NamedGraph:
    """One graph with different names; `weighted` as every graph from a file."""
    graph = draw(batches(**allowed))
    if weighted:
        graph = graph.with_nodes(weight=draw(weights(graph.num_nodes)))
    chosen = draw(st.lists(names, min_size=graph.num_nodes, max_size=graph.num_nodes, unique=True))
    return NamedGraph(graph, tuple(chosen))


def assert_same_column(left: Tensor, right: Tensor, name: str = "") -> None:
    assert left.dtype == right.dtype, f"{name}: {left.dtype} is not {right.dtype}"
    assert left.shape == right.shape, f"{name}: {left.shape} is not {right.shape}"
    same = (left == right) | ((left != left) & (right != right))
    assert bool(same.all()), f"{name}: {left} is not {right}"


def assert_same_batch(left: GraphBatch, right: GraphBatch) -> None:
    """The very same topology in the same order, and the very same columns."""
    for name in ("node_ptr", "edge_ptr", "edge_index"):
        assert_same_column(getattr(left, name), getattr(right, name), name)
    for table in ("nodes", "edges", "graphs"):
        one, other = getattr(left, table), getattr(right, table)
        assert one.keys() == other.keys(), f"{table}: {sorted(one)} are not {sorted(other)}"
        for name in one:
            assert_same_column(one[name], other[name], f"{table} {name!r}")


def assert_same_named(left: NamedGraph, right: NamedGraph) -> None:
    assert left.names == right.names
    assert_same_batch(left.graph, right.graph)
