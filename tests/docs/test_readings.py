"""`docs/tables/readings.md` says of each kind of file what the readers say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphwright.cli.instances import FileOptions
from graphwright.core import GraphError
from graphwright.envs.registry import find_problem

HEAD = """# Every kind of file, and what is said of it

The first lines of each file; `graphwright solve` says the rest on stderr, and `--json` has it as `read`.
"""
TABLE = Path(__file__).parents[2] / "docs" / "tables" / "readings.md"
GRAPHML = (
    '<graphml><key id="c" for="edge" attr.name="capacity" attr.type="int"/><graph edgedefault="directed">'
    '<node id="a"/><node id="b"/><edge source="a" target="b"><data key="c">5</data></edge></graph></graphml>'
)
GEXF = (
    '<gexf xmlns="http://gexf.net/1.3" version="1.3"><graph defaultedgetype="undirected">'
    '<nodes><node id="0" label="a"/><node id="1" label="b"/></nodes>'
    '<edges><edge id="0" source="0" target="1" weight="2.5"/></edges></graph></gexf>'
)
STP = (
    "33D32945 STP File, STP Format Version 1.0\nSECTION Graph\nNodes 2\nEdges 1\nE 1 2 4\nEND\n"
    "SECTION Terminals\nTerminals 2\nT 1\nT 2\nEND\nEOF\n"
)
TSP = "TYPE : TSP\nDIMENSION : 2\nEDGE_WEIGHT_TYPE : GEO\nNODE_COORD_SECTION\n1 16.47 96.10\n2 16.47 94.44\nEOF\n"
VALUES = {"nodes": [{"id": "a", "note": "x"}, {"id": "b"}], "links": [{"source": "a", "target": "b", "value": 3}]}
FILES = [
    # problem, options, name, content
    ("max-cut", {}, "blanks.txt", "a b 2\nb c 3\n"),
    ("max-cut", {}, "tabs.tsv", "New York\tBoston\t0,5\nBoston\tReno\t1,5\n"),
    ("max-cut", {}, "quoted.txt", '"New York" Boston 2\nBoston Reno 3\n'),
    ("vertex-cover", {}, "single.txt", "'New York' Boston\nBoston Reno\n"),
    ("max-cut", {}, "header.csv", "source,target,metres\na,b,2\nb,c,3\n"),
    ("vertex-cover", {}, "semicolon.csv", "Source;Target\nA;B\nB;C\n"),
    ("vertex-cover", {}, "numbers.csv", "user1,user2\n0,1\n0,2\n"),
    ("vertex-cover", {}, "counts.txt", "6 5\n1 2\n1 3\n1 4\n1 5\n1 6\n"),
    ("vertex-cover", {}, "triangle.txt", "3 2\n2 1\n1 3\n"),
    ("vertex-cover", {}, "words.csv", "Person,Friend\nAnna,Ben\nBen,Carl\n"),
    ("max-cut", {}, "split.csv", "A,B,0,5\nB,C,1,5\n"),
    ("max-cut", {}, "both-ways.txt", "a b 5\nb a 5\n"),
    ("max-cut", {}, "parallel.txt", "a b 5\nb a 4\n"),
    ("vertex-cover", {}, "loops.txt", "a a\nb b\na c\n"),
    ("vertex-cover", {}, "snap.txt", "# Directed graph: x\n# FromNodeId\tToNodeId\n0\t1\n"),
    ("max-cut", {"undirected": True}, "snap.txt", "# Directed graph: x\n# FromNodeId\tToNodeId\n0\t1\n"),
    ("max-cut", {}, "out.konect", "% sym weighted\n1 2 3 1000\n2 3 1 1001\n"),
    ("vertex-cover", {}, "out.bipartite", "% bip unweighted\n1 1\n1 2\n"),
    ("max-cut", {}, "networkx.edgelist", "a b {'weight': 2, 'colour': 'red'}\n"),
    ("vertex-cover", {}, "a.adjlist", "a b c\nb c\n"),
    ("max-cut", {}, "values.json", json.dumps(VALUES)),
    ("max-cut", {"edge_weight": "value"}, "values.json", json.dumps(VALUES)),
    ("max-cut", {"undirected": True}, "a.graphml", GRAPHML),
    ("max-cut", {}, "a.gexf", GEXF),
    ("max-cut", {}, "a.gml", "graph [\n  node [ id 0 ]\n  node [ id 1 ]\n  edge [ source 0 target 1 weight 3 ]\n]\n"),
    ("max-cut", {}, "a.net", '*Vertices 2\n1 "a"\n2 "b"\n*Edges\n1 2 7\n'),
    ("vertex-cover", {}, "twice.col", "p edge 3 4\ne 1 2\ne 2 3\n"),
    ("max-cut", {}, "a.mc", "# a comment\n2 1\n1 2 -1\n"),
    ("steiner-tree", {}, "a.stp", STP),
    ("tour", {}, "a.tsp", TSP),
    ("max-cut", {}, "a.graph", "% METIS\n2 1 1\n2 7\n1 7\n"),
    ("max-cut", {}, "a.mtx", "%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n2 1 0.5\n"),
    ("vertex-cover", {}, "a.g6", "A_\n"),
    ("tour", {}, "a.atsp", "TYPE : ATSP\nDIMENSION : 2\nEDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_SECTION\n0 1 2 0\n"),
    ("max-cut", {}, "pandas.csv", ",source,target,weight\n0,a,b,2\n1,b,c,3\n"),
    ("max-cut", {}, "missing.csv", "a,b,NA\nb,c,1\n"),
    ("max-cut", {}, "units.csv", "source,target,weight\na,b,5 km\n"),
    ("max-cut", {}, "twice.csv", "source,target,weight,weight\na,b,2,7\n"),
    ("max-cut", {}, "mixed.csv", "source,target,type\na,b,Directed\nb,c,Undirected\n"),
    ("vertex-cover", {}, "colons.txt", "A:B\nB:C\n"),
    ("vertex-cover", {}, "brackets.txt", "(a, b)\n(b, c)\n"),
    ("vertex-cover", {}, "dimacs.txt", "p edge 3 2\ne 1 2\ne 2 3\n"),
    ("vertex-cover", {}, "slashes.txt", "// a comment\na b\n"),
    ("vertex-cover", {}, "floats.txt", "1 2\n2.0 3\n"),
    ("vertex-cover", {}, "huge.col", "p edge 1000000000 0\n"),
    ("vertex-cover", {}, "a.doc", "a b\n"),
]


def said(problem: str, options: dict[str, object], name: str, content: str, folder: Path) -> str:
    """What is said of the file, or the complaint about it."""
    path = folder / name
    path.write_text(content)
    try:
        named, _ = FileOptions(**options).read(path, find_problem(problem).environment)
    except GraphError as error:
        return str(error).replace(f"{path}", name)
    return f"read as {named.reading.sentence()}"


def test_the_table_of_readings_is_what_is_said(tmp_path: Path) -> None:
    rows = []
    for problem, options, name, content in FILES:
        words = [
            f"--{key.replace('_', '-')} {'' if value is True else value}".strip() for key, value in options.items()
        ]
        shown = " ".join(words)
        lines = content.strip().splitlines()
        first = ", ".join(f"`{line[:34]}`" for line in lines[:3]).replace("\t", "\\t") if len(lines[0]) < 60 else "…"
        told = said(problem, options, name, content, tmp_path).replace("|", "\\|")
        rows.append(f"| `{name}` {first.replace('|', chr(92) + '|')} | {problem} {shown}".rstrip() + f" | {told} |")
    table = "\n".join([HEAD, "| file | problem | what is said |", "|---|---|---|", *rows, ""])
    if not TABLE.is_file() or TABLE.read_text() != table:
        (tmp_path / "readings.md").write_text(table)
        pytest.fail(f"{TABLE} is not what is said; copy {tmp_path / 'readings.md'} there")
