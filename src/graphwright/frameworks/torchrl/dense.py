"""`DenseGraphs`: graphs in a user's own dense tensors."""

from __future__ import annotations

from dataclasses import dataclass

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

    observation: [B, n, F], the one node column of the policy's `Features`. Edges are either edge_index [B, 2, e] (of
    which num_edges [B] are meant, or all) or adjacency [B, n, n], not zero at [u, v] for an edge from u to v.
    num_nodes: [B], or all n. action_mask: [B, k] bool, or everything is legal. Counts may also be [B, 1].

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

    def __post_init__(self) -> None:
        features = self.features
        if len(features.nodes) != 1 or features.edges or features.graphs or features.node_types or features.edge_types:
            raise ValueError(
                "dense tensors have one node column; make the policy with Features(nodes={'observation': F})"
            )
        if not (self.actions.one_per_graph or self.actions.continuous):
            raise ValueError("dense tensors have one choice a graph; use GraphEnv for several decisions")
        other = {block.rows.name for block in self.actions.blocks if block.rows.table == "edges"}
        if other:
            raise ValueError(
                f"dense tensors number no edges, so that actions are not tied to {', '.join(sorted(other))}"
            )

    @property
    def in_keys(self) -> list[NestedKey]:
        """The six keys."""
        return [
            self.observation,
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
        observation = tensordict.get(self.observation, None)
        if observation is None:
            raise GraphError(f"the tensordict has no {self.observation}; give it the node columns [*, n, F]")
        ((name, width),) = self.features.nodes.items()
        if observation.shape[-1] != width:
            raise GraphError(f"{self.observation} has {observation.shape[-1]} columns, the policy reads {width}")
        num_graphs, size = observation.shape[:2]
        num_nodes = _count(tensordict, self.num_nodes)
        if num_nodes is None:
            num_nodes = torch.full((num_graphs,), size, device=observation.device)
        graph = self._graph(tensordict, num_nodes)
        graph = graph.with_nodes(**{name: take(observation, graph.node_segments, str(self.observation))})
        return PaddedObservation(Observation(graph, self._masks(tensordict, graph)), self._width(size))

    def _graph(self, tensordict: TensorDictBase, num_nodes: Tensor) -> GraphBatch:
        edge_index = tensordict.get(self.edge_index, None)
        if edge_index is not None:
            return from_edge_index(edge_index, num_nodes, _count(tensordict, self.num_edges))
        adjacency = tensordict.get(self.adjacency, None)
        if adjacency is None:
            raise GraphError(f"the tensordict has neither {self.edge_index} nor {self.adjacency}; give it one of them")
        return from_adjacency(adjacency, num_nodes)

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
        counts = {self.num_nodes: (self.observation, 0), self.num_edges: (self.edge_index, 1)}
        for key, (counted, dim) in counts.items():
            if key not in ragged and counted in ragged:
                ragged[key] = [torch.tensor([rows.shape[dim]], device=rows.device) for rows in ragged[counted]]
        padded = {key: torch.nested.as_nested_tensor(rows).to_padded_tensor(0) for key, rows in ragged.items()}
        return TensorDict(padded, batch_size=stack.batch_size)


def _count(tensordict: TensorDictBase, key: NestedKey) -> Tensor | None:
    count = tensordict.get(key, None)
    return None if count is None else count.reshape(-1).long()
