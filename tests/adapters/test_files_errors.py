"""What `write_graph` refuses and `read_graph` says of bad files: one line with place, fault and remedy."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from graphwright.adapters.files import read_graph, write_graph
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError, from_edges

ZOO = Path(__file__).parents[1] / "instances" / "topology-zoo"

# ---- what a format cannot hold --------------------------------------------------------------------------------------

PAIR = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True)
ARROW = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False)
ONE, TWO = torch.ones(2), torch.ones(2, 2)


@pytest.mark.parametrize(
    ("suffix", "named", "message"),
    [
        ("txt", NamedGraph.numbered(PAIR.with_nodes(x=ONE)), r"node column 'x'; write .json, .graphml or .npz"),
        ("csv", NamedGraph.numbered(PAIR.with_edges(x=ONE)), r"edge column 'x'; write .json, .graphml or .npz"),
        ("col", NamedGraph.numbered(PAIR.with_edges(x=ONE), 1), r"edge column 'x'; write .json, .graphml or .npz"),
        ("txt", NamedGraph.numbered(PAIR.with_graphs(x=ONE[:1])), r"graph column 'x'; write"),
        (
            "csv",
            NamedGraph.numbered(PAIR.with_nodes(weight=2 * ONE.double())),
            r"node column 'weight' unless it is 1 throughout",
        ),
        ("txt", NamedGraph.numbered(PAIR.with_edges(weight=ONE)), r"edge column 'weight' of torch.float32"),
        (
            "txt",
            NamedGraph.numbered(PAIR.with_edges(weight=-ONE.double() / 0)),
            r"'weight' with values that are not finite",
        ),
        ("csv", NamedGraph.numbered(PAIR.with_edges(weight=TWO.double())), r"edge column 'weight' of .* \[1, 2\]"),
        ("txt", NamedGraph(PAIR, ("a b", "c")), r"the node name 'a b'; write .csv"),
        ("csv", NamedGraph(PAIR, ("a\nb", "c")), r"the node name 'a\\nb'; write .json"),
        ("csv", NamedGraph(PAIR, ("\ud800", "c")), r"the node name '\\ud800'; write .json"),
        ("col", NamedGraph.numbered(ARROW, 1), r"a directed graph; write .txt"),
        ("clq", NamedGraph.numbered(PAIR), r"node names but 1 to N"),
        (
            "graphml",
            NamedGraph.numbered(PAIR.with_nodes(x=TWO)),
            r"node column 'x' of shape \[2, 2\].*; write .json or .npz",
        ),
        ("graphml", NamedGraph(PAIR, ("\0", "c")), r"the node name '\\x00'.*; write .json or .npz"),
        ("graphml", NamedGraph.numbered(PAIR.with_nodes(x=ONE.cfloat())), r"'x' is complex64.*; write .npz"),
        ("json", NamedGraph.numbered(PAIR.with_nodes(id=ONE)), r"node column 'id', a name it uses itself; write .npz"),
        ("json", NamedGraph.numbered(PAIR.with_edges(source=ONE)), r"edge column 'source', a name it uses itself"),
        ("json", NamedGraph.numbered(PAIR.with_nodes(x=ONE / 0)), r"node column 'x' with infinity in it; write .npz"),
        (
            "npz",
            NamedGraph.numbered(PAIR.with_nodes(x=ONE.bfloat16())),
            r"node column 'x' of type torch.bfloat16; write .json",
        ),
        ("npz", NamedGraph(PAIR, ("a\0", "c")), r"the node name 'a\\x00'.*; rename it"),
        (
            "npz",
            NamedGraph.numbered(PAIR.with_nodes(weight=ONE)),
            r"'weight' is torch.float32.*; convert or rename it",
        ),
        (
            "json",
            NamedGraph.numbered(PAIR.with_nodes(weight=ONE.double() / 0)),
            r"node '0' has weight inf; a weight is",
        ),
        (
            "npz",
            NamedGraph.numbered(PAIR.with_nodes(**{"a\0": ONE})),
            r"node column 'a\\x00' has no printable name; rename it",
        ),
        (
            "npz",
            NamedGraph.numbered(PAIR.with_nodes(**{"a.npy": ONE})),
            r"column name 'a.npy'.*; write .json, or rename it",
        ),
        ("xls", NamedGraph.numbered(PAIR), r"unknown suffix '.xls'; use one of .txt .tsv"),
    ],
)
def test_writers_refuse_what_would_be_lost(suffix: str, named: NamedGraph, message: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_text("old")
    with pytest.raises(GraphError, match=message) as caught:
        write_graph(path, named)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [path.name]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a b\n")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(GraphError, match=r"a.txt: cannot be written \(No space left on device\)"):
        write_graph(path, NamedGraph.numbered(PAIR))
    assert path.read_text() == "a b\n"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_writing_into_no_folder_is_a_graph_error(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="cannot be written"):
        write_graph(tmp_path / "none" / "a.txt", NamedGraph.numbered(PAIR))


# ---- bad files ------------------------------------------------------------------------------------------------------

GRAPH = """<graphml>
<key id="w" for="node" attr.name="weight" attr.type="double"/>
<graph edgedefault="undirected">
{}</graph></graphml>"""
BOMB = '<!DOCTYPE g [\n<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 100}">' for i in range(12)
) + "]>\n<graphml><graph><node id='&m;'/></graph></graphml>"  # fmt: skip
LOOP = '<edge source="a" target="a" directed="true"/>'

STP = """33D32945 STP File, STP Format Version 1.0
SECTION Graph\nNodes 3\nEdges 2\nE 1 2 4\nE 2 3 1\nEND
SECTION Terminals\nTerminals 2\nT 1\nT 2\nEND
"""
TSP = "TYPE : TSP\nDIMENSION : 2\nEDGE_WEIGHT_TYPE : EUC_2D\nNODE_COORD_SECTION\n1 0 0\n2 3 4\n"
TABLE = TSP.split("EDGE")[0] + ("EDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_FORMAT : {}\nEDGE_WEIGHT_SECTION\n")

BAD = [
    # suffix, content, line, message
    ("txt", "a b nan\nb c 1\n", 1, "'nan' is not a finite number"),
    ("csv", "a,b,-inf\nb,c,1\n", 1, "'-inf' is not a finite number"),
    ("txt", "a -> b\nb -> c\n", 1, "'->' stands where a name is expected"),
    ("txt", "0 1 0\n1 0 1\n0 1 0\n", None, "may be a matrix of 3 nodes"),
    ("csv", "0,1,0,0\n1,0,1,0\n0,1,0,1\n0,0,1,0\n", None, "may be a matrix of 4 nodes"),
    ("txt", "a b {'w': 1}\nc {'w': 1}\n", 2, "one name with attributes of a link; write two names"),
    ("txt", "a b\nb c d e\n", 2, "some links have 2 cells and this one 4"),
    ("txt", "a b 1\nb c x\n", 2, "'x' is not a finite number"),
    ("txt", "a b 1_0\n", 1, "'1_0' is not a finite number"),
    ("txt", "a b nan\n", 1, "'nan' is not a finite number"),
    ("txt", "a b 1e999\n", 1, "'1e999' is not a finite number"),
    ("txt", "a b 1\n\nb c\n", 3, "some links have a weight"),
    ("txt", "a b\nb c 1\n", 2, "some links have a weight"),
    ("txt", "a b 1\nb c 9223372036854775808\n", None, "no column holds 9223372036854775808"),
    ("csv", "a,b\n,c\n", 2, "a name is missing"),
    ("csv", 'a,b\n"c,d\n', 2, "malformed quotes"),
    ("csv", b"a,b\nb,\xff\n", 2, "byte 0xff is not UTF-8"),
    ("csv", b" \n", None, "is empty"),
    ("col", "c nothing\n", None, "has no line 'p edge N M'"),
    ("col", "e 1 2\np edge 2 1\n", 1, "comes before the line 'p edge N M'"),
    ("col", "p edge 2 1\ne 1 3\n", 2, "node 3 does not exist; line 1 says they are 1 to 2"),
    ("col", "p edge 2 1\ne 0 1\n", 2, "node 0 does not exist"),
    ("col", "p edge 2 3\ne 1 2\n", 1, "says 3 edges, but the file has 1"),
    ("col", "p edge 2 0\ne 1 2\n", 1, "says 0 edges, but the file has 1"),
    ("col", "p edge 2 0\np edge 2 0\n", 2, "a second 'p' line, after line 1"),
    ("col", "p edge two 0\n", 1, "'two' is not a whole number"),
    ("col", "p edge 99999999999 0\n", 1, "too many"),
    ("col", "p edge 2 1\ne 1\n", 2, "'e 1' is not a line of a DIMACS graph"),
    ("col", "p edge 2 0\nn 1 inf\n", 2, "'inf' is not a finite number"),
    ("col", "p edge 2 0\nn 1 2\nn 1 2\n", 3, "a second weight for node 1"),
    ("mis", "p edge 2 0\nn 1 9007199254740993\n", 2, "more digits than float64 holds"),
    ("mc", "2 1 1\n", 1, "'2 1 1' is not a line of a rudy file; write the first, 'N M'"),
    ("mc", "2 1\n1 2\n", 2, "write an edge, 'node node weight'"),
    ("mc", "2 1\n1 3 1\n", 2, "node 3 does not exist; line 1 says they are 1 to 2"),
    ("mc", "2 1\n\n1 2 inf\n", 3, "'inf' is not a finite number"),
    ("rud", "2 1\n1 2 9007199254740993\n", 2, "'9007199254740993' has more digits than float64 holds"),
    ("rud", "2 2\n1 2 1\n", 1, "says 2 edges, but the file has 1"),
    ("rud", "99999999 0\n", 1, "too many"),
    ("stp", "SECTION Graph\n", 1, "does not begin as a SteinLib file; write '33D32945"),
    ("stp", STP, None, "has no EOF at its end"),
    ("stp", STP + "EOF\nEOF", 14, "comes after EOF"),
    ("stp", STP + "SECTION Presolve", 13, "SECTION presolve cannot be read; these can: comment"),
    ("stp", STP + "SECTION Graph", 13, "a second SECTION graph"),
    ("stp", STP + "E 1 2 3", 13, "'E 1 2 3' cannot be read outside a SECTION"),
    ("stp", STP.replace("T 1", "TP 1 5"), 10, "'TP 1 5' cannot be read in SECTION terminals"),
    ("stp", STP.replace("T 1", "T 2"), 11, "node 2 once more in SECTION terminals"),
    ("stp", STP.replace("T 1", "T 4"), 10, "node 4 does not exist; line 3 says they are 1 to 3"),
    ("stp", STP.replace("E 2 3", "A 2 3"), 6, "arcs have a direction"),
    ("stp", STP.replace("E 1 2 4", "E 1 2 -4"), 5, "length '-4' is negative"),
    ("stp", STP.replace("E 1 2 4", "Edges 2"), 5, "the number of edges once more, after line 4"),
    ("stp", STP.replace("Nodes 3\n", ""), 4, "comes before the line 'Nodes N'"),
    ("stp", STP.replace("Edges 2", "Edges 3") + "EOF", 4, "says 3 edges, but the file has 2"),
    ("stp", STP.replace("Terminals 2\n", "") + "EOF", None, "does not say how many terminals there are; add"),
    ("stp", STP + "SECTION Coordinates\nDDD 1 2 3 4\n", 14, "'DDD 1 2 3 4' cannot be read in SECTION coordinates"),
    ("tsp", TSP.replace("TSP", "ATSP"), 1, "ATSP, where distances differ by direction"),
    ("tsp", TSP.replace("EUC_2D", "XRAY1"), 3, "'XRAY1' cannot be read; EUC_2D or CEIL_2D or ATT or GEO or EXPLICIT"),
    ("tsp", TSP.replace("EUC_2D", "EXPLICIT"), None, "has no line 'EDGE_WEIGHT_FORMAT : ...'; add it"),
    ("tsp", TABLE.format("FULL_MATRIX") + "0 1\n2 0\n", None, "nodes 1 and 2 are not as far apart one way as"),
    ("tsp", TABLE.format("FULL_MATRIX") + "0 1\n2\n", None, "has 3 distances, which fill no FULL_MATRIX"),
    ("tsp", TABLE.format("UPPER_ROW") + "1 2 3\n", 2, "says 2 nodes, but the file has 3"),
    ("tsp", TABLE.format("LOWER_DIAG_ROW") + "0 x 0\n", 6, "'x' is not a finite number"),
    ("tsp", TABLE.format("FUNCTION") + "1\n", 4, "FUNCTION gives no distances; name a table: FULL_MATRIX"),
    ("tsp", TABLE.format("UPPER_ROW").split("EDGE_WEIGHT_S")[0] + "NODE_COORD_SECTION\n", None, "has no EDGE_WEIGHT_S"),
    ("tsp", TSP + "EDGE_WEIGHT_SECTION\n1\n", None, "has a EDGE_WEIGHT_SECTION, which EUC_2D distances have not"),
    ("tsp", "CAPACITY : 3\n" + TSP, 1, "'CAPACITY' cannot be read; these can: NAME, TYPE"),
    ("tsp", "DIMENSION : 2\n" + TSP, 3, "DIMENSION once more, after line 1"),
    ("tsp", TSP.replace("TYPE : TSP\n", "NAME : x\n", 1), None, "has no line 'TYPE : ...'; add it"),
    ("tsp", TSP.replace("DIMENSION : 2\n", ""), None, "has no line 'DIMENSION : ...'; add it"),
    ("tsp", TSP + "FIXED_EDGES_SECTION\n1 2\n-1\n", 7, "'FIXED_EDGES_SECTION' cannot be read"),
    ("tsp", TSP.split("NODE")[0], None, "has no NODE_COORD_SECTION; add it"),
    ("tsp", TSP + "3 1\n", 7, "'3 1' is no node of NODE_COORD_SECTION; write 'node x y'"),
    ("tsp", TSP + "3 1 1\n", 2, "says 2 nodes, but the file has 3"),
    ("tsp", TSP + "2 1 1\n", 7, "a second node 2"),
    ("tsp", TSP + "1.5 1 1\n", 7, "'1.5' is not a whole number"),
    ("tsp", TSP + "3 1 x\n", 7, "'x' is not a finite number"),
    ("tsp", TSP + "EOF\n3 1 1\n", 8, "comes after EOF"),
    ("graphml", "<graphml>\n<graph>", 2, "malformed XML (no element found)"),
    ("graphml", "<graphml>\n<graph>&x;</graph></graphml>", 2, "malformed XML (undefined entity)"),
    ("graphml", "\n<html/>", 2, "<html> with 0 graphs"),
    ("graphml", "<graphml><graph/><graph/></graphml>", 1, "<graphml> with 2 graphs"),
    ("graphml", GRAPH.format("<node/>"), 4, "<node> has no 'id'"),
    ("graphml", GRAPH.format('<node id="a"/>\n<node id="a"/>'), 5, "a second node 'a'"),
    ("graphml", GRAPH.format('<node id="a"/>\n\n<edge source="a" target="b"/>'), 6, "target 'b' is no node"),
    ("graphml", GRAPH.format('<edge source="a"/>'), 4, "source 'a' is no node"),
    ("graphml", GRAPH.format('<node id="a">\n<data key="w">heavy</data></node>'), 5, "'heavy' is not of type double"),
    ("graphml", GRAPH.format('<node id="a">\n<data key="v">1</data></node>'), 5, "data of key 'v', which no <key>"),
    ("graphml", GRAPH.format('<node id="a"><data key="w">nan</data></node>'), None, "node 'a' has weight nan"),
    ("graphml", GRAPH.format('<node id="a"><data key="w">INF</data></node>'), None, "node 'a' has weight inf"),
    ("graphml", GRAPH.format('<node id="a"/><edge source="a" target="a"/>\n' + LOOP), 5, "directed and undirected"),
    ("graphml", GRAPH.replace("undirected", "sideways"), 3, "an unknown direction"),
    ("graphml", GRAPH.format("<hyperedge/>"), 4, "a hyperedge"),
    ("graphml", b"<graphml>\n\n\xe9", 3, "byte 0xe9 is not UTF-8"),
    ("graphml", BOMB, 2, "an XML entity is declared"),
    ("json", '{"nodes": [],\n "edges": [', 2, "not JSON"),
    ("json", "[" * 100_000, None, "lists inside lists without end"),
    ("json", '{"nodes": [{"id": ' + "1" * 5000 + "}]}", None, "thousands of digits"),
    ("json", '{"edges": [], "nodes": [{"id": ' + "[" * 900 + "]" * 900 + "}]}", None, "lists inside lists"),
    ("json", "[]", None, "not an object {}"),
    ("json", '{"nodes": []}', None, "'edges' is not a list of objects"),
    ("json", '{"nodes": [1], "edges": []}', None, "'nodes' is not a list of objects"),
    ("json", '{"nodes": [], "edges": [], "links": []}', None, "both 'edges' and 'links'"),
    ("json", '{"nodes": [], "edges": [], "directed": 1}', None, "must be true or false"),
    ("json", '{"nodes": [{"name": 1}], "edges": []}', None, "node 0: no 'id'"),
    ("json", '{"nodes": [{"id": 1}, {"id": 1}], "edges": []}', None, "node 1: a second node 1"),
    ("json", '{"nodes": [{"id": 1}], "edges": [{"source": 1, "target": 2}]}', None, "edge 0: its target '2'"),
    ("json", '{"nodes": [{"id": 1, "weight": "heavy"}], "edges": []}', None, "'weight' is not a number on every node"),
    ("json", '{"nodes": [{"id": 1, "weight": NaN}], "edges": []}', None, "node '1' has weight nan"),
    ("json", '{"nodes": [{"id": 1, "weight": 2}, {"id": 2}], "edges": []}', None, "node '2' has weight nan"),
    ("json", '{"nodes": [{"id": 1, "weight": [2]}], "edges": []}', None, "'weight' has shape [1, 1]"),
    ("json", '{"nodes": [{"id": 1}], "edges": [{"source": 1, "target": 1, "reverse": 0}]}', None, "'reverse'"),
    ("json", '{"nodes": [], "edges": [], "graph": {"graphwright": "{}"}}', None, "the note on column types"),
    ("npz", b"PK\x03\x04 cut off", None, "not a readable NumPy archive"),
    ("npz", b"\x80\x04K\x01.", None, "not a readable NumPy archive"),
    ("doc", "graph []", None, "unknown suffix '.doc'; use one of .txt .tsv"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "content", "line", "message"), BAD)
def test_bad_files_are_named_with_the_line(
    suffix: str, content: str | bytes, line: int | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / f"bad file.{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(GraphError) as caught:
        read_graph(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: " if line is None else f"{path}: line {line}: "), said
    assert message in said
    assert "; " in said, "a remedy follows the complaint"
    assert "\n" not in said
    assert len(said) < len(str(path)) + 300


def test_missing_files_and_weights(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"none.txt: cannot be read \(No such file or directory\); check the path"):
        read_graph(tmp_path / "none.txt")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(GraphError, match="is a folder, a pipe or a device"):
        read_graph(tmp_path / "folder.txt")
    (tmp_path / "a.txt").write_text("a b\n")
    with pytest.raises(GraphError, match="no node attribute 'cost' that is numbers; those that are: none"):
        read_graph(tmp_path / "a.txt", weight="cost")
    with pytest.raises(GraphError, match="no node attribute 'label' that is numbers"):
        read_graph(ZOO / "Abilene.graphml", weight="label")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"names": np.array([1, None], dtype=object)}, "not a readable NumPy archive .*allow_pickle"),
        ({"names": np.array([1, 2])}, "array 'names' must be there, text"),
        ({"names": np.array(["a", "a"])}, "two nodes are named 'a'"),
        ({"edge_index": np.array([0.5])}, "array 'edge_index' must be there, integers"),
        ({"edge_index": np.array([[0], [2]])}, "edge_index names node 2"),
        ({"edge_index": np.array([[0, 1], [1, 0]])}, "edge_index is not sorted by destination at edge 1"),
        ({"edge_index": np.array([[0, 1, 2]])}, r"edge_index has shape \(1, 3\)"),
        ({"nodes/x": np.zeros(3)}, r"node column 'x' has shape \(3,\)"),
        ({"nodes/x": np.array(["a", "b"])}, "array 'nodes/x' is of type <U1"),
        ({"x": np.zeros(3)}, "array 'x' is not part of a graph"),
        ({"edges/reverse": np.array([0.0])}, "'edges/reverse' must be int64"),
        ({"edges/reverse": np.array([0])}, "'reverse' of graph 0 does not name the opposite of edge 0"),
    ],
)
def test_bad_archives_are_named_with_the_array(arrays: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    good = {"names": np.array(["a", "b"]), "edge_index": np.array([[1], [0]])}
    np.savez(tmp_path / "a.npz", **{**good, **arrays})
    with pytest.raises(GraphError, match=message):
        read_graph(tmp_path / "a.npz")


def test_three_links_with_a_weight_are_no_matrix(tmp_path: Path) -> None:
    path = tmp_path / "links.txt"
    path.write_text("1 2 5\n2 3 6\n3 1 7\n")
    assert read_graph(path).graph.num_edges == 6
    path.write_text("0 1 0\n1 0 1\n0 1 0\n")
    assert read_graph(path, header="no").graph.num_nodes == 2
