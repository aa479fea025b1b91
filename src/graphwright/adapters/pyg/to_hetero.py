"""`GraphBatch` with types to `HeteroData`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Batch, HeteroData

from graphwright.adapters.pyg.types import EdgeType, HeteroTypes, owner, prefix
from graphwright.core import GraphBatch, GraphError, Segments
from graphwright.core.graph import Columns


def to_hetero(graph: GraphBatch, types: HeteroTypes) -> HeteroData:
    """The PyG `Batch` of `HeteroData`, also of one graph, of a batch whose columns `type` count `types`.

    A column whose name begins with a type is an attribute of that type; one of no type becomes an attribute of all of
    them. `reverse` stays behind. Raises GraphError for types that are not there, and where the ends of an edge are of
    other types than its own says.
    """
    _check(graph, types)
    data = Batch(_base_cls=HeteroData)
    data._num_graphs, data._slice_dict, data._inc_dict = graph.num_graphs, {}, {}
    place = torch.empty_like(graph.nodes["type"])
    ptr: dict[str, Tensor] = {}
    for number, kind in enumerate(types.nodes):
        rows = (graph.nodes["type"] == number).nonzero().squeeze(1)
        place[rows] = torch.arange(rows.numel(), device=graph.device)
        ptr[kind] = _fill(data, kind, _columns_of(graph.nodes, kind, types, rows), graph.node_graph[rows])
        store = data[kind]
        store.num_nodes, store.batch, store.ptr = rows.numel(), graph.node_graph[rows], ptr[kind]
        store._num_nodes = ptr[kind].diff().tolist()
    for number, relation in enumerate(types.edges):
        rows = (graph.edges["type"] == number).nonzero().squeeze(1)
        columns = {"edge_index": place[graph.edge_index[:, rows]], **_columns_of(graph.edges, relation, types, rows)}
        _fill(data, relation, columns, graph.edge_graph[rows])
        shift = torch.stack([ptr[relation[0]][:-1], ptr[relation[2]][:-1]], dim=1)
        data._inc_dict[relation]["edge_index"] = shift.unsqueeze(2).cpu()
    for name, column in graph.graphs.items():
        data[name] = column
        data._slice_dict[name], data._inc_dict[name] = torch.arange(graph.num_graphs + 1), None
    return data


def _check(graph: GraphBatch, types: HeteroTypes) -> None:
    for table, columns, count in (("node", graph.nodes, len(types.nodes)), ("edge", graph.edges, len(types.edges))):
        kind = columns.get("type")
        if kind is None or bool(((kind < 0) | (kind >= count)).any()):
            raise GraphError(f"{table} column 'type' is missing or exceeds the {count} types; give the right `types`")
    names = [[types.nodes.index(end) for end in (kind[0], kind[2])] for kind in types.edges]
    expected = torch.tensor(names, dtype=torch.int64, device=graph.device).reshape(-1, 2)[graph.edges["type"]].T
    wrong = (graph.nodes["type"][graph.edge_index] != expected).any(0).nonzero()
    if wrong.numel():
        edge = int(wrong[0])
        relation = types.edges[int(graph.edges["type"][edge])]
        raise GraphError(f"edge {edge} is a {relation}, but joins nodes of other types; correct its column 'type'")


def _columns_of(columns: Columns, kind: str | EdgeType, types: HeteroTypes, rows: Tensor) -> dict[str, Tensor]:
    """Attribute → [rows, ...] of one type."""
    known = types.nodes if isinstance(kind, str) else types.edges
    return {
        name.removeprefix(prefix(kind)): column[rows]
        for name, column in columns.items()
        if name not in ("type", "reverse") and owner(name, known) in (kind, None)
    }


def _fill(data: HeteroData, kind: str | EdgeType, columns: Columns, graph: Tensor) -> Tensor:
    """Write the attributes of a type, of whose rows `graph` is [rows] int64, and where those of each graph begin."""
    ptr = Segments.from_lengths(torch.bincount(graph, minlength=data.num_graphs)).ptr
    store = data[kind]
    data._slice_dict[kind], data._inc_dict[kind] = {}, {}
    for name, column in columns.items():
        joined = data.__cat_dim__(name, column, store)
        store[name] = column if name == "edge_index" else column.movedim(0, joined)
        data._slice_dict[kind][name], data._inc_dict[kind][name] = ptr.cpu(), None
    return ptr
