"""`Data` and batches of it to `GraphBatch` and back."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data, HeteroData

from graphwright.adapters.left_out import say_left_out
from graphwright.adapters.opposites import with_reverse
from graphwright.adapters.pyg.attributes import dense, is_text, unshifted
from graphwright.adapters.pyg.from_hetero import from_hetero
from graphwright.core import GraphBatch, GraphError, Segments, from_edges
from graphwright.core.graph_rules import check_end_points

_TOPOLOGY = ("edge_index", "num_nodes", "batch", "ptr")


def from_pyg(data: Data | HeteroData, *, undirected: bool | None = None) -> GraphBatch:
    """A `GraphBatch` from a `Data` (one graph) or a `Batch`; for `HeteroData`, see `from_hetero`.

    Tensors and numbers become columns under their own names: node or edge columns by PyG's own rule (the size of each
    graph, then "edge" in the name), otherwise graph columns [B, ...]. Their first dimension is the one along which PyG
    joins them, and what PyG added to indices when it joined graphs is taken away again. Text is left out,
    which a `LeftOut` warning says.

    undirected: True pairs each edge with its opposite in the column `reverse`, False does not, None does if every edge
        has an opposite with the same attributes.

    Raises GraphError for what is no PyG data, an attribute that is no column (a list, a sparse matrix, a size that
    fits no table, an edge attribute `reverse`), ends outside the graph, and, with True, an edge without opposite.
    """
    if isinstance(data, HeteroData):
        return from_hetero(data, undirected=undirected)
    if not isinstance(data, Data):
        raise GraphError(f"{type(data).__name__} is not a PyG Data; use from_pyg_dataset for a list or a loader of it")
    nodes = _node_segments(data)
    edge_index = torch.empty((2, 0), dtype=torch.int64) if data.edge_index is None else data.edge_index
    edge_index = edge_index.as_subclass(Tensor).to(torch.int64)
    check_end_points(edge_index, nodes)
    sizes = {
        "node": nodes.lengths,
        "edge": torch.bincount(nodes.index[edge_index[1]], minlength=nodes.num_groups),
        "graph": torch.ones_like(nodes.lengths),
    }
    tables: dict[str, dict[str, Tensor]] = {"node": {}, "edge": {}, "graph": {}}
    keys = [key for key in data.keys() if key not in _TOPOLOGY]  # noqa: SIM118 - iterating over it gives pairs
    text = {key for key in keys if is_text(data[key])}
    say_left_out("PyG data", map(repr, text))
    for key in keys:
        if key not in text:
            table, name, column = _column(data, key, sizes)
            tables[table][name] = column
    if "reverse" in tables["edge"]:
        raise GraphError("edge attribute 'reverse' has the name of the column that pairs opposite edges; rename it")
    graph = from_edges(
        edge_index,
        nodes.lengths,
        undirected=False,
        nodes=tables["node"],
        edges=tables["edge"],
        graphs=tables["graph"],
    )
    return graph if undirected is False else with_reverse(graph, required=undirected is True)


def to_pyg(graph: GraphBatch) -> Batch:
    """The PyG `Batch` of a `GraphBatch`, also of one graph; `to_data_list()` separates it.

    Columns keep their names, but where PyG or a node column has the name already, an edge or graph column is called
    `edge_NAME` or `graph_NAME`. `reverse` stays behind. The batch notes which column each attribute was, in a private
    attribute that copies keep and `Batch.from_data_list` does not, so that `from_pyg(to_pyg(graph), undirected=...)` is
    the very same graph.
    """
    data = Batch(edge_index=graph.edge_index, batch=graph.node_graph, ptr=graph.node_ptr)
    data.num_nodes = graph.num_nodes
    shift = torch.zeros(graph.num_graphs, dtype=torch.int64)
    slices, shifts = {"edge_index": graph.edge_ptr.cpu()}, {"edge_index": graph.node_ptr[:-1].cpu()}
    columns: dict[str, tuple[str, str]] = {}
    for table, content, ptr in (
        ("node", graph.nodes, graph.node_ptr.cpu()),
        ("edge", graph.edges, graph.edge_ptr.cpu()),
        ("graph", graph.graphs, torch.arange(graph.num_graphs + 1)),
    ):
        for name in content:
            if (table, name) == ("edge", "reverse"):
                continue
            key = name
            while key in columns or key in _TOPOLOGY:
                key = f"{table}_{key}"
            data[key] = content[name].movedim(0, data.__cat_dim__(key, content[name]))
            columns[key], slices[key], shifts[key] = (table, name), ptr, shift
    data._graphwright = columns
    data._num_graphs, data._slice_dict, data._inc_dict = graph.num_graphs, slices, shifts
    data._store._num_nodes = graph.node_segments.lengths.tolist()
    return data


def _node_segments(data: Data) -> Segments:
    """The nodes of each graph."""
    if data.get("ptr") is not None:
        return Segments(data.ptr)
    if data.get("batch") is not None:
        if bool((data.batch.diff() < 0).any()):
            raise GraphError("attribute 'batch' falls somewhere; order the nodes by graph")
        return Segments.from_lengths(torch.bincount(data.batch))
    if data.num_nodes is None:
        raise GraphError("the number of nodes is unknown; set data.num_nodes")
    device = None if data.edge_index is None else data.edge_index.device
    return Segments.from_lengths(torch.tensor([data.num_nodes], device=device))


def _column(data: Data, key: str, sizes: Mapping[str, Tensor]) -> tuple[str, str, Tensor]:
    """The table, name and column of the attribute `key`; `sizes` tells how many rows [B] of each table a graph has."""
    value = dense(key, data[key])
    if value.dim() == 0:
        return "graph", key, value.reshape(1)
    column = value.movedim(data.__cat_dim__(key, value), 0)
    rows, shifts = (getattr(data, name, {}).get(key) for name in ("_slice_dict", "_inc_dict"))
    counts = None
    if isinstance(rows, Tensor) and rows.dim() == 1 and int(rows[-1]) == len(column):
        counts = rows.diff().to(column.device)
        column = unshifted(key, column, counts, shifts)
    fitting = [
        table
        for table, size in sizes.items()
        if (int(size.sum()) == len(column) if counts is None else torch.equal(counts, size))
    ]
    table, name = getattr(data, "_graphwright", {}).get(key, ("", key))
    if table in fitting:
        return table, name, column
    if not fitting:
        shape = list(value.shape)
        raise GraphError(f"attribute {key!r} of shape {shape} has no row for each node, edge or graph; reshape it")
    if key == "y" and "edge" in fitting:  # PyG's target, of nodes or graphs: of a graph with one edge it is the graph's
        fitting.remove("edge")
    return ("edge" if "edge" in key and "edge" in fitting[:2] else (fitting or ["edge"])[0]), key, column
