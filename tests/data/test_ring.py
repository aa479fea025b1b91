"""A ring of graphs is a Python list of graphs from which the oldest are taken, to the last bit."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphwright.core import GraphBatch
from graphwright.core.kernels.runs import gather_runs, gather_runs_reference, to_own_ends, to_union_ends
from graphwright.core.segment import Segments
from graphwright.data.graph_rows import graph_to_rows, rows_to_graph
from graphwright.data.ring import Group, RaggedRing, Rows
from graphwright.data.tables import Memory
from strategies import alone, assert_same, assert_same_batch, ragged_batches, seeded, seeds, some_of

batches = st.lists(ragged_batches(undirected=True), min_size=1, max_size=8)


def singles(batch: GraphBatch) -> list[GraphBatch]:
    return [alone(batch, row) for row in range(batch.num_graphs)]


def assert_holds(ring: RaggedRing, kept: list[GraphBatch], data: st.DataObject) -> None:
    assert len(ring) == len(kept)
    places = data.draw(some_of(len(kept)))
    chosen = rows_to_graph(ring.select(ring.first + torch.tensor(places, dtype=torch.int64)))
    chosen.validate()
    for index, place in enumerate(places):
        assert_same_batch(alone(chosen, index), kept[place])


@given(batches, st.data())
def test_a_ring_holds_what_a_list_holds(parts: list[GraphBatch], data: st.DataObject) -> None:
    ring, kept = RaggedRing(), []
    for part in parts:
        ids = ring.add(graph_to_rows(part))
        kept += singles(part)
        assert ids.tolist() == list(range(ring.end - part.num_graphs, ring.end))
        gone = data.draw(st.integers(0, len(kept)))
        ring.drop(ring.first + gone)
        kept = kept[gone:]
        assert_holds(ring, kept, data)
        if kept and data.draw(st.booleans()):
            stay = sorted(set(data.draw(some_of(len(kept)))))
            moved = ring.keep(ring.first + torch.tensor(stay, dtype=torch.int64))
            assert moved.tolist() == ring.ids.tolist()
            kept = [kept[place] for place in stay]
            assert_holds(ring, kept, data)


@settings(max_examples=10)
@given(ragged_batches(graphs=(1, 6)), st.integers(20, 60), seeds)
def test_rows_go_round_and_tables_grow_to_what_is_live(batch: GraphBatch, rounds: int, seed: int) -> None:
    """At most twice the most rows that were live, or the first size; ids rise far beyond the table."""
    ring, kept, most = RaggedRing(), [], 0
    draw = seeded(seed)
    for _ in range(rounds):
        rows = torch.randint(batch.num_graphs, (9,), generator=draw)
        ring.add(graph_to_rows(batch.select(rows)))
        kept += rows.tolist()
        most = max(most, batch.select(torch.tensor(kept)).num_edges)
        ring.drop(ring.end - 23)
        kept = kept[-23:]
        assert_same_batch(rows_to_graph(ring.select(ring.ids)), batch.select(torch.tensor(kept)))
    assert ring.rows.size == 64
    assert ring.groups["edges"].size <= max(64, 2 * most)


@settings(max_examples=10)
@given(ragged_batches(graphs=(2, 5)))
def test_a_ring_never_writes_itself_anew(batch: GraphBatch) -> None:
    """What is moved in all is at most twice what was added: doubling is amortised."""
    ring, moved = RaggedRing(), 0
    for _ in range(100):
        before = ring.rows.size
        ring.add(graph_to_rows(batch))
        moved += before if ring.rows.size != before else 0
    assert moved <= 2 * ring.end


@settings(max_examples=20)
@given(ragged_batches(graphs=(1, 5)), st.integers(1, 30), st.integers(0, 20), seeds)
def test_what_is_saved_goes_on_in_the_same_way(batch: GraphBatch, rounds: int, dropped: int, seed: int) -> None:
    ring, other = RaggedRing(), RaggedRing()
    for _ in range(rounds):
        ring.add(graph_to_rows(batch))
        ring.drop(ring.first + min(dropped, len(ring)))
    other.load_state_dict({name: tensor.clone() for name, tensor in ring.state_dict().items()})
    for _ in range(3):
        assert (ring.first, ring.end, ring.memory.num_bytes) == (other.first, other.end, other.memory.num_bytes)
        for name, tensor in ring.state_dict().items():
            assert_same(other.state_dict()[name], tensor)
        ring.add(graph_to_rows(batch))
        other.add(graph_to_rows(batch))


def rows(values: list[int], lengths: list[int]) -> Rows:
    column = torch.arange(sum(lengths))
    return Rows(
        len(values),
        {"x": torch.tensor(values)},
        {"parts": Group(Segments.from_lengths(torch.tensor(lengths)), {"y": column})},
    )


def test_ragged_columns_by_hand() -> None:
    ring = RaggedRing()
    ring.add(rows([10, 11, 12], [2, 0, 1]))
    ring.add(rows([13], [3]))
    chosen = ring.select(torch.tensor([3, 1, 0]))
    assert chosen.columns["x"].tolist() == [13, 11, 10]
    assert chosen.groups["parts"].segments.lengths.tolist() == [3, 0, 2]
    assert chosen.groups["parts"].columns["y"].tolist() == [0, 1, 2, 0, 1]
    ring.set("x", torch.tensor([1]), torch.tensor([7]))
    assert ring.get("x", ring.ids).tolist() == [10, 7, 12, 13]


def test_rows_that_are_not_there_and_columns_of_another_kind_are_refused() -> None:
    ring = RaggedRing()
    ring.add(rows([1, 2, 3], [1, 1, 1]))
    ring.drop(1)
    for ids in ([0], [1, 3], [-1]):
        with pytest.raises(IndexError, match="1 to 2 are live"):
            ring.select(torch.tensor(ids))
    with pytest.raises(ValueError, match=r"row column 'x' is torch\.float32"):
        ring.add(Rows(1, {"x": torch.ones(1)}, rows([1], [1]).groups))
    with pytest.raises(ValueError, match=r"row column 'x' is torch.int64 \[rows, 2\]"):
        ring.add(Rows(1, {"x": torch.ones(1, 2, dtype=torch.int64)}, rows([1], [1]).groups))
    with pytest.raises(ValueError, match="row column 'x' is new or missing"):
        ring.add(Rows(1, {"z": torch.ones(1)}, rows([1], [1]).groups))
    with pytest.raises(ValueError, match=r"rows have the groups \[\]; the ring has \['parts'\]"):
        ring.add(Rows(1, {"x": torch.tensor([1])}))
    assert ring.get("x", ring.ids).tolist() == [2, 3]


@settings(max_examples=10)
@given(st.lists(ragged_batches(graphs=(1, 4), undirected=True), min_size=1, max_size=30), st.integers(20_000, 40_000))
def test_bytes_are_never_more_than_allowed(parts: list[GraphBatch], most: int) -> None:
    """Graphs of changing kinds, of which the oldest go when all bytes are used."""

    def forget() -> bool:
        ring.drop(min(ring.first + 1, ring.end))
        return len(ring) > 0

    memory = Memory(most, forget)
    ring, kept = RaggedRing(memory), []
    for _ in range(3):
        for part in parts:
            ring.add(graph_to_rows(part))
            kept += singles(part)
            assert memory.num_bytes <= most
            assert ring.end == len(kept)
            assert_same_batch(rows_to_graph(ring.select(ring.ids)), GraphBatch.concat(kept[ring.first :]))


def test_what_never_fits_is_refused() -> None:
    ring = RaggedRing(Memory(100))
    with pytest.raises(ValueError, match="do not fit into 100; give more, or add less"):
        ring.add(rows([1], [1000]))


@given(st.integers(1, 9), st.lists(st.integers(0, 9), max_size=9), seeds)
def test_runs_are_gathered_as_one_by_one(size: int, lengths: list[int], seed: int) -> None:
    segments = Segments.from_lengths(torch.tensor(lengths, dtype=torch.int64).clamp(max=size))
    start = torch.randint(size, (segments.num_groups,), generator=seeded(seed))
    runs = list(zip(start.tolist(), segments.lengths.tolist(), strict=True))
    places = [(begin + k) % size for begin, length in runs for k in range(length)]
    for ring in (
        torch.rand(size, generator=seeded(seed)),
        torch.rand(size, 3, 2, dtype=torch.float64),
        torch.rand(size) > 0.5,
    ):
        for gather in (gather_runs, gather_runs_reference):
            assert_same(gather(ring, start, segments.ptr, segments.num_rows), ring[places])


@given(ragged_batches())
def test_ends_are_counted_from_the_own_first_node_and_back(batch: GraphBatch) -> None:
    own = to_own_ends(batch.edge_index, batch.edge_ptr, batch.node_ptr)
    assert_same(own.long(), (batch.edge_index - batch.node_ptr[:-1][batch.edge_graph]).t().contiguous())
    assert_same(to_union_ends(own, batch.edge_ptr, batch.node_ptr), batch.edge_index)
