"""Graphs are the same where all their numbers are, and hashes say so."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.core.distinct import distinct_graphs, distinct_numbers
from graphwright.core.kernels.hashes import (
    first_of_each,
    first_of_each_reference,
    hash_edges,
    hash_edges_reference,
    hash_groups,
    hash_groups_reference,
)
from graphwright.core.segment import Segments
from graphwright.envs.reversible import _bytes_of
from strategies import ragged_batches, seeded

lengths = st.lists(st.integers(0, 4), max_size=6)


@given(lengths, st.integers(1, 3), st.integers(0, 99))
def test_the_kernel_gives_what_its_reference_gives(of: list[int], columns: int, seed: int) -> None:
    ptr = Segments.from_lengths(torch.tensor(of, dtype=torch.int64)).ptr
    values = torch.randint(-(2**62), 2**62, (sum(of), columns), generator=seeded(seed))
    hashes = torch.randint(-(2**62), 2**62, (len(of),), generator=seeded(seed + 1))
    assert hash_groups(values, ptr, hashes).equal(hash_groups_reference(values, ptr, hashes))


@given(ragged_batches())
def test_edges_are_hashed_as_the_rows_that_they_are(batch: GraphBatch) -> None:
    edges = batch.edge_index, batch.node_ptr, batch.edge_ptr
    assert hash_edges(*edges).equal(hash_edges_reference(*edges))


@given(st.lists(st.integers(-3, 3)), st.integers(0, 2**60))
def test_the_first_of_each_number_stands_for_it(numbers: list[int], step: int) -> None:
    given_ = torch.tensor(numbers, dtype=torch.int64) * step
    rows, which = first_of_each(given_)
    reference_rows, reference_which = first_of_each_reference(given_)
    assert rows.equal(reference_rows)
    assert which.equal(reference_which)
    assert given_[rows][which].equal(given_)
    assert rows.tolist() == [given_.tolist().index(number) for number in dict.fromkeys(given_.tolist())]


@given(ragged_batches(), st.integers(0, 99))
def test_graphs_are_one_where_all_their_numbers_agree(batch: GraphBatch, seed: int) -> None:
    if not batch.num_graphs:
        return
    rows = torch.randint(batch.num_graphs, (12,), generator=seeded(seed))
    repeated = batch.select(rows)
    first, index = distinct_graphs(repeated)
    known = _bytes_of(repeated)
    assert first.numel() == len(set(known))
    assert [known[place] for place in first[index].tolist()] == known
    assert all(known.index(known[place]) == place for place in first.tolist())


def test_what_differs_in_one_number_is_another() -> None:
    sizes, links = torch.tensor([3, 3, 3, 3, 2]), torch.tensor([[0, 3, 6, 9, 12], [1, 4, 8, 10, 13]])
    batch = from_edges(links, sizes, undirected=True, nodes={"type": torch.zeros(14, dtype=torch.int64)})
    found = distinct_graphs(batch)
    assert found.which[0] == found.which[1] == found.which[3]
    assert found.rows.numel() == 3
    coloured = batch.with_nodes(type=torch.zeros(14, dtype=torch.int64).index_fill(0, torch.tensor([9]), 1))
    assert distinct_graphs(coloured).rows.numel() == 4
    conditioned = batch.with_graphs(beta=torch.tensor([0.0, 0.5, 0.0, 0.0, 0.0]))
    assert distinct_graphs(conditioned).rows.numel() == 4


def test_of_numbers_the_first_stands_for_each() -> None:
    rows, index = distinct_numbers(torch.tensor([5, -3, 5, 8, -3]))
    assert torch.tensor([5, -3, 5, 8, -3])[rows][index].tolist() == [5, -3, 5, 8, -3]
    assert sorted(rows.tolist()) == [0, 1, 3]
    assert distinct_numbers(torch.empty(0, dtype=torch.int64)).rows.numel() == 0
