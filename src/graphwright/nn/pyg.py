"""Any PyG message-passing layer as a layer of ours."""

from __future__ import annotations

import inspect
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from graphwright.core import GraphBatch
from graphwright.core.own_code import import_named


class PyGLayer(nn.Module):
    """Wraps the class that `path` names, "module:Class" or "module.Class".

    It is built as Class(width, width), with edge_dim=edge_width if it takes that and there are edge features, and
    called with x, edge_index, `batch` [N] where it takes that, and, where it has edge_dim, edge_attr. `reads_edges`
    says whether it has edge_dim. Raises ValueError, naming the path, where it is no layer of that form, and where what
    it makes of a graph depends on the others of the batch.
    """

    reads_edge_types: ClassVar[bool] = False
    carries_edges: ClassVar[bool] = False
    sight: ClassVar[int | None] = None
    """It may look at the whole graph: who knows."""

    def __init__(self, path: str, width: int, edge_width: int) -> None:
        super().__init__()
        layer = _find(path)
        built_of = inspect.signature(layer).parameters
        takes_edges = "edge_dim" in built_of
        if layer.__module__.startswith("torch_geometric.") and [*built_of][:2] != ["in_channels", "out_channels"]:
            raise ValueError(
                f"encoder layer {path!r} is made of {', '.join([*built_of][:3])}; write a subclass that is made of "
                "(in_channels, out_channels) and name that"
            )
        self.reads_edges = takes_edges and edge_width > 0
        takes = inspect.signature(layer.forward).parameters
        if not {"x", "edge_index"} <= takes.keys():
            raise ValueError(f"encoder layer {path!r} takes {', '.join([*takes][1:])}; it must take x and edge_index")
        self.takes_batch = "batch" in takes
        try:
            self.layer = layer(width, width, edge_dim=edge_width) if self.reads_edges else layer(width, width)
            self._try(width, edge_width)
        except Exception as error:  # whatever the class makes of arguments that are not meant for it
            raise ValueError(
                f"encoder layer {path!r} cannot be used as Class({width}, {width}): {error}; "
                "if it takes other arguments, write a subclass that makes them"
            ) from None

    def _try(self, width: int, edge_width: int) -> None:
        """Raise unless the layer makes [2, width] of two nodes with an edge, the same beside another graph."""
        if any(isinstance(module, _BatchNorm) for module in self.layer.modules()):
            raise ValueError("batch normalisation mixes the graphs of a batch; take LayerNorm (norm='layer_norm')")
        ends, batch = torch.tensor([[0, 2, 3], [1, 3, 4]]), torch.tensor([0, 0, 1, 1, 1])
        x, edges = (torch.linspace(-1, 1, n * size).reshape(n, size) for n, size in ((5, width), (3, edge_width)))
        with torch.no_grad():
            self.layer.eval()
            alone = self._call(x[:2], edges[:1], ends[:, :1], batch[:2])
            if alone.shape != (2, width):
                raise ValueError(f"it makes {tuple(alone.shape)} of nodes of shape {(2, width)}")
            together = self._call(x, edges, ends, batch)[:2]
            self.layer.train()
        if not torch.allclose(alone, together, atol=1e-4):
            raise ValueError("what it makes of a graph depends on the others of the batch; let it take `batch`")

    def _call(self, x: Tensor, edge_features: Tensor | None, edge_index: Tensor, batch: Tensor) -> Tensor:
        options: dict[str, Tensor | None] = {"batch": batch} if self.takes_batch else {}
        if self.reads_edges:
            options["edge_attr"] = edge_features
        out: Tensor = self.layer(x, edge_index, **options)
        return out

    def forward(self, x: Tensor, edge_features: Tensor | None, graph: GraphBatch) -> Tensor:
        """x: [N, width] → [N, width]."""
        if not graph.num_nodes:  # some layers ask for the last graph
            return x
        return self._call(x, edge_features, graph.edge_index, graph.node_graph)


def is_of_pyg(path: str) -> bool:
    """Whether a layer is PyG's own, so that building it runs no code but that of an installed library."""
    return f"{_place(path).partition(':')[0]}.".startswith("torch_geometric.nn.")


def _place(path: str) -> str:
    """module.Class as module:Class."""
    module, dot, name = path.rpartition(".")
    return path if ":" in path or not dot else f"{module}:{name}"


def _find(path: str) -> type[nn.Module]:
    try:
        found = import_named(_place(path), "layer")
    except (ImportError, ValueError) as error:
        reason = str(error).partition(": ")[2]
        raise ValueError(f"encoder layer {path!r}: {reason}; PyG's are torch_geometric.nn:GATConv and so on") from None
    if not (inspect.isclass(found) and issubclass(found, nn.Module)):
        raise ValueError(f"encoder layer {path!r} is no layer of torch_geometric.nn, nor any other nn.Module class")
    return found
