"""PyTorch Geometric's data, of one type or several, one by one or as a data set, to `GraphBatch` and back."""

from graphwright.adapters.edge_rows import edge_rows
from graphwright.adapters.left_out import LeftOut
from graphwright.adapters.pyg.data import from_pyg, to_pyg
from graphwright.adapters.pyg.dataset import from_pyg_dataset
from graphwright.adapters.pyg.from_hetero import from_hetero
from graphwright.adapters.pyg.to_hetero import to_hetero
from graphwright.adapters.pyg.types import HeteroTypes

__all__ = ["HeteroTypes", "LeftOut", "edge_rows", "from_hetero", "from_pyg", "from_pyg_dataset", "to_hetero", "to_pyg"]
