"""Laws of `read_graph` and `write_graph`: round trips are exact, and files of others read as they mean."""

from __future__ import annotations

import json
import math
from pathlib import Path

import networkx as nx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphwright.adapters.files import read_graph, write_graph
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.networkx import to_networkx
from graphwright.core import GraphError, from_edges, simplify

from .named_graphs import (
    COLUMN_NAMES,
    PLAIN_DTYPES,
    assert_same_column,
    assert_same_named,
    column,
    named_graphs,
)

ZOO = Path(__file__).parents[1] / "instances" / "topology-zoo"
EXAMPLES = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters=","), min_size=1, max_size=4
)
PLAIN_NAMES = WORDS.filter(lambda name: not name.startswith(("#", "%")))
TEXT_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=5)
CSV_NAMES = TEXT_NAMES.filter(
    lambda name: name.isprintable() and name == name.strip() and not name.startswith(("#", "%"))
)
XML_NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cn", "Cc"]) | st.sampled_from("\t\n\r"), max_size=4
)
ANY_NAMES = st.text(max_size=4)
JSON_NAMES = [name for name in COLUMN_NAMES if name != "id"]


def ones(count: int) -> torch.Tensor:
    return torch.ones(count, dtype=torch.float64)


def round_trip(named: NamedGraph, path: Path) -> NamedGraph:
    write_graph(path, named)
    return read_graph(path)


# ---- round trips ----------------------------------------------------------------------------------------------------


@EXAMPLES
@given(named=named_graphs(names=ANY_NAMES.filter(lambda name: not name.endswith("\0")), weighted=True,
                          dtypes=[torch.bool, torch.uint8, torch.float16, torch.float32, torch.complex64]))  # fmt: skip
def test_npz_comes_back_exactly(named: NamedGraph, tmp_path: Path) -> None:
    assert_same_named(round_trip(named, tmp_path / "a.npz"), named)


@EXAMPLES
@given(named=named_graphs(names=ANY_NAMES, weighted=True, inf=False))
def test_json_comes_back_exactly(named: NamedGraph, tmp_path: Path) -> None:
    assert_same_named(round_trip(named, tmp_path / "a.json"), named)


@EXAMPLES
@given(named=named_graphs(names=XML_NAMES, weighted=True, shapes=[()]))
def test_graphml_comes_back_exactly(named: NamedGraph, tmp_path: Path) -> None:
    assert_same_named(round_trip(named, tmp_path / "a.graphml"), named)


@st.composite
def with_edge_weight(draw, names: st.SearchStrategy[str]) -> NamedGraph:
    """A graph as an edge list holds it: node weights of one and perhaps an edge weight."""
    named = draw(named_graphs(names=names, shapes=[(0,)]))
    named = NamedGraph(named.graph.keep().with_nodes(weight=ones(named.graph.num_nodes)), named.names)
    if named.graph.num_edges and draw(st.booleans()):
        links, _ = named.links()
        weight = draw(column(links.shape[1], draw(st.sampled_from([torch.int64, torch.float64]))))
        weight = torch.where(weight.isfinite(), weight, 0)
        pairs = [(one, other) for one, other in links.T.tolist()]
        edges, nodes = {"weight": weight}, {"weight": ones(named.graph.num_nodes)}
        return NamedGraph.from_links(named.names, pairs, directed=named.directed, nodes=nodes, edges=edges)
    return named


@EXAMPLES
@given(named=with_edge_weight(PLAIN_NAMES))
def test_txt_comes_back_exactly(named: NamedGraph, tmp_path: Path) -> None:
    assert_same_named(round_trip(named, tmp_path / "a.txt"), named)


@EXAMPLES
@given(named=with_edge_weight(CSV_NAMES))
def test_csv_comes_back_exactly(named: NamedGraph, tmp_path: Path) -> None:
    assert_same_named(round_trip(named, tmp_path / "a.csv"), named)


@EXAMPLES
@given(
    named=named_graphs(weighted=True, undirected=st.just(True), shapes=[()]),
    suffix=st.sampled_from(["col", "clq", "mis"]),
)
def test_dimacs_comes_back_exactly(named: NamedGraph, suffix: str, tmp_path: Path) -> None:
    named = NamedGraph.numbered(named.graph.keep(nodes=["weight"]), start=1)
    assert_same_named(round_trip(named, tmp_path / f"a.{suffix}"), named)


@pytest.mark.parametrize("suffix", ["txt", "csv", "graphml", "json", "npz", "col"])  # the others have columns to hold
def test_a_graph_without_weight_is_read_with_ones(suffix: str, tmp_path: Path) -> None:
    named = NamedGraph.numbered(from_edges(torch.tensor([[0], [2]]), torch.tensor([3]), undirected=True), start=1)
    expected = NamedGraph(named.graph.with_nodes(weight=ones(3)), named.names)
    assert_same_named(round_trip(named, tmp_path / f"a.{suffix}"), expected)


@EXAMPLES
@given(named=named_graphs(names=WORDS, shapes=[()], inf=False, dtypes=PLAIN_DTYPES))
def test_networkx_reads_the_json_we_write(named: NamedGraph, tmp_path: Path) -> None:
    write_graph(tmp_path / "a.json", named)
    document = json.loads((tmp_path / "a.json").read_text())
    theirs, ours = nx.node_link_graph(document, edges="edges"), to_networkx(named)
    assert type(theirs) is type(ours)

    def rows(items) -> list:
        return [[*ends, {k: v for k, v in row.items() if v is not None and v == v}] for *ends, row in items]

    assert rows(theirs.nodes(data=True)) == rows(ours.nodes(data=True))
    assert rows(theirs.edges(data=True)) == rows(ours.edges(data=True))


def test_json_refuses_the_column_key_only_where_it_means_something(tmp_path: Path) -> None:
    named = NamedGraph.from_links(
        "ab", [(0, 1)], directed=True, nodes={"weight": ones(2)}, edges={"key": torch.tensor([7])}
    )
    assert_same_named(round_trip(named, tmp_path / "a.json"), named)
    named = NamedGraph.from_links("ab", [(0, 1), (0, 1)], directed=True, edges={"key": torch.tensor([7, 8])})
    with pytest.raises(GraphError, match="edge column 'key'"):
        write_graph(tmp_path / "a.json", named)


# ---- what readers make of text --------------------------------------------------------------------------------------


def read_text(tmp_path: Path, suffix: str, text: str, **options: str) -> NamedGraph:
    path = tmp_path / f"a.{suffix}"
    path.write_text(text, encoding="utf-8")
    return read_graph(path, **options)


def links_of(named: NamedGraph) -> list[tuple[str, str]]:
    return sorted((named.names[one], named.names[other]) for one, other in named.links()[0].T.tolist())


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("txt", "# a comment\n\nb a 2\n  c\t b  0.5\nd\n"),
        ("txt", "source target weight\nb a 2\r\nc b 0.5\r\nd\r\n"),
        ("csv", "\ufeffFrom,To,metres\nb,a,2\nc, b ,0.5\nd,,\n"),
        ("csv", 'b,a,2\n"c","b",0.5\nd\n'),
    ],
)
def test_edge_lists(suffix: str, text: str, tmp_path: Path) -> None:
    named = read_text(tmp_path, suffix, text)
    named.graph.validate()
    assert named.names == ("b", "a", "c", "d")
    assert not named.directed
    assert links_of(named) == [("b", "a"), ("b", "c")]
    assert named.links()[1]["weight"].tolist() == [2, 0.5]
    assert_same_column(named.graph.nodes["weight"], ones(4))


def test_edge_lists_keep_whole_weights_whole_and_know_snaps_direction(tmp_path: Path) -> None:
    named = read_text(
        tmp_path, "txt", "# Directed graph (each unordered pair is saved once): x.txt\n2 1 3\n1 1 4\n2 1 5\n"
    )
    assert named.directed
    assert named.graph.edge_index.tolist() == [[0, 0, 1], [1, 1, 1]]
    assert_same_column(named.graph.edges["weight"], torch.tensor([3, 5, 4]))


def test_dimacs(tmp_path: Path) -> None:
    named = read_text(tmp_path, "col", "c a graph\np edge 4 3\nn 2 2.5\ne 1 2\ne 3 3\ne 1 2\n")
    assert named.names == ("1", "2", "3", "4")
    assert links_of(named) == [("1", "2"), ("1", "2"), ("3", "3")]
    assert named.graph.nodes["weight"].tolist() == [1, 2.5, 1, 1]


GRAPHML = """<?xml version="1.0"?>
<!DOCTYPE graphml>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
 <key id="w" for="node" attr.name="weight" attr.type="int"><default>3</default></key>
 <key id="n" for="node" attr.name="label" attr.type="string"/>
 <key id="d" for="node" yfiles.type="nodegraphics"/>
 <key id="c" for="edge" attr.name="cost" attr.type="double"/>
 <key id="o" for="edge" attr.name="open" attr.type="boolean"/>
 <graph edgedefault="undirected">
  <node id="a"><data key="w">5</data><data key="n">A &amp; B</data><data key="d"><y:ShapeNode/></data></node>
  <edge source="a" target="b"><data key="c">1e3</data><data key="o">True</data></edge>
  <node id="g">
   <graph edgedefault="undirected"><node id="b"/><edge source="b" target="b"><data key="o">0</data></edge></graph>
  </node>
  <edge source="b" target="a" id="e"><data key="o">false</data><data key="c"> </data></edge>
 </graph>
</graphml>"""


def test_graphml(tmp_path: Path) -> None:
    named = read_text(tmp_path, "graphml", GRAPHML)
    named.graph.validate()
    assert named.names == ("a", "g", "b")
    assert links_of(named) == [("a", "b"), ("a", "b"), ("b", "b")]
    assert_same_column(named.graph.nodes["weight"], torch.tensor([5.0, 3, 3], dtype=torch.float64))
    _, columns = named.links()
    assert_same_column(columns["cost"], torch.tensor([1e3, math.nan, math.nan], dtype=torch.float64))
    assert_same_column(columns["open"], torch.tensor([True, False, False]))
    assert named.graph.nodes.keys() == {"weight"}


@pytest.mark.parametrize("edges", ["edges", "links"])
def test_json(edges: str, tmp_path: Path) -> None:
    document = {
        "directed": True,
        "graph": {"year": 2011, "by": "x"},
        "nodes": [{"id": [0, 1], "lat": None}, {"id": 5, "lat": 2, "at": [None, 1]}, {"id": "z", "at": [0, 1]}],
        edges: [{"source": 5, "target": [0, 1], "key": 0}, {"source": 5, "target": [0, 1], "key": 1}],
    }
    named = read_text(tmp_path, "json", json.dumps(document))
    assert named.directed
    assert named.names == ("(0, 1)", "5", "z")
    assert links_of(named) == [("5", "(0, 1)")] * 2
    assert not named.graph.edges
    assert_same_column(named.graph.nodes["lat"], torch.tensor([math.nan, 2, math.nan], dtype=torch.float64))
    assert named.graph.nodes["at"].shape == (3, 2)
    assert named.graph.graphs["year"].tolist() == [2011]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["New\n York", "Paris"], ("New York", "Paris")),
        (["Paris", "Paris "], ("a", "b")),
        (["Paris", ""], ("a", "b")),
        (["Paris", None], ("a", "b")),
    ],
)
def test_graphml_names_nodes_by_their_labels_where_these_tell_them_apart(
    labels: list[str | None], names: tuple[str, str], tmp_path: Path
) -> None:
    nodes = [
        f'<node id="{name}">' + (f'<data key="l">{label}</data>' if label is not None else "") + "</node>"
        for name, label in zip("ab", labels, strict=True)
    ]
    text = '<graphml><key id="l" for="node" attr.name="label" attr.type="string"/><graph>{}</graph></graphml>'
    named = read_text(tmp_path, "graphml", text.format("".join(nodes) + '<edge source="a" target="b"/>'))
    assert named.names == names
    assert links_of(named) == [names]
    assert_same_named(round_trip(named, tmp_path / "b.graphml"), named)


def test_booleans_of_nodes_become_bool_columns_and_gaps_nan(tmp_path: Path) -> None:
    text = """<graphml><key id="t" for="node" attr.name="terminal" attr.type="boolean"/>
    <key id="s" for="node" attr.name="start" attr.type="boolean"><default>false</default></key>
    <graph><node id="a"><data key="t">true</data><data key="s">true</data></node>
    <node id="b"><data key="t">false</data></node></graph></graphml>"""
    nodes = read_text(tmp_path, "graphml", text).graph.nodes
    assert_same_column(nodes["terminal"], torch.tensor([True, False]))
    assert_same_column(nodes["start"], torch.tensor([True, False]))
    text = '{"nodes": [{"id": 0, "terminal": true, "start": true}, {"id": 1, "terminal": false}], "edges": []}'
    nodes = read_text(tmp_path, "json", text).graph.nodes
    assert_same_column(nodes["terminal"], torch.tensor([True, False]))
    assert_same_column(nodes["start"], torch.tensor([1, math.nan], dtype=torch.float64))


def test_another_attribute_can_be_the_weight(tmp_path: Path) -> None:
    text = '{"nodes": [{"id": 0, "weight": 1, "cost": 0.1}, {"id": 1, "weight": 1, "cost": 7}], "edges": []}'
    nodes = read_text(tmp_path, "json", text, weight="cost").graph.nodes
    assert_same_column(nodes["weight"], torch.tensor([0.1, 7], dtype=torch.float64))
    assert_same_column(nodes["cost"], torch.tensor([0.1, 7], dtype=torch.float64))


# ---- real files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(ZOO.glob("*.graphml")), ids=lambda path: path.stem)
def test_the_topology_zoo_reads_as_networkx_reads_it(path: Path, tmp_path: Path) -> None:
    named, theirs = read_graph(path), nx.read_graphml(path, force_multigraph=True)
    named.graph.validate()
    labels = tuple(" ".join(theirs.nodes[node]["label"].split()) for node in theirs)
    assert named.names == (labels if len(set(labels)) == len(labels) else tuple(theirs))
    place = {node: index for index, node in enumerate(theirs)}
    ends = sorted(tuple(sorted((place[one], place[other]))) for one, other in theirs.edges())
    assert sorted(tuple(sorted(pair)) for pair in named.links()[0].T.tolist()) == ends
    for name in ("Latitude", "Longitude"):
        expected = [theirs.nodes[node].get(name, math.nan) for node in theirs]
        assert_same_column(named.graph.nodes[name], torch.tensor(expected, dtype=torch.float64))
    assert_same_column(named.graph.nodes["weight"], ones(len(theirs)))
    for suffix in ("graphml", "npz"):
        assert_same_named(round_trip(named, tmp_path / f"a.{suffix}"), named)


def test_the_topology_zoo_holds_what_its_readme_says() -> None:
    assert len(list(ZOO.glob("*.graphml"))) == 22
    cogentco, interoute, dial = (
        read_graph(ZOO / f"{name}.graphml") for name in ("Cogentco", "Interoute", "DialtelecomCz")
    )
    assert cogentco.graph.num_nodes == 197
    assert cogentco.links()[0].shape[1] == 245
    assert simplify(cogentco.graph).num_edges == 2 * 243
    assert int(cogentco.graph.nodes["Latitude"].isnan().sum()) == 11
    assert sum(one == other for one, other in links_of(interoute)) == 2
    assert nx.number_connected_components(to_networkx(dial)) == 56
