"""Anything that hands out PyG data (a `Dataset`, a list, a `DataLoader`) as one table of graphs."""

from __future__ import annotations

from collections.abc import Iterable

from torch_geometric.data import Batch, Data, HeteroData

from graphwright.adapters.pyg.data import from_pyg
from graphwright.core import GraphBatch, GraphError


def from_pyg_dataset(dataset: Iterable[Data | HeteroData], *, undirected: bool | None = None) -> GraphBatch:
    """All graphs of `dataset`, gone through once, as one `GraphBatch`; the batches of a loader are split.

    `environment.instance` of it is a data set of that problem, as `make_env_config`, `FixedInstances` and `evaluate`
    take it. undirected: as for `from_pyg`, of all graphs together.

    Raises GraphError for no graphs, for graphs that differ in their attributes, and for what `from_pyg` refuses.
    """
    if isinstance(dataset, Data | HeteroData):
        raise GraphError(f"{type(dataset).__name__} is no data set; take from_pyg for one of PyG's data or batches")
    graphs: list[Data | HeteroData] = []
    for item in dataset:
        graphs += item.to_data_list() if isinstance(item, Batch) else [item]
    if not graphs:
        raise GraphError("the data set holds no graphs; give at least one")
    for index, graph in enumerate(graphs):
        if not isinstance(graph, Data | HeteroData):
            raise GraphError(f"item {index} of the data set is a {type(graph).__name__}; it must be PyG data")
        odd = _attributes(graph) ^ _attributes(graphs[0])
        if odd:
            raise GraphError(
                f"item {index} of the data set and the first differ in {', '.join(sorted(odd))}; all need the same"
            )
    return from_pyg(Batch.from_data_list(graphs), undirected=undirected)


def _attributes(data: Data | HeteroData) -> set[str]:
    """The names of all attributes, with their types."""
    return {f"{key!r} of {store._key!r}" if store._key else repr(key) for store in data.stores for key in store.keys()}  # noqa: SIM118
