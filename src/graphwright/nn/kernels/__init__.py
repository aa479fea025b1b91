"""Kernels: what happens along edges and between the nodes of a graph, the only place where messages meet.

Each function comes twice. The reference is plain torch and runs on any device and in any precision; on the CPU a Numba
kernel takes float32 and walks the rows of the CSR structure, without the [E, F] messages. A backward pass scatters
inside each graph, so nothing is transposed or sorted for it. The tests hold both to the same values and gradients.
"""

from graphwright.nn.kernels.additive_attention import additive_attention, additive_attention_reference
from graphwright.nn.kernels.block_sum import BlockSums, block_sum
from graphwright.nn.kernels.dot_product_attention import dot_product_attention, dot_product_attention_reference
from graphwright.nn.kernels.edge_relu_sum import edge_relu_sum, edge_relu_sum_reference
from graphwright.nn.kernels.gated_sum import gated_sum, gated_sum_reference
from graphwright.nn.kernels.graph_attention import graph_attention, graph_attention_reference
from graphwright.nn.kernels.neighbour_max import neighbour_max, neighbour_max_reference
from graphwright.nn.kernels.neighbour_sum import neighbour_sum, neighbour_sum_reference
from graphwright.nn.kernels.pair_scores import pair_scores, pair_scores_reference
from graphwright.nn.kernels.scored_sum import scored_sum, scored_sum_reference
from graphwright.nn.kernels.sum_mean_max import sum_mean_max, sum_mean_max_reference
from graphwright.nn.kernels.typed_mean import typed_mean, typed_mean_reference
from graphwright.nn.kernels.walks import (
    closed_random_walks,
    random_walks,
    random_walks_along_edges,
    random_walks_either_way,
    random_walks_reference,
)

__all__ = [
    "BlockSums",
    "additive_attention",
    "additive_attention_reference",
    "block_sum",
    "closed_random_walks",
    "dot_product_attention",
    "dot_product_attention_reference",
    "edge_relu_sum",
    "edge_relu_sum_reference",
    "gated_sum",
    "gated_sum_reference",
    "graph_attention",
    "graph_attention_reference",
    "neighbour_max",
    "neighbour_max_reference",
    "neighbour_sum",
    "neighbour_sum_reference",
    "pair_scores",
    "pair_scores_reference",
    "random_walks",
    "random_walks_along_edges",
    "random_walks_either_way",
    "random_walks_reference",
    "scored_sum",
    "scored_sum_reference",
    "sum_mean_max",
    "sum_mean_max_reference",
    "typed_mean",
    "typed_mean_reference",
]
