"""Message-passing layers: one round of talk between nodes, [N, width] → [N, width], one layer a file.

Layers meet other nodes through `nn/kernels` alone.
"""

from graphwright.nn.layers.edge_gated import EdgeGated
from graphwright.nn.layers.gat import GAT
from graphwright.nn.layers.gatv2 import GATv2
from graphwright.nn.layers.gcn import GCN
from graphwright.nn.layers.gin import GIN
from graphwright.nn.layers.graph_conv import GraphConv
from graphwright.nn.layers.graph_transformer import GraphTransformer
from graphwright.nn.layers.message_passing import Aggregation, MessagePassingLayer
from graphwright.nn.layers.relational import Relational
from graphwright.nn.layers.transformer import Transformer

__all__ = [
    "GAT",
    "GCN",
    "GIN",
    "Aggregation",
    "EdgeGated",
    "GATv2",
    "GraphConv",
    "GraphTransformer",
    "MessagePassingLayer",
    "Relational",
    "Transformer",
]
