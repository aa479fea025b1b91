"""Formats of others read as they mean, and files that are made to take memory are refused before they do."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from graphwright.adapters.files import metis, read_graph
from graphwright.core import GraphError
from strategies import assert_same_batch

LINKS = [("a", "b", 2.0), ("b", "c", 3.5), ("c", "a", 1.0)]


def graph(kind=nx.Graph) -> nx.Graph:
    made = kind()
    made.add_weighted_edges_from(LINKS)
    made.add_node("d")
    return made


def written(write, made) -> bytes:
    file = io.BytesIO()
    write(made, file)
    return file.getvalue()


def matrix(kind: str, symmetry: str) -> bytes:
    rows = {"general": ("1 2", "2 3", "3 1"), "symmetric": ("2 1", "3 2", "3 1")}[symmetry]
    values = [f" {weight}" if kind == "real" else "" for _, _, weight in LINKS]
    lines = [f"%%MatrixMarket matrix coordinate {kind} {symmetry}", "% comment", "4 4 3"]
    return "\n".join([*lines, *(row + value for row, value in zip(rows, values, strict=True)), ""]).encode()


GML = b"""Creator "someone"
graph
[
  directed 0
  node [ id 0 label "Z\xc3\xbcrich" ]
  node [ id 1 label "b" ]
  edge [ source 0 target 1 value 4 ]
  edge [ source 0 target 1 value 5 ]
]
"""
PAJEK = b"""% comment
*Network x
*Vertices 4
1 "a" 0.1 0.2 0.5
2 "b" 0.3 0.4
3 c
*Edges
1 2 2
2 3 3.5
3 1
"""
METIS = b"% comment\n4 3 1\n2 2 3 1\n1 2 3 3.5\n1 1 2 3.5\n\n"
MADE = {
    "a.gml": written(nx.write_gml, graph()),
    "a.gexf": written(nx.write_gexf, graph()),
    "a.graphml": written(nx.write_graphml, graph()),
    "a.net": PAJEK.replace(b"*Vertices 4", b"*Vertices 4"),
    "a.graph": METIS,
    "a.mtx": matrix("real", "symmetric"),
    "a.edgelist": written(nx.write_weighted_edgelist, graph()) + b"d\n",
    "b.edgelist": written(nx.write_edgelist, nx.Graph(graph().edges(data=True))),
    "a.json": json.dumps(nx.node_link_data(graph(), edges="links")).encode(),
}


def weights(named) -> dict[frozenset[int], float]:
    links, columns = named.links()
    values = columns["weight"].tolist() if "weight" in columns else [1.0] * links.shape[1]
    return {frozenset(pair): value for pair, value in zip(links.T.tolist(), values, strict=True)}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", MADE)
def test_one_graph_in_many_formats(name: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(MADE[name]) if packed else MADE[name])
    named = read_graph(path)
    named.graph.validate()
    assert not named.directed
    place = {"a": 0, "b": 1, "c": 2}
    expected = {frozenset((place[one], place[other])): weight for one, other, weight in LINKS}
    assert weights(named) == expected
    assert named.graph.num_nodes == (3 if name == "b.edgelist" else 4)
    assert named.reading.links == 3
    if name not in ("a.graph", "a.mtx", "a.net"):
        assert named.names[:3] == ("a", "b", "c")


def test_directions_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "a.mtx").write_bytes(matrix("pattern", "general"))
    named = read_graph(tmp_path / "a.mtx")
    assert named.directed
    assert named.links()[0].T.tolist() == [[2, 0], [0, 1], [1, 2]]
    assert "weight" not in named.graph.edges
    (tmp_path / "a.gexf").write_bytes(written(nx.write_gexf, graph(nx.DiGraph)))
    assert read_graph(tmp_path / "a.gexf").directed
    (tmp_path / "a.net").write_bytes(PAJEK.replace(b"*Edges", b"*Arcs"))
    assert read_graph(tmp_path / "a.net").directed


def test_gml_as_people_write_it(tmp_path: Path) -> None:
    (tmp_path / "a.gml").write_bytes(GML)
    named = read_graph(tmp_path / "a.gml")
    assert named.names == ("Zürich", "b")
    assert sorted(named.links()[1]["value"].tolist()) == [4, 5]
    assert named.reading.parallel == 1
    (tmp_path / "b.gml").write_bytes(GML.replace(b"source 0 target 1 value 5", b"source 1 target 0 value 4"))
    assert read_graph(tmp_path / "b.gml").reading.both_ways


@pytest.mark.parametrize(("suffix", "write"), [("g6", nx.to_graph6_bytes), ("s6", nx.to_sparse6_bytes)])
def test_graph6_and_sparse6(suffix: str, write, tmp_path: Path) -> None:
    theirs = nx.petersen_graph()
    (tmp_path / f"a.{suffix}").write_bytes(write(theirs))
    named = read_graph(tmp_path / f"a.{suffix}")
    assert weights(named).keys() == {frozenset(pair) for pair in theirs.edges()}


def test_adjacency_lists(tmp_path: Path) -> None:
    nx.write_adjlist(graph(), tmp_path / "a.adjlist")
    named = read_graph(tmp_path / "a.adjlist")
    assert named.names == ("a", "b", "c", "d")
    assert len(weights(named)) == named.reading.links == 3
    (tmp_path / "b.adjlist").write_text("a b c\nb a c\nc a b\n")
    assert read_graph(tmp_path / "b.adjlist").reading.both_ways


def npz(name: str, size: int, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive whose array `name` holds `size` zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind, compresslevel=1) as archive:
        for key, array in (
            ("names", np.array(["a"])),
            ("edge_index", np.zeros((2, 0), np.int64)),
            (name, np.zeros(size)),
        ):
            inner = io.BytesIO()
            np.lib.format.write_array(inner, array)
            archive.writestr(f"{key}.npy", inner.getvalue())
    return file.getvalue()


def npz_header(shape: str) -> bytes:
    """An archive with an array whose header alone says that it is large."""
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    array = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("names.npy", array)
    return file.getvalue()


NODES = b'{"nodes":[' + b",".join(b'{"id":%d,"a%d":1}' % (i, i) for i in range(4000)) + b'],"edges":[]}'
KEYS = (
    b"<graphml>"
    + b"".join(b'<key id="k%d" attr.type="int" for="node"><default>1</default></key>' % i for i in range(2000))
    + b"<graph>"
    + b"".join(b'<node id="%d"/>' % i for i in range(2000))
    + b"</graph></graphml>"
)
LISTS = b'{"nodes":[' + b",".join([b'{"id":0,"a":[' + b",".join([b"1"] * 5000) + b"]}"] + [b'{"id":%d}' % i for i in range(1, 5000)]) + b'],"edges":[]}'  # fmt: skip # noqa: E501
HOSTILE = {
    "nodes.col": b"p edge 1000000000 0\n",
    "nodes.mc": b"1000000000 0\n",
    "nodes.stp": b"33D32945 STP\nSECTION Graph\nNodes 1000000000\n",
    "nodes.net": b"*Vertices 1000000000\n",
    "nodes.graph": b"1000000000 0\n",
    "nodes.txt": b"1000000000 1\n1 2\n",
    "nodes.s6": b":~~" + bytes([63, 63 + 59, 63 + 38, 63 + 57, 63 + 8, 63]) + b"\n",
    "nodes.g6": b"~~" + bytes([63, 63 + 59, 63 + 38, 63 + 57, 63 + 8, 63]) + b"\n",
    "nodes.mtx": b"%%MatrixMarket matrix coordinate pattern general\n1000000000 1000000000 1\n1 1\n",
    "entries.mtx": b"%%MatrixMarket matrix coordinate pattern general\n3 3 1000000000\n1 1\n",
    "bomb.txt.gz": gzip.compress(b"a b\n" * 10_000_000),
    "cut.txt.gz": gzip.compress(b"a b\n" * 1000)[:-9],
    "no.txt.gz": b"a b\n",
    "bomb.npz": npz("nodes/x", 10_000_000),
    "header.npz": npz_header("(10000000000,)"),
    "attributes.json": NODES,
    "lists.json": LISTS,
    "defaults.graphml": KEYS,
    "deep.json": b"[" * 200_000,
    "deep-names.json": b'{"nodes":[{"id":' + b"[" * 200_000 + b"]" * 200_000 + b"}]}",
    "deep.graphml": b"<graphml>" + b"<graph><node>" * 100_000,
    "deep.gexf": b"<gexf>" + b"<a>" * 200_000,
    "deep.gml": b"graph [ " + b"a [ " * 200_000,
    "deep.edgelist": b"a b " + b"{1:" * 200_000 + b"}" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_line_and_little_memory(name: str, tmp_path: Path) -> None:
    path, data = tmp_path / name, HOSTILE[name]
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(GraphError) as caught:
            read_graph(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1
    assert peak < 16_000_000 + 60 * len(data), peak


def test_a_long_text_on_one_row_costs_that_row_alone(tmp_path: Path) -> None:
    rows = [{"id": node, "note": "x" * (200_000 if node == 0 else 1)} for node in range(5000)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"nodes": rows, "edges": []}))
    tracemalloc.start()
    try:
        named = read_graph(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert named.reading.ignored == ("node attribute 'note'",)
    assert peak < 30 * path.stat().st_size


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    (tmp_path / "one.txt").symlink_to(tmp_path / "other.txt")
    (tmp_path / "other.txt").symlink_to(tmp_path / "one.txt")
    (tmp_path / "folder.txt").mkdir()
    for name, said in (
        *((name, "is a folder, a pipe or a device") for name in ("pipe.txt", "zero.txt", "folder.txt")),
        ("one.txt", "cannot be read"),
    ):
        with pytest.raises(GraphError, match=said):
            read_graph(tmp_path / name)


BAD = [
    ("g6", b"abc\ndef\n", "holds 2 graphs"),
    ("g6", b"&AO", "digraph6"),
    ("gml", b"graph [ node [ id 0 ] edge [ source 0 target 1 ] ]", "not readable as GML"),
    ("gexf", b"<graphml/>", "holds <gexf>"),
    ("gexf", b'<gexf><graph><nodes><node id="1"/></nodes><edges><edge source="1" target="2"/></edges></graph></gexf>',
     "target '2' is no node"),
    ("net", b"*Vertices 2\n*Arcs\n1 2\n*Edges\n1 2\n", "has arcs and edges"),
    ("net", b"*Vertices 2\n*Edges\n1 3\n", "node 3 does not exist"),
    ("graph", b"2 1\n2\n\n", "says 1 edges, but 1 ends follow"),
    ("graph", b"3 1\n2\n3\n\n", "does not stand at both"),
    ("graph", b"3 1\n2\n", "3 nodes, but 2 lines follow"),
    ("mtx", b"%%MatrixMarket matrix coordinate real general\n2 3 1\n1 1 1\n", "only square matrices"),
    ("mtx", b"%%MatrixMarket matrix array real general\n2 2\n", "by coordinates"),
    ("mtx", b"%%MatrixMarket matrix coordinate real general\n2 2 1\n5 5 1\n", "node 5 does not exist"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "data", "said"), BAD)
def test_bad_files_of_others(suffix: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(data)
    with pytest.raises(GraphError) as caught:
        read_graph(tmp_path / f"a.{suffix}")
    assert said in str(caught.value)
    assert "; " in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "text", ["3 2\n2\n1 3\n2\n", "3 2\n2\n1 3\n2", "\n3 2\n2\r\n1\t3\r\n 2 \n\n", "2 0\n\n\n", "4 3\n2 2\n1 1 3\n2\n\n"]
)
def test_plain_metis_is_read_in_one_walk_as_line_by_line(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = text.encode()
    assert metis._read_plain(data) is not None
    quick = metis.read(data)
    monkeypatch.setattr(metis, "_read_plain", lambda _: None)
    slow = metis.read(data)
    assert quick.names == slow.names
    assert quick.reading == slow.reading
    assert_same_batch(quick.graph, slow.graph)


@pytest.mark.parametrize(
    "text",
    [
        "3 2\n2\n1 3\n",
        "3 2\n2\n1 4\n2\n",
        "3 2\n2\n1 0\n2\n",
        "3 1\n2\n1 3\n2\n",
        "3 2 1\n2 1\n1 1\n\n",
        "2 1\n2\n1x\n",
        "2 1\n2\n2\n",
    ],
)
def test_other_metis_is_left_to_the_reader_of_lines(text: str) -> None:
    assert metis._read_plain(text.encode()) is None
