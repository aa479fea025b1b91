"""Laws of `from_hetero` and `to_hetero`: round trips lose nothing, and batching changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, HeteroData

from graphwright.adapters.pyg import HeteroTypes, from_hetero, from_pyg, to_hetero
from graphwright.core import Features, GraphBatch, GraphError
from graphwright.nn import EncoderConfig
from graphwright.nn.encoders import Encoder
from strategies import assert_same, assert_same_batch, seeded, seeds

KINDS = ("paper", "author", "venue")
DTYPES = (torch.float32, torch.float64, torch.int64, torch.bool)
SHAPES = ((), (3,), (2, 1))


@st.composite
def hetero_lists(draw: st.DrawFn) -> list[HeteroData]:
    """Graphs with the same types and attributes, their edges sorted; some types and graphs are empty."""
    kinds = draw(st.permutations(KINDS))[: draw(st.integers(1, 3))]
    one = st.sampled_from(kinds)
    relations = draw(st.lists(st.tuples(one, st.sampled_from(["cites", "of"]), one), max_size=3, unique=True))
    names = st.lists(st.sampled_from(["x", "pos", "weight", "parent_index"]), max_size=2, unique=True)
    form = st.tuples(st.sampled_from(DTYPES), st.sampled_from(SHAPES))
    columns = {kind: {name: draw(form) for name in draw(names)} for kind in (*kinds, *relations)}
    for relation in relations:
        columns[relation].pop("parent_index", None)
    generator = seeded(draw(seeds))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        data = HeteroData(y=torch.rand(1, 2, generator=generator), kind=torch.tensor([1]))
        for kind in kinds:
            data[kind].num_nodes = draw(st.integers(0, 3))
        for relation in relations:
            sizes = data[relation[0]].num_nodes, data[relation[2]].num_nodes
            ends = st.tuples(*(st.integers(0, max(size - 1, 0)) for size in sizes))
            pairs = sorted(draw(st.lists(ends, max_size=4 * all(sizes))), key=lambda pair: (pair[1], pair[0]))
            data[relation].edge_index = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
        for kind, forms in columns.items():
            rows = data[kind].num_nodes if isinstance(kind, str) else data[kind].edge_index.shape[1]
            for name, (dtype, shape) in forms.items():
                data[kind][name] = torch.randint(2, (rows, *shape), generator=generator).to(dtype)
        found.append(data)
    return found


def assert_same_data(left: HeteroData, right: HeteroData) -> None:
    assert left.metadata() == right.metadata()
    for one, other in zip(left.stores, right.stores, strict=True):
        assert set(one.keys()) == set(other.keys())
        for key in one.keys():  # noqa: SIM118 - a store is no dict
            if isinstance(one[key], torch.Tensor):
                assert_same(one[key], other[key])
            else:
                assert one[key] == other[key]


@given(hetero_lists())
def test_hetero_data_comes_back_exactly(examples: list[HeteroData]) -> None:
    types = HeteroTypes.of(examples[0])
    graph = from_pyg(Batch.from_data_list(examples))
    graph.validate()
    back = to_hetero(graph, types)
    for example, result in zip(examples, back.to_data_list(), strict=True):
        assert_same_data(result, example)
    assert_same_batch(from_hetero(back, types), graph)


@given(hetero_lists())
def test_batching_changes_nothing(examples: list[HeteroData]) -> None:
    types = HeteroTypes.of(examples[0])
    together = from_hetero(Batch.from_data_list(examples), types, undirected=False)
    alone = [from_hetero(example, types, undirected=False) for example in examples]
    assert_same_batch(together, GraphBatch.concat(alone))


def example() -> HeteroData:
    """Two authors and three papers; the first author wrote papers 2 and 0, the second paper 2."""
    data = HeteroData()
    data["author"].x = torch.tensor([30.0, 40.0])
    data["paper"].x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    data["author", "writes", "paper"].edge_index = torch.tensor([[0, 0, 1], [2, 0, 2]])
    data["author", "writes", "paper"].share = torch.tensor([0.5, 1.0, 0.25])
    return data


def test_columns_stand_side_by_side() -> None:
    graph = from_pyg(example())
    assert graph.nodes["type"].tolist() == [0, 0, 1, 1, 1]
    assert graph.nodes["author.x"].tolist() == [30, 40, 0, 0, 0]
    assert graph.nodes["paper.x"].tolist() == [[0, 0], [0, 0], [1, 2], [3, 4], [5, 6]]
    assert graph.edge_index.tolist() == [[0, 0, 1], [2, 4, 4]]
    assert graph.edges["type"].tolist() == [0, 0, 0]
    assert graph.edges["author.writes.paper.share"].tolist() == [1, 0.5, 0.25]


def test_given_types_number_data_that_lacks_some() -> None:
    types = HeteroTypes(("venue", "paper", "author"), (("paper", "in", "venue"), ("author", "writes", "paper")))
    graph = from_hetero(example(), types)
    assert graph.nodes["type"].tolist() == [1, 1, 1, 2, 2]
    assert graph.edges["type"].tolist() == [1, 1, 1]
    back = to_hetero(graph, types)
    assert (back["venue"].num_nodes, back["paper", "in", "venue"].edge_index.shape) == (0, (2, 0))
    with pytest.raises(GraphError, match="type 'author' is not among the given types"):
        from_hetero(example(), replace(types, nodes=("paper",)))


def test_what_is_found_for_all_nodes_goes_back_to_each_type() -> None:
    data = example()
    graph = from_pyg(data).with_nodes(chosen=torch.tensor([True, False, False, False, True]))
    back = to_hetero(graph, HeteroTypes.of(data))
    assert back["author"].chosen.tolist() == [True, False]
    assert back["paper"].chosen.tolist() == [False, False, True]


def test_a_relational_encoder_reads_it_with_every_parameter() -> None:
    graph = from_pyg(example())
    features = Features({"author.x": 1, "paper.x": 2}, node_types=2, edge_types=1)
    encoder = Encoder(features, EncoderConfig(kind="relational", width=8, depth=2))
    encoder(graph).nodes.square().sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_opposite_types_are_a_pair_on_request() -> None:
    data = example()
    data["paper", "by", "author"].edge_index = data["author", "writes", "paper"].edge_index.flip(0)
    data["paper", "by", "author"].share = data["author", "writes", "paper"].share
    assert "reverse" not in from_pyg(data).edges
    graph = from_pyg(data, undirected=True)
    graph.validate()
    assert (graph.edges["type"][graph.edges["reverse"]] == 1 - graph.edges["type"]).all()


def spoilt(kind: object, **values: object) -> HeteroData:
    data = example()
    for key, value in values.items():
        data[kind][key] = value
    return data


WRITES = ("author", "writes", "paper")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (spoilt("author", odd=torch.ones(5)), "'odd' of type 'author' has no row for each of its 2"),
        (spoilt("author", odd=3), "'odd' of type 'author' has no row"),
        (spoilt("author", odd=[1, 2]), "'odd' is a list"),
        (spoilt(WRITES, edge_index=torch.tensor([[0], [3]])), r"writes.* names a node beyond the \[2, 3\]"),
        (HeteroData(a={"x": torch.ones(1)}, **{"a.b": {"x": torch.ones(1)}}), "'a' and 'a.b' begin alike"),
        (HeteroData(a={"x": torch.ones(1)}, y=torch.ones(2)), "'y' has no row for each of 1 graphs"),
        (HeteroData(a={}), "number of nodes of type 'a'"),
    ],
)
@pytest.mark.filterwarnings("ignore:Unable to accurately infer 'num_nodes'")
def test_what_is_no_column_is_refused(data: HeteroData, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        from_pyg(data)


def test_an_index_that_was_shifted_in_batching_is_refused() -> None:
    data = spoilt(WRITES, old_index=torch.zeros(2, 3, dtype=torch.int64))
    assert from_pyg(data).edges["author.writes.paper.old_index"].shape == (3, 2)
    with pytest.raises(GraphError, match="'old_index' was shifted in batching"):
        from_pyg(Batch.from_data_list([data, data]))


def test_types_that_do_not_fit_are_refused() -> None:
    graph = from_pyg(example())
    types = HeteroTypes.of(example())
    with pytest.raises(GraphError, match="node column 'type' is missing or exceeds the 1 types"):
        to_hetero(graph, HeteroTypes(("author",), ()))
    swapped = HeteroTypes(types.nodes[::-1], types.edges)
    with pytest.raises(GraphError, match=r"edge 0 is a .* joins nodes of other types"):
        to_hetero(graph, swapped)
