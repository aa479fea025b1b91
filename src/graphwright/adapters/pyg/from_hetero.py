"""`HeteroData` to `GraphBatch`: several types of nodes and edges as one table each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch_geometric.data import Batch, HeteroData

from graphwright.adapters.left_out import say_left_out
from graphwright.adapters.opposites import with_reverse
from graphwright.adapters.pyg.attributes import dense, is_text, unshifted
from graphwright.adapters.pyg.types import EdgeType, HeteroTypes, prefix
from graphwright.core import GraphBatch, GraphError, Segments, from_edges
from graphwright.core.segment import inverse

_TOPOLOGY = ("edge_index", "num_nodes", "batch", "ptr")


def from_hetero(data: HeteroData, types: HeteroTypes | None = None, *, undirected: bool | None = None) -> GraphBatch:
    """A `GraphBatch` from a `HeteroData` (one graph) or a `Batch` of it.

    The int64 columns `type` of nodes and edges count the `types`, by default those of `data`; give them where other
    data must be numbered alike. The nodes of a graph stand type by type. Each attribute of a type becomes a column of
    its own, "paper.x" or "author.writes.paper.weight", side by side with those of other types and zero in their rows,
    so that a linear map of all columns is one for each type. Attributes of `data` itself become graph columns.

    The result is on the CPU.

    undirected: as for `from_pyg`; opposite edges of different types are no pair unless it is True.

    Raises GraphError for a type that `types` has not, and for what `from_pyg` refuses.
    """
    types = types or HeteroTypes.of(data)
    for kind in (*data.node_types, *data.edge_types):
        if kind not in types.nodes and kind not in types.edges:
            raise GraphError(f"type {kind!r} is not among the given types; add it to them")
    text = {prefix(store._key) + key for store in data.node_stores + data.edge_stores for key in _text(store)}
    say_left_out("PyG data", map(repr, text | set(_text(data._global_store))))
    num_graphs = data.num_graphs if isinstance(data, Batch) else 1
    nodes = Segments.from_lengths(torch.tensor([_num_nodes(data, kind) for kind in types.nodes], dtype=torch.int64))
    links = [_links(data, kind, types, nodes) for kind in types.edges]
    edges = Segments.from_lengths(torch.tensor([ends.shape[1] for ends in links], dtype=torch.int64))
    graph = torch.cat([torch.empty(0, dtype=torch.int64), *(_graph_of_nodes(data, kind) for kind in types.nodes)])
    order = graph.argsort(stable=True)
    place = inverse(order)
    node_columns = {**_side_by_side(data, types.nodes, nodes), "type": nodes.index}
    joined = from_edges(
        place[torch.cat([torch.empty(2, 0, dtype=torch.int64), *links], dim=1)],
        torch.bincount(graph, minlength=num_graphs),
        undirected=False,
        nodes={name: column[order] for name, column in node_columns.items()},
        edges={**_side_by_side(data, types.edges, edges), "type": edges.index},
        graphs=_graph_columns(data, num_graphs),
    )
    return joined if undirected is False else with_reverse(joined, required=undirected is True)


def _text(store: Mapping[str, object]) -> list[str]:
    """The names of the attributes of a store that are text."""
    return [key for key, value in store.items() if key not in _TOPOLOGY and is_text(value)]


def _num_nodes(data: HeteroData, kind: str) -> int:
    if kind not in data.node_types:
        return 0
    count = data[kind].num_nodes
    if count is None:
        raise GraphError(f"the number of nodes of type {kind!r} is unknown; set data[{kind!r}].num_nodes")
    return int(count)


def _graph_of_nodes(data: HeteroData, kind: str) -> Tensor:
    """[n] int64: the graph of each node of a type."""
    if kind in data.node_types and "batch" in data[kind]:
        return data[kind].batch.cpu()
    return torch.zeros(_num_nodes(data, kind), dtype=torch.int64)


def _links(data: HeteroData, kind: EdgeType, types: HeteroTypes, nodes: Segments) -> Tensor:
    """[2, e] int64: the edges of a type, numbered over the nodes of all types."""
    if kind not in data.edge_types:
        return torch.empty(2, 0, dtype=torch.int64)
    if "edge_index" not in data[kind]:
        raise GraphError(f"edges of type {kind!r} have no edge_index; convert other forms of adjacency to it")
    ends = data[kind].edge_index.as_subclass(Tensor).to("cpu", torch.int64)
    sides = torch.tensor([types.nodes.index(kind[0]), types.nodes.index(kind[2])])
    there = nodes.lengths[sides]
    if bool(((ends < 0) | (ends >= there[:, None])).any()):
        raise GraphError(f"edge_index of type {kind!r} names a node beyond the {there.tolist()} of its two types")
    return ends + nodes.ptr[sides, None]


def _side_by_side(data: HeteroData, types: Sequence[str | EdgeType], rows: Segments) -> dict[str, Tensor]:
    """The attributes of all types as columns, zero but in the rows of their own."""
    columns = {}
    there = {*data.node_types, *data.edge_types}
    for number, kind in enumerate(types):
        attributes = data[kind] if kind in there else {}
        for key, value in attributes.items():
            if key not in _TOPOLOGY and not is_text(value):
                own = _column(data, kind, key, int(rows.lengths[number]))
                column = own.new_zeros(rows.num_rows, *own.shape[1:])
                column[rows.ptr[number] : rows.ptr[number + 1]] = own
                columns[prefix(kind) + key] = column
    return columns


def _column(data: HeteroData, kind: str | EdgeType, key: str, rows: int) -> Tensor:
    """[rows, ...]: an attribute of a type."""
    store = data[kind]
    value = dense(key, store[key])
    column = value.movedim(data.__cat_dim__(key, value, store), 0).cpu() if value.dim() else value
    if not value.dim() or len(column) != rows:
        raise GraphError(f"attribute {key!r} of type {kind!r} has no row for each of its {rows}; reshape it")
    noted = data._global_store.__dict__  # `data` itself, asked for a name that ends in _dict, collects attributes
    slices, shifts = (noted.get(name, {}).get(kind, {}).get(key) for name in ("_slice_dict", "_inc_dict"))
    return column if slices is None else unshifted(key, column, slices.diff(), shifts)


def _graph_columns(data: HeteroData, num_graphs: int) -> dict[str, Tensor]:
    """The attributes of `data` itself, [B, ...]."""
    columns = {}
    for key, value in data._global_store.items():
        if not is_text(value):
            column = dense(key, value).cpu()
            column = column.reshape(1) if not column.dim() else column
            if len(column) != num_graphs:
                raise GraphError(f"attribute {key!r} has no row for each of {num_graphs} graphs; reshape it")
            columns[key] = column
    return columns
