"""The reducers of a team: by hand, by a loop, and where gradients go."""

from __future__ import annotations

import torch

from graphwright.core.segment import Segments
from graphwright.functional.reducers import others, own_gradient, pool
from graphwright.nn.reducers import Concatenated, TeamInputs
from strategies import seeded

GRAPH = Segments.from_lengths(torch.tensor([2, 0, 3, 1]))


def test_by_hand() -> None:
    m = torch.tensor([[1.0], [2], [3], [4], [5], [6]])
    assert pool(m, GRAPH).flatten().tolist() == [3, 0, 12, 6]
    assert others(m, GRAPH).flatten().tolist() == [2, 1, 9, 8, 7, 0]
    assert own_gradient(m, GRAPH).flatten().tolist() == [3, 3, 12, 12, 12, 6]


def test_where_gradients_go() -> None:
    """∂ others_i / ∂ m_j is 1 for the others of its graph, exactly 0 for itself; of own_gradient the reverse."""
    same = GRAPH.index[:, None] == GRAPH.index
    own = torch.eye(6, dtype=torch.bool)
    m = torch.rand(6, 1, generator=seeded())
    for reduce, expected in ((others, same & ~own), (own_gradient, own)):
        found = torch.autograd.functional.jacobian(lambda m, reduce=reduce: reduce(m, GRAPH), m).reshape(6, 6)
        assert torch.equal(found, expected.float())


def test_concatenated_rows_are_those_of_a_loop() -> None:
    m = torch.rand(6, 2, generator=seeded()).requires_grad_()
    reducer = Concatenated(2, TeamInputs("qmix", "concatenated", 4, "sum"))
    left_out, whole = reducer.others(m, GRAPH), reducer.own_gradient(m, GRAPH)
    for row in range(6):
        rows = [j for j in range(6) if GRAPH.index[j] == GRAPH.index[row]]
        everyone = [m[j] for j in rows] + [torch.zeros(2)] * (4 - len(rows))
        without = [torch.zeros(2) if j == row else m[j] for j in rows] + [torch.zeros(2)] * (4 - len(rows))
        assert torch.equal(whole[row], torch.cat(everyone))
        assert torch.equal(left_out[row], torch.cat(without))
        (gradient,) = torch.autograd.grad(whole[row].sum(), m, retain_graph=True)
        assert gradient.nonzero()[:, 0].unique().tolist() == [row]
