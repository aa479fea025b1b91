"""Stored actions: what is selected is what was taken, whatever the kind."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import ActionSpec, per_decider
from graphwright.data.actions import ActionTable
from strategies import alone, ragged_batches, seeded, seeds


@given(st.lists(ragged_batches(graphs=(1, 3)), min_size=1, max_size=3), seeds)
def test_places_and_real_numbers_come_back(batches, seed) -> None:
    generator = seeded(seed)
    discrete = [torch.randint(9, (batch.num_graphs,), generator=generator) for batch in batches]
    real = [torch.randn(batch.num_nodes, 2, generator=generator) for batch in batches]
    count = sum(batch.num_graphs for batch in batches)
    rows = torch.randint(count, (5,), generator=generator)
    table = ActionTable.of(discrete)
    assert torch.equal(table.select(rows), torch.cat(discrete)[rows])
    table = ActionTable.of(real, [batch.node_segments for batch in batches])
    parts = [
        part
        for values, batch in zip(real, batches, strict=True)
        for part in values.split(batch.node_ptr.diff().tolist())
    ]
    assert torch.equal(table.select(rows), torch.cat([parts[row] for row in rows.tolist()]))


@given(ragged_batches(graphs=(1, 4)), seeds)
def test_the_actions_of_some_graphs(graph, seed) -> None:
    spec = ActionSpec(per_decider("a", continuous=2), decider="nodes")
    action = torch.randn(graph.num_nodes, 2, generator=seeded(seed))
    keep = torch.rand(graph.num_graphs, generator=seeded(seed)) > 0.5
    expected = [action[graph.node_graph == index] for index in keep.nonzero().squeeze(1).tolist()]
    assert torch.equal(spec.select(graph, action, keep), torch.cat([torch.zeros(0, 2), *expected]))
    assert all(
        alone(graph, index).num_nodes == len(part)
        for index, part in zip(keep.nonzero().squeeze(1).tolist(), expected, strict=True)
    )
