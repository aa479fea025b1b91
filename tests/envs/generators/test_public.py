"""Delaunay triangulations against Gabriel graphs, which are parts of them, and the quarters of Graph500."""

from __future__ import annotations

import pytest
import torch

from graphwright.envs.generators.delaunay import Delaunay
from graphwright.envs.generators.gabriel import Gabriel
from graphwright.envs.generators.kronecker import Kronecker
from strategies import seeded


def test_a_triangulation_holds_the_gabriel_graph_of_its_points() -> None:
    sizes = torch.tensor([40, 1, 2, 3, 25])
    (edges, columns), (some, others) = (topology.sample(sizes, seeded()) for topology in (Delaunay(), Gabriel()))
    assert torch.equal(columns["position"], others["position"])
    found, part = ({frozenset(pair) for pair in each.T.tolist()} for each in (edges, some))
    assert part <= found
    assert len(found) <= sum(max(3 * size - 6, size * (size - 1) // 2 if size < 4 else 0) for size in sizes.tolist())


def test_edges_fall_into_the_quarters_by_their_shares() -> None:
    row, column = Kronecker._draw(torch.full((20_000,), 2), seeded())
    for level in range(2):
        quarter = 2 * ((row >> level) & 1) + ((column >> level) & 1)
        shares = torch.bincount(quarter, minlength=4) / 20_000
        assert shares.tolist() == pytest.approx([0.57, 0.19, 0.19, 0.05], abs=0.02)


def test_hubs_grow_with_the_graph() -> None:
    edges = Kronecker().edges(torch.tensor([1024, 100]), seeded())
    degree = torch.bincount(edges.flatten(), minlength=1124)
    assert degree[:1024].max() > 10 * degree[:1024].double().mean()
    assert int(edges.max()) < 1124
    assert bool(((edges < 1024).sum(0) != 1).all())


def test_a_factor_has_to_be_positive() -> None:
    with pytest.raises(ValueError, match="factor=0"):
        Kronecker(factor=0.0)
