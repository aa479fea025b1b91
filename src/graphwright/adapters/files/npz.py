"""NumPy archives (`.npz`): every column of a graph exactly as it is.

    names [N] text    edge_index [2, E] int64    nodes/NAME [N, ...]    edges/NAME [E, ...]    graphs/NAME [1, ...]

Edges are in the order of a `GraphBatch`, and an undirected graph has the array edges/reverse.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

import numpy as np
import torch
from numpy.lib.format import read_array, read_array_header_1_0, read_array_header_2_0, read_magic
from torch import Tensor

from graphwright.adapters.files.bounded import most_bytes
from graphwright.adapters.files.refusal import refuse
from graphwright.adapters.listed_links import counted
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import Reading
from graphwright.core import GraphBatch, GraphError

_FORM = "a NumPy archive (.npz)"


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the array, for a malformed one; nothing is ever unpickled."""
    arrays = _load(data)
    names, edge_index = arrays.pop("names", None), arrays.pop("edge_index", None)
    if names is None or names.dtype.kind != "U" or names.ndim != 1:
        raise GraphError("array 'names' must be there, text of shape [N]; use `write_graph`")
    if edge_index is None or edge_index.dtype.kind not in "iu" or edge_index.ndim != 2:
        raise GraphError("array 'edge_index' must be there, integers of shape [2, E]; use `write_graph`")
    tables: dict[str, dict[str, Tensor]] = {"nodes": {}, "edges": {}, "graphs": {}}
    for key, array in arrays.items():
        table, _, name = key.partition("/")
        if table not in tables or not name:
            raise GraphError(f"array {key!r} is not part of a graph; name it nodes/..., edges/... or graphs/...")
        tables[table][name] = _tensor(key, array)
    reverse = tables["edges"].get("reverse")
    if reverse is not None and (reverse.dtype != torch.int64 or reverse.dim() != 1):
        raise GraphError("array 'edges/reverse' must be int64 of shape [E]; use `write_graph`")
    graph = GraphBatch(
        edge_index=_tensor("edge_index", edge_index).long(),
        node_ptr=torch.tensor([0, names.size]),
        edge_ptr=torch.tensor([0, edge_index.shape[1]]),
        **tables,
    )
    graph.validate()
    named = NamedGraph(graph, tuple(names.tolist()))
    return NamedGraph(graph, named.names, counted(Reading(format="NumPy archive"), named))


def _load(data: bytes) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > most_bytes(len(data)):
                raise GraphError("unpacks to over 100 times its size; write it again without compression")
            return {member.filename.removesuffix(".npy"): _array(archive.read(member)) for member in members}
    except GraphError:
        raise
    except Exception as error:  # zipfile and numpy raise a dozen undocumented kinds on damaged bytes
        reason = (str(error) or type(error).__name__).splitlines()[0][:100]
        raise GraphError(f"not a readable NumPy archive ({reason}); write it again with `write_graph`") from error


def _array(data: bytes) -> np.ndarray:
    """The array in the bytes of a `.npy` file, which are as many as its header says."""
    file = io.BytesIO(data)
    header = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}[read_magic(file)]
    shape, _, dtype = header(file)
    if not dtype.hasobject and math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError(f"an array of shape {shape} has {len(data) - file.tell()} bytes")
    file.seek(0)
    return np.asarray(read_array(file, allow_pickle=False))


def _tensor(key: str, array: np.ndarray) -> Tensor:
    try:
        return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))
    except (TypeError, ValueError) as error:
        raise GraphError(f"array {key!r} is of type {array.dtype}; columns hold numbers or booleans") from error


def write(named: NamedGraph) -> bytes:
    """`named` as an archive. Raises GraphError for column types that NumPy lacks."""
    graph = named.graph
    names = np.array(named.names, dtype=np.str_)
    for name, held in zip(named.names, names.tolist(), strict=True):
        if name != held:
            raise refuse(_FORM, f"the node name {name!r}, which ends with a zero byte", "rename it")
    arrays: dict[str, Any] = {"names": names, "edge_index": graph.edge_index.cpu().numpy()}
    for table, columns in (("nodes", graph.nodes), ("edges", graph.edges), ("graphs", graph.graphs)):
        for name, column in columns.items():
            if name.endswith(".npy"):
                raise refuse(_FORM, f"the column name {name!r}, which ends as NumPy's own", "write .json, or rename it")
            try:
                arrays[f"{table}/{name}"] = column.detach().cpu().numpy()
            except TypeError as error:
                what = f"{table.removesuffix('s')} column {name!r} of type {column.dtype}"
                raise refuse(_FORM, what, "write .json, or change its type") from error
    data = io.BytesIO()
    np.savez(data, **arrays)
    return data.getvalue()
