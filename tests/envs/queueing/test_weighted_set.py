"""The exact independent set against enumeration."""

from __future__ import annotations

import pytest
import torch

from graphwright.core import GraphError
from graphwright.envs.generators import InstanceGenerator, parse_topology
from graphwright.envs.queueing.conflict_graph.weighted_set import heaviest_set


@pytest.mark.parametrize("topology", ["erdos-renyi:p=0.3", "watts-strogatz:k=2,p=0", "grid"])
def test_it_is_as_heavy_as_the_best_of_all_sets(topology: str) -> None:
    graph = InstanceGenerator(parse_topology(topology), (4, 6, 9))(12, torch.Generator().manual_seed(1))
    weight = graph.nodes["weight"].double()
    weight[::5] = 0
    chosen = heaviest_set(graph, weight)
    for one in range(graph.num_graphs):
        nodes = slice(*graph.node_ptr[one : one + 2].tolist())
        edges = graph.edge_index[:, slice(*graph.edge_ptr[one : one + 2].tolist())] - nodes.start
        size = nodes.stop - nodes.start
        sets = torch.arange(2**size)[:, None] >> torch.arange(size) & 1
        independent = (sets[:, edges[0]] & sets[:, edges[1]]).sum(1) == 0
        own = chosen[nodes]
        assert not bool((own[edges[0]] & own[edges[1]]).any())
        assert not bool((own & (weight[nodes] <= 0)).any())
        assert weight[nodes][own].sum().item() == pytest.approx((sets[independent] * weight[nodes]).sum(1).max().item())


def test_what_would_take_for_ever_is_refused() -> None:
    graph = InstanceGenerator(parse_topology("erdos-renyi:p=0.5"), (60,))(1, torch.Generator().manual_seed(0))
    with pytest.raises(GraphError, match="local-greedy"):
        heaviest_set(graph, graph.nodes["weight"].double() + 1)
