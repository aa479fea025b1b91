"""`DenseGraphs`: graphs in a user's own dense tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from tensordict import LazyStackedTensorDict, NestedKey, TensorDict, TensorDictBase
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, GraphError, Observation
from graphwright.core.rows import Sizes
from graphwright.frameworks.torchrl.conversion import from_adjacency, from_edge_index, take
from graphwright.frameworks.torchrl.graph_readers import PaddedObservation


@dataclass(frozen=True)
class DenseGraphs:
    """A user's own dense tensors; the fields are their keys.

    observation: [B, n, F], where the policy's `Features` have one node column. Several node columns [B, n, F], and edge
    columns, have their own names as keys, or those that `columns` gives them. Edges are either edge_index [B, 2, e] (of
    which num_edges [B] are meant, or all) with edge columns [B, e, D], or adjacency [B, n, n], 1 at [u, v] for an edge
    from u to v, with edge columns [B, n, n, D] by entry; D may be left out where it is 1. num_nodes: [B], or all n.
    action_mask: [B, k] bool, or everything is legal. Counts may also be [B, 1].

    Actions tied to nodes, pairs of nodes and graphs have their usual places. Raises ValueError for a policy that reads
    or offers anything else.
    """

    features: Features
    actions: ActionSpec
    observation: NestedKey = "observation"
    edge_index: NestedKey = "edge_index"
    adjacency: NestedKey = "adjacency"
    num_nodes: NestedKey = "num_nodes"
    num_edges: NestedKey = "num_edges"
    action_mask: NestedKey = "action_mask"
    columns: Mapping[str, NestedKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        features = self.features
        if not features.nodes or features.graphs or features.node_types or features.edge_types:
            raise ValueError(
                "dense tensors have columns of nodes and edges, no types and none of graphs; make the policy with "
                "Features(nodes={'observation': F})"
            )
        strange = {*self.columns} - {*features.nodes, *features.edges}
        if strange:
            raise ValueError(f"columns name {', '.join(sorted(strange))}, which the policy's Features do not have")
        if not (self.actions.one_per_graph or self.actions.continuous):
            raise ValueError("dense tensors have one choice a graph; use GraphEnv for several decisions")
        other = {block.rows.name for block in self.actions.blocks if block.rows.table == "edges"}
        if other:
            raise ValueError(
                f"dense tensors number no edges, so that actions are not tied to {', '.join(sorted(other))}"
            )

    @property
    def in_keys(self) -> list[NestedKey]:
        """The keys of columns, edges, counts and the mask."""
        return [
            *self._node_keys.values(),
            *self._edge_keys.values(),
            self.edge_index,
            self.adjacency,
            self.num_nodes,
            self.num_edges,
            self.action_mask,
        ]

    def read(self, tensordict: TensorDictBase) -> PaddedObservation:
        """Raises GraphError where a tensor is missing or does not fit."""
        if isinstance(tensordict, LazyStackedTensorDict):
            tensordict = self._padded(tensordict)
        nodes = {name: self._column(tensordict, key, "node") for name, key in self._node_keys.items()}
        for name, width in self.features.nodes.items():
            nodes[name] = self._checked(nodes[name], self._node_keys[name], 2, width)
        first = next(iter(nodes.values()))
        num_graphs, size = first.shape[:2]
        num_nodes = _count(tensordict, self.num_nodes)
        if num_nodes is None:
            num_nodes = torch.full((num_graphs,), size, device=first.device)
        graph = self._graph(tensordict, num_nodes)
        columns = {
            name: take(column, graph.node_segments, str(self._node_keys[name])) for name, column in nodes.items()
        }
        graph = graph.with_nodes(**columns)
        return PaddedObservation(Observation(graph, self._masks(tensordict, graph)), self._width(size))

    @property
    def _node_keys(self) -> dict[str, NestedKey]:
        names = [*self.features.nodes]
        return {name: self.columns.get(name, self.observation if len(names) == 1 else name) for name in names}

    @property
    def _edge_keys(self) -> dict[str, NestedKey]:
        return {name: self.columns.get(name, name) for name in self.features.edges}

    def _column(self, tensordict: TensorDictBase, key: NestedKey, table: str) -> Tensor:
        column: Tensor | None = tensordict.get(key, None)
        if column is None:
            raise GraphError(f"the tensordict has no {key}; give it the {table} column")
        return column

    def _checked(self, column: Tensor, key: NestedKey, rows: int, width: int) -> Tensor:
        """`column` with a last dimension of `width`, after `rows` others."""
        column = column.unsqueeze(-1) if width == 1 and column.dim() == rows else column
        if column.dim() != rows + 1:
            raise GraphError(f"{key} has shape {list(column.shape)}; it needs {rows} dimensions before its columns")
        if column.shape[-1] != width:
            raise GraphError(f"{key} has {column.shape[-1]} columns, the policy reads {width}")
        return column

    def _graph(self, tensordict: TensorDictBase, num_nodes: Tensor) -> GraphBatch:
        edge_index = tensordict.get(self.edge_index, None)
        adjacency = tensordict.get(self.adjacency, None)
        if edge_index is None and adjacency is None:
            raise GraphError(f"the tensordict has neither {self.edge_index} nor {self.adjacency}; give it one of them")
        rows = 3 if edge_index is None else 2
        edges = {
            name: self._checked(self._column(tensordict, key, "edge"), key, rows, self.features.edges[name])
            for name, key in self._edge_keys.items()
        }
        if edge_index is not None:
            return from_edge_index(edge_index, num_nodes, _count(tensordict, self.num_edges), edges)
        if adjacency.is_floating_point() and self.adjacency not in self._edge_keys.values():
            odd = adjacency[(adjacency != 0) & (adjacency != 1)]
            if odd.numel():
                raise GraphError(
                    f"{self.adjacency} holds {float(odd[0]):g}, which is neither 0 nor 1; give the policy an edge "
                    f"column and DenseGraphs columns={{NAME: {self.adjacency!r}}} to read it"
                )
        return from_adjacency(adjacency, num_nodes, edges)

    def _masks(self, tensordict: TensorDictBase, graph: GraphBatch) -> tuple[Tensor, ...]:
        candidates = self.actions.graph_segments(graph)
        mask = tensordict.get(self.action_mask, None)
        if mask is None:
            mask = torch.ones(candidates.num_rows, dtype=torch.bool, device=graph.device)
        else:
            mask = take(mask.bool(), candidates, str(self.action_mask))
        return self.actions.divide(graph, mask)

    def _width(self, size: int) -> int:
        return self.actions.most(Sizes(size, 0, 0))

    def _padded(self, stack: LazyStackedTensorDict) -> TensorDictBase:
        """Graphs of different sizes, filled up to the largest."""
        ragged = {key: stack.get(key, None, as_list=True) for key in self.in_keys}
        ragged = {key: rows for key, rows in ragged.items() if rows is not None}
        first = next(iter(self._node_keys.values()))
        counts = {self.num_nodes: (first, 0), self.num_edges: (self.edge_index, 1)}
        for key, (counted, dim) in counts.items():
            if key not in ragged and counted in ragged:
                ragged[key] = [torch.tensor([rows.shape[dim]], device=rows.device) for rows in ragged[counted]]
        padded = {key: torch.nested.as_nested_tensor(rows).to_padded_tensor(0) for key, rows in ragged.items()}
        return TensorDict(padded, batch_size=stack.batch_size)


def _count(tensordict: TensorDictBase, key: NestedKey) -> Tensor | None:
    count = tensordict.get(key, None)
    return None if count is None else count.reshape(-1).long()
