"""Any PyG message-passing layer as a layer of ours."""

from __future__ import annotations

import inspect
from typing import ClassVar

import torch
from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.core.own_code import import_named


class PyGLayer(nn.Module):
    """Wraps the class that `path` names, "module:Class" or "module.Class".

    It is built as Class(width, width), with edge_dim=edge_width if it takes that and there are edge features, and
    called with x, edge_index and, where it has edge_dim, edge_attr. Raises ValueError, naming the path, where it is
    not a `torch_geometric.nn.MessagePassing` that can be built so. `reads_edges` says whether it has edge_dim.
    """

    reads_edge_types: ClassVar[bool] = False
    carries_edges: ClassVar[bool] = False

    def __init__(self, path: str, width: int, edge_width: int) -> None:
        super().__init__()
        layer = _find(path)
        takes_edges = "edge_dim" in inspect.signature(layer).parameters
        self.reads_edges = takes_edges and edge_width > 0
        try:
            self.layer = layer(width, width, edge_dim=edge_width) if self.reads_edges else layer(width, width)
            self._try(width, edge_width)
        except Exception as error:  # whatever the class makes of arguments that are not meant for it
            raise ValueError(f"encoder layer {path!r} cannot be used as Class({width}, {width}): {error}") from None

    def _try(self, width: int, edge_width: int) -> None:
        """Raise unless the layer makes [2, width] of two nodes with an edge."""
        features = {"edge_attr": torch.zeros(1, edge_width)} if self.reads_edges else {}
        with torch.no_grad():
            out = self.layer.eval()(torch.zeros(2, width), torch.tensor([[0], [1]]), **features)
        self.layer.train()
        if out.shape != (2, width):
            raise ValueError(f"it makes {tuple(out.shape)} of nodes of shape {(2, width)}")

    def forward(self, x: Tensor, edge_features: Tensor | None, graph: GraphBatch) -> Tensor:
        """x: [N, width] → [N, width]."""
        if self.reads_edges:
            return self.layer(x, graph.edge_index, edge_attr=edge_features)
        return self.layer(x, graph.edge_index)


def is_of_pyg(path: str) -> bool:
    """Whether a layer is PyG's own, so that building it runs no code but that of an installed library."""
    return f"{_place(path).partition(':')[0]}.".startswith("torch_geometric.nn.")


def _place(path: str) -> str:
    """module.Class as module:Class."""
    module, dot, name = path.rpartition(".")
    return path if ":" in path or not dot else f"{module}:{name}"


def _find(path: str) -> type[nn.Module]:
    from torch_geometric.nn import MessagePassing

    try:
        found = import_named(_place(path), "layer")
    except (ImportError, ValueError) as error:
        reason = str(error).partition(": ")[2]
        raise ValueError(f"encoder layer {path!r}: {reason}; PyG's are torch_geometric.nn:GATConv and so on") from None
    if not (inspect.isclass(found) and issubclass(found, MessagePassing)):
        raise ValueError(f"encoder layer {path!r} is no torch_geometric.nn.MessagePassing class")
    return found  # type: ignore[return-value]
