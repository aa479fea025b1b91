"""Laws of `from_pyg` and `to_pyg`: round trips are exact both ways, and batching changes nothing."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data
from torch_geometric.transforms import ToUndirected

from graphwright.adapters.pyg import from_pyg, to_pyg
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.problems.max_cut.environment import MaxCut

from .named_graphs import ROW_DTYPES, assert_same_batch, assert_same_column, batches

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
DTYPES = (*ROW_DTYPES, torch.complex64)
any_batch = batches(graphs=st.integers(0, 4), most_nodes=3, dtypes=DTYPES)


@EXAMPLES
@given(any_batch)
def test_a_batch_comes_back_exactly(graph: GraphBatch) -> None:
    back = from_pyg(to_pyg(graph), undirected="reverse" in graph.edges)
    back.validate()
    assert_same_batch(back, graph)


@EXAMPLES
@given(batches(graphs=st.integers(0, 4), undirected=st.just(True), dtypes=DTYPES))
def test_an_undirected_batch_is_recognised(graph: GraphBatch) -> None:
    assert_same_batch(from_pyg(to_pyg(graph)), graph)


@EXAMPLES
@given(any_batch, st.randoms(use_true_random=False))
def test_copies_keep_what_to_pyg_noted(graph: GraphBatch, random) -> None:
    data = random.choice([copy.copy, copy.deepcopy, lambda batch: batch.to("cpu")])(to_pyg(graph))
    assert_same_batch(from_pyg(data, undirected="reverse" in graph.edges), graph)


@EXAMPLES
@given(any_batch)
def test_separating_gives_each_graph(graph: GraphBatch) -> None:
    examples = to_pyg(graph).to_data_list()
    assert len(examples) == graph.num_graphs
    for index, example in enumerate(examples):
        alone = to_pyg(graph.select(torch.tensor([index]))).get_example(0)
        assert example.keys() == alone.keys()
        assert example.num_nodes == int(graph.node_segments.lengths[index])
        for key in set(example.keys()) - {"num_nodes"}:
            assert_same_column(example[key], alone[key], key)


@st.composite
def data_lists(draw) -> list[Data]:
    """Graphs as PyG's data sets hold them, with no two tables of one size."""
    examples = []
    for _ in range(draw(st.integers(1, 3))):
        nodes = draw(st.integers(2, 4))
        node = st.integers(0, nodes - 1)
        count = draw(st.sampled_from([0, *range(nodes + 1, nodes + 4)]))
        pairs = draw(st.lists(st.tuples(node, node), min_size=count, max_size=count))
        chosen = draw(st.lists(node, min_size=nodes, max_size=nodes))
        examples.append(
            Data(
                edge_index=torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T,
                x=torch.rand(nodes, 3),
                pos=torch.rand(nodes, 2, dtype=torch.float64),
                edge_attr=torch.rand(count, 2),
                y=torch.rand(1, 4),
                parent_index=torch.tensor(chosen),
                smiles="CCO",
            )
        )
    return examples


@EXAMPLES
@given(data_lists())
def test_pyg_data_comes_back_with_edges_in_order(examples: list[Data]) -> None:
    back = to_pyg(from_pyg(Batch.from_data_list(examples), undirected=False)).to_data_list()
    for example, result in zip(examples, back, strict=True):
        order = (example.edge_index[1] * example.num_nodes + example.edge_index[0]).argsort(stable=True)
        assert torch.equal(result.edge_index, example.edge_index[:, order])
        assert torch.equal(result.edge_attr, example.edge_attr[order])
        for key in ("x", "pos", "y", "parent_index"):
            assert_same_column(result[key], example[key], key)
        assert set(result.keys()) - {"num_nodes"} == set(example.keys()) - {"smiles"}


@EXAMPLES
@given(data_lists())
def test_batching_changes_nothing(examples: list[Data]) -> None:
    together = from_pyg(Batch.from_data_list(examples), undirected=False)
    together.validate()
    assert_same_batch(together, GraphBatch.concat([from_pyg(example, undirected=False) for example in examples]))


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=6), st.randoms(use_true_random=False))
def test_undirected_data_is_recognised_in_any_order(pairs: list[tuple[int, int]], random) -> None:
    """Parallel edges too, each paired with the opposite of its own attributes."""
    rows = [(one, other, flow) for flow, (one, other) in enumerate(pairs)]
    rows += [(other, one, flow) for one, other, flow in rows if one != other]
    random.shuffle(rows)
    table = torch.tensor(rows, dtype=torch.int64).reshape(-1, 3)
    graph = from_pyg(Data(edge_index=table[:, :2].T, flow=table[:, 2], num_nodes=50))
    graph.validate()
    reverse = graph.edges["reverse"]
    assert torch.equal(graph.edges["flow"][reverse], graph.edges["flow"])
    one_way = from_pyg(Data(edge_index=table[:, :2].T, flow=torch.arange(len(rows)), num_nodes=50))
    assert ("reverse" in one_way.edges) == all(one == other for one, other in pairs)


def test_edges_without_equal_opposites_are_directed_unless_asked() -> None:
    data = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), edge_attr=torch.tensor([1.0, 2.0]), num_nodes=3)
    assert "reverse" not in from_pyg(data).edges
    assert from_pyg(data, undirected=True).edges["reverse"].tolist() == [1, 0]
    data = Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2)
    assert "reverse" not in from_pyg(data).edges
    with pytest.raises(GraphError, match="some edge has no opposite"):
        from_pyg(data, undirected=True)
    assert from_pyg(ToUndirected()(data)).edges["reverse"].tolist() == [1, 0]


def test_columns_of_one_name_or_of_pygs_names_come_back() -> None:
    graph = from_edges(
        torch.tensor([[0], [0]]),
        torch.tensor([1]),
        undirected=False,
        nodes={"weight": torch.tensor([1.0]), "batch": torch.tensor([5])},
        edges={"weight": torch.tensor([2.0]), "ptr": torch.tensor([6])},
        graphs={"weight": torch.tensor([3.0]), "edge_weight": torch.tensor([7])},
    )
    data = to_pyg(graph)
    assert data.weight.item() == 1
    assert data.edge_weight.item() == 2
    assert data.graph_weight.item() == 3
    assert_same_batch(from_pyg(data, undirected=False), graph)


def test_indices_count_from_their_own_graph() -> None:
    example = Data(x=torch.ones(2, 1), edge_index=torch.tensor([[0, 1, 1], [1, 0, 1]]), mate_index=torch.tensor([1, 0]))
    batch = Batch.from_data_list([example, example])
    assert batch.mate_index.tolist() == [1, 0, 3, 2]
    assert from_pyg(batch).nodes["mate_index"].tolist() == [1, 0, 1, 0]


def test_sizes_of_each_graph_tell_tables_apart() -> None:
    """In total there are as many edges as graphs here, but not in each."""
    lone = Data(edge_index=torch.empty(2, 0, dtype=torch.int64), y=torch.tensor([1.0]), num_nodes=3)
    pair = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), y=torch.tensor([2.0]), num_nodes=3)
    graph = from_pyg(Batch.from_data_list([lone, pair]))
    assert graph.graphs["y"].tolist() == [1, 2]


def test_with_as_many_edges_as_nodes_the_name_decides_as_in_pyg() -> None:
    ring = torch.tensor([[0, 1, 2], [1, 2, 0]])
    data = Data(edge_index=ring, x=torch.rand(3), edge_length=torch.tensor([1.0, 2.0, 3.0]))
    graph = from_pyg(data)
    assert (data.is_node_attr("x"), data.is_edge_attr("edge_length")) == (True, True)
    assert_same_column(graph.nodes["x"], data.x)
    assert_same_column(graph.edges["edge_length"], torch.tensor([3.0, 1.0, 2.0]))


def test_data_without_edges_and_numbers_for_graphs() -> None:
    graph = from_pyg(Data(x=torch.ones(3, 2), y=2, z=torch.tensor(0.5), name="none"))
    graph.validate()
    assert (graph.num_nodes, graph.num_edges) == (3, 0)
    assert graph.graphs.keys() == {"y", "z"}
    assert graph.graphs["y"].tolist() == [2]


@pytest.mark.filterwarnings("ignore:Unable to accurately infer 'num_nodes'")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([Data(num_nodes=1)], "list is not a PyG Data; use from_pyg_dataset"),
        (Data(num_nodes=3, odd=torch.ones(5)), r"'odd' of shape \[5\] has no row"),
        (Data(num_nodes=3, items=[1, 2]), "'items' is a list"),
        (Data(num_nodes=3, adj=torch.eye(3).to_sparse()), "'adj' is a Tensor; make it a dense"),
        (Data(num_nodes=1, edge_index=torch.tensor([[0], [4]])), "edge_index names node 4"),
        (Data(num_nodes=2, edge_index=torch.tensor([[0], [1]]), reverse=torch.tensor([0])), "'reverse'"),
        (Data(), "number of nodes"),
    ],
)
def test_what_fits_no_table_is_refused(data: Data, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        from_pyg(data)


@pytest.mark.parametrize("weights", [{"edge_weight": [5, 5, 2, 2]}, {"edge_attr": [[5], [5], [2], [2]]}])
def test_weights_under_the_names_of_pyg_are_weights(weights):
    index = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    columns = {name: torch.tensor(values) for name, values in weights.items()}
    instance = MaxCut().instance(from_pyg(Data(edge_index=index, num_nodes=3, **columns)))
    assert sorted(instance.edges["weight"].tolist()) == [2, 2, 5, 5]
