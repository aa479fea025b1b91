"""Dicts of arrays: which names and shapes are read as graphs, what is padding, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from graphwright.core import ActionSpec, GraphBatch, GraphError, per_edge, per_graph, per_neighbour, per_node
from graphwright.frameworks.foreign.observation_reader import ObservationReader
from graphwright.frameworks.foreign.states import ForeignEnvironment
from graphwright.workers.env_group import pack

NODES = ActionSpec(per_node("pick"))
X = np.arange(1, 9, dtype=np.float32).reshape(4, 2)
PATH = np.array([[2, 1], [0, 1], [1, 2]])  # not sorted
MATRIX = np.zeros((4, 4), np.int8)
MATRIX[PATH[:, 0], PATH[:, 1]] = 1


def box(value: np.ndarray) -> spaces.Box:
    whole = np.asarray(value).dtype.kind in "iub"
    return spaces.Box(-99, 99, np.shape(value), np.int64 if whole else np.float32)


def read(value: dict[str, Any], actions: ActionSpec = NODES, mask: Any = None, **options: Any) -> GraphBatch:
    space = spaces.Dict({name: box(entry) for name, entry in value.items()})
    reader = ObservationReader(space, actions, **options)
    undirected = options.get("undirected", False)
    rules = ForeignEnvironment(reader.features, actions, undirected, room=reader.room)
    state = rules.states([pack([reader.read(value, mask)])])
    state.validate()
    return state


SAME = [
    {"x": X, "edge_index": PATH.T},
    {"x": X, "edge_index": PATH},
    {"node_features": X, "edge_links": PATH},
    {"node_features": X, "edge_links": PATH.T},
    {"nodes": X, "edge_list": PATH},
    {"feat": X, "adj": MATRIX},
    {"node_features": X, "adjacency_matrix": MATRIX},
    {"x": X, "edge_index": np.pad(PATH.T, ((0, 0), (0, 3)))},
    {"x": X, "edge_index": np.pad(PATH.T, ((0, 0), (0, 3)), constant_values=-1)},
    {"x": X, "edge_index": np.pad(PATH.T, ((0, 0), (0, 3)), constant_values=2), "num_edges": np.array([3])},
    {"x": np.pad(X, ((0, 3), (0, 0))), "edge_index": PATH.T, "num_nodes": np.array([4])},
    {"x": np.pad(X, ((0, 3), (0, 0))), "adj": np.pad(MATRIX, 3)[3:, 3:], "node_mask": np.array([1, 1, 1, 1, 0, 0, 0])},
    {"x": np.pad(X, ((0, 3), (0, 0))), "adj": np.pad(MATRIX, 3)[3:, 3:], "action_masks": np.array([1] * 4 + [0] * 3)},
]


@pytest.mark.parametrize("value", SAME)
def test_every_form_is_the_same_graph(value: dict[str, np.ndarray]) -> None:
    state = read(value)
    assert state.edge_index.tolist() == [[0, 2, 1], [1, 1, 2]]
    assert torch.equal(state.nodes["x"], torch.from_numpy(X))
    assert not state.graphs


def test_names_that_are_not_known_are_said_and_links_may_be_constant() -> None:
    state = read({"obs": X, "wires": PATH.T}, keys={"nodes": "obs", "links": "wires"})
    assert state.edge_index.tolist() == [[0, 2, 1], [1, 1, 2]]
    reader = ObservationReader(spaces.Box(0, 9, (4, 2)), NODES, keys={"nodes": "observation", "links": PATH})
    assert reader.read(X)["links"].tolist() == PATH.tolist()
    two = read({"x": X, "load": X[:, :1], "adj": MATRIX}, keys={"nodes": ["x", "load"]})
    assert torch.equal(two.nodes["x"], torch.from_numpy(np.concatenate([X, X[:, :1]], axis=1)))
    weighted = read({"x": X, "adj": MATRIX * 0.5}, keys={"edges": "adj"})
    assert weighted.edges["x"].flatten().tolist() == [0.5] * 3
    as_graph = read({"x": X, "adj": MATRIX, "goal": X[:, 0]}, keys={"graphs": ["goal"]})
    assert as_graph.graphs["goal"].tolist() == [X[:, 0].tolist()]


def test_edge_values_follow_their_edges() -> None:
    values = np.array([[0.1], [0.2], [0.3]], np.float32)
    listed = read({"x": X, "edge_index": PATH.T, "edge_attr": values})
    assert listed.edges["x"].flatten().tolist() == pytest.approx([0.2, 0.1, 0.3])
    by_entry = np.arange(16, dtype=np.float32).reshape(4, 4)
    for shape in ((4, 4), (4, 4, 1), (16, 1)):
        state = read({"x": X, "adj": MATRIX, "edge_features": by_entry.reshape(shape)})
        assert state.edges["x"].flatten().tolist() == [1.0, 9.0, 6.0]  # (0, 1), (2, 1), (1, 2)


def test_a_node_mask_with_holes_renumbers_links_and_masks() -> None:
    value = {
        "x": np.pad(X, ((0, 1), (0, 0))),
        "edge_index": np.array([[4, 0], [0, 2]]),
        "node_mask": np.array([1, 0, 1, 0, 1]),
        "action_mask": np.array([1, 0, 0, 0, 1]),
    }
    state = read(value)
    assert state.edge_index.tolist() == [[2, 0], [0, 1]]
    assert state.nodes["place"].tolist() == [0, 2, 4]
    assert state.nodes["legal_pick"].tolist() == [True, False, True]
    space = spaces.Dict({name: box(entry) for name, entry in value.items()})
    rules = ForeignEnvironment(ObservationReader(space, NODES).features, NODES, room=(5,))
    assert rules.env_actions(state, torch.tensor([2]))[0].tolist() == [4, 0, 4, 0]  # type: ignore[union-attr]
    with pytest.raises(GraphError, match="the action mask allows action 3 of graph 0, which is tied to no node"):
        read({**value, "action_mask": np.array([1, 0, 0, 1, 1])})


def test_edges_of_a_matrix_are_chosen_by_entry_or_by_place() -> None:
    actions = ActionSpec(per_edge("cut"))
    space = spaces.Dict(x=box(X), adj=box(MATRIX))
    for num_actions, numbers in ((16, [1, 9, 6]), (7, [0, 2, 1])):
        reader = ObservationReader(space, actions, num_actions=num_actions)
        rules = ForeignEnvironment(reader.features, actions, room=reader.room)
        state = rules.states([pack([reader.read({"x": X, "adj": MATRIX})])])
        told = [rules.env_actions(state, torch.tensor([action]))[0][0] for action in range(3)]  # type: ignore[index]
        assert told == numbers


def test_neighbours_in_a_matrix() -> None:
    actions = ActionSpec(per_graph("stay"), per_neighbour("go"))
    state = read({"x": X, "adj": MATRIX, "at": np.array([1])}, actions, mask=[True, False])
    assert state.graphs["at"].tolist() == [1]
    assert state.edges["legal_go"].tolist() == [False] * 3
    with pytest.raises(GraphError, match="name the actions tied to them last"):
        read({"x": X, "adj": MATRIX, "at": np.array([1])}, ActionSpec(per_neighbour("go"), per_graph("stay")))


PADDED = {"x": np.pad(X, ((0, 2), (0, 0))), "adj": np.pad(MATRIX, ((0, 2), (0, 2)))}


def test_padding_is_what_is_zero_without_links_and_illegal() -> None:
    assert read(PADDED, mask=[1, 1, 1, 1, 0, 0]).num_nodes == 4
    assert read(PADDED, mask=[1, 1, 1, 0, 0, 0]).num_nodes == 4  # its values say that it is one
    assert read(PADDED, mask=[1, 1, 1, 1, 1, 0]).num_nodes == 5  # its mask does
    assert read({**PADDED, "adj": PADDED["adj"] + np.eye(6, dtype=np.int8)}, mask=[1, 1, 1, 1, 0, 0]).num_nodes == 4
    linked = PADDED["adj"].copy()
    linked[5, 0] = 1
    assert read({**PADDED, "adj": linked}, mask=[1, 1, 1, 1, 0, 0]).num_nodes == 6
    assert read(PADDED, padded=True).num_nodes == 4
    assert read(PADDED, padded=False).num_nodes == 6
    with pytest.raises(GraphError, match="rows from 4 on of 'x' in graph 0 are zero and without links"):
        read(PADDED)


HALF = np.zeros((9, 1), np.float32)
HALF[:3] = 1
SYMMETRIC = MATRIX | MATRIX.T | np.array([[0, 0, 0, 1], [0] * 4, [0] * 4, [1, 0, 0, 0]], np.int8)


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        ({"obs": X}, {}, "not known as a graph with nodes or links; read as graphs are: a spaces.Graph"),
        ({"obs": X, "adj": MATRIX}, {}, "not known as a graph"),
        ({"x": X, "adj": MATRIX}, {"keys": {"node": "x"}}, "there is no role 'node'; roles are nodes, adjacency"),
        ({"x": X, "adj": MATRIX}, {"keys": {"nodes": "y"}}, "the observation has no entry 'y'; it has 'adj', 'x'"),
        ({"x": X, "adj": MATRIX, "adjacency": MATRIX}, {}, "'adjacency' and 'adj' both look like adjacency"),
        ({"x": X, "adj": MATRIX, "edge_index": PATH}, {}, "both 'adj' and 'edge_index' hold links; say which"),
        ({"x": X, "adj": MATRIX[:3, :3]}, {}, r"entry 'adj' has shape \(3, 3\), but there are 4 rows of nodes"),
        ({"x": X, "adj": MATRIX * 0.5}, {}, r"adj holds 0.5, which is neither 0 nor 1; .* keys=\{'edges': 'adj'\}"),
        ({"x": X, "adj": MATRIX}, {"undirected": True}, "adj is not symmetric, so its links are directed"),
        ({"x": X, "adj": MATRIX, "load": X[:, 0]}, {}, "entry 'load' has a row for each node or link; say what it is"),
        ({"x": X, "edge_index": PATH.T, "w": np.ones(3)}, {}, "entry 'w' has a row for each node or link"),
        ({"x": X, "edge_index": PATH.T, "edge_attr": X}, {}, "entry 'edge_attr' has 4 rows, .* room for 3 links"),
        ({"x": X, "edge_index": PATH.T + 2}, {}, r"'links' names nodes \[4, 3\], but the graph has 4 nodes"),
        ({"x": X, "edge_index": PATH.T + 0.5}, {}, "edge_index holds 2.5; the ends of links are whole numbers"),
        ({"x": X, "adj": MATRIX, "num_nodes": np.array([5])}, {}, r"entry 'num_nodes' is \[5\], .* room for 4"),
        ({"x": X * np.nan, "adj": MATRIX}, {}, r"column 'nodes.x' holds \[nan, nan\] in row 0"),
        ({"x": X, "adj": SYMMETRIC, "edge_features": HALF}, {}, "for half of the links .* say undirected=True"),
        (
            {"x": X, "adj": SYMMETRIC, "edge_features": HALF[:2]},
            {},
            "room for 2 links, graph 0 has 6; enlarge it, or",
        ),
        ({"x": X, "adj": MATRIX, "edge_features": HALF + 1}, {}, "has values in row 3 of graph 0, which has 3 links"),
        (
            {"x": X, "edge_index": np.concatenate([PATH[:2], PATH[:2, ::-1]])},
            {"undirected": True},
            "every link of graph 0 stands in both directions already; leave out undirected",
        ),
        ({"x": X, "adj": MATRIX}, {"mask": np.ones(3, bool)}, "the action mask has 3 entries, .* room for 4"),
    ],
)
def test_what_is_not_read_is_refused_by_name(value: dict, options: dict, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        read(value, **options)


def test_an_undirected_list_of_edge_values_has_one_row_a_link() -> None:
    state = read({"x": X, "adj": SYMMETRIC, "edge_features": HALF}, undirected=True)
    assert state.edges["x"].flatten().tolist() == [1.0] * 6
    assert "reverse" in state.edges


def test_two_links_are_read_as_gymnasium_has_them_unless_the_environment_showed_otherwise() -> None:
    space = spaces.Graph(spaces.Box(0, 1, (1,)), None)
    two, three = np.array([[0, 1], [1, 2]]), np.array([[0, 1, 2], [1, 2, 0]])

    def links(reader: ObservationReader, given: np.ndarray) -> list:
        return reader.read(spaces.GraphInstance(np.zeros((3, 1)), None, given))["links"].tolist()

    reader = ObservationReader(space, NODES)
    assert links(reader, three) == three.T.tolist()
    assert links(reader, two) == two.T.tolist()
    reader = ObservationReader(space, NODES)
    assert links(reader, two) == two.tolist()
    assert links(reader, three.T) == three.T.tolist()
    with pytest.raises(GraphError, match=r"edge_links is \[2, L\] now, and was read as \[L, 2\] before"):
        links(reader, three)
