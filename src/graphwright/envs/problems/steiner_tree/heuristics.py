"""A Steiner tree of at most twice the least length, from a minimum spanning tree of the terminals' distances."""

from __future__ import annotations

import networkx as nx
import torch
from networkx.algorithms.approximation import steiner_tree
from torch import Tensor

from graphwright.core import GraphBatch


def mst_of_closure(instances: GraphBatch) -> Tensor:
    """[E] bool, in both directions: a tree that joins the terminals of each graph.

    Kou, Markowsky & Berman (1981), "A fast algorithm for Steiner trees": a minimum spanning tree of the complete graph
    of shortest distances between terminals, its edges exchanged for shortest paths, and of what results a minimum
    spanning tree again, without leaves that are no terminals. At most 2 − 2 / k times the least length for k terminals.
    """
    chosen = torch.zeros(instances.num_edges, dtype=torch.bool)
    source, destination = instances.edge_index.cpu()
    length, terminal = instances.edges["length"].cpu(), instances.nodes["terminal"].cpu()
    first_node, first_edge = instances.node_ptr.tolist(), instances.edge_ptr.tolist()
    for graph in range(instances.num_graphs):
        edges, nodes = slice(*first_edge[graph : graph + 2]), slice(*first_node[graph : graph + 2])
        pairs = list(zip(source[edges].tolist(), destination[edges].tolist(), strict=True))
        network = nx.Graph()
        network.add_weighted_edges_from(
            (*pair, value) for pair, value in zip(pairs, length[edges].tolist(), strict=True)
        )
        terminals = (terminal[nodes].nonzero().squeeze(1) + nodes.start).tolist()
        if len(terminals) > 1:
            network = network.subgraph(nx.node_connected_component(network, terminals[0]))
            tree = steiner_tree(network, terminals, weight="weight", method="kou")
            chosen[edges] = torch.tensor([tree.has_edge(*pair) for pair in pairs])
    return chosen.to(instances.device)
