"""Large graphs are made by other loops than small ones, by the same laws."""

from __future__ import annotations

import pytest
import torch

from graphwright.core import Segments
from graphwright.envs.generators import barabasi_albert, random_geometric
from graphwright.envs.generators.barabasi_albert import BarabasiAlbert
from strategies import seeded


def test_close_pairs_are_the_same_by_tree_and_by_sweep() -> None:
    nodes = Segments.from_lengths(torch.tensor([200, 1, 90]))
    position = torch.rand(nodes.num_rows, 2, generator=seeded())
    found = [
        sorted(map(tuple, find(position, 0.13, nodes).sort(dim=0).values.T.tolist()))
        for find in (random_geometric._close_pairs, random_geometric._close_pairs_by_tree)
    ]
    assert found[0] == found[1]


def test_preferential_attachment_is_the_same_law_in_both_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    topology, sizes = BarabasiAlbert(m=2), torch.tensor([6] * 4000)
    degrees = []
    for many in (barabasi_albert._MANY, 0):
        monkeypatch.setattr(barabasi_albert, "_MANY", many)
        edges = topology.edges(sizes, seeded())
        assert edges.shape == (2, 4000 * 8)
        degree = torch.bincount(edges.flatten(), minlength=24000).view(4000, 6)
        pairs = edges.sort(dim=0).values
        assert torch.unique(pairs, dim=1).shape == edges.shape
        degrees.append(degree.double())
    # 4,000 graphs: the mean degree of a node is known to 0.02, five times which is a lot
    assert (degrees[0].mean(0) - degrees[1].mean(0)).abs().max() < 0.1
    assert (degrees[0].square().mean(0) - degrees[1].square().mean(0)).abs().max() < 0.8
