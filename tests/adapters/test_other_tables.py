"""Text tables that are nearly lists of links: what would be misread is refused in one line, or said."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphwright.adapters.files import read_graph, write_graph
from graphwright.adapters.named_graph import NamedGraph
from graphwright.cli.main import main
from graphwright.core import GraphError


def read(tmp_path: Path, name: str, text: str, **options: str) -> NamedGraph:
    path = tmp_path / name
    path.write_text(text)
    return read_graph(path, **options)  # type: ignore[arg-type]


def links(named: NamedGraph) -> list[tuple[str, str]]:
    pairs, _ = named.links()
    return [(named.names[one], named.names[other]) for one, other in pairs.T.tolist()]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        # a first line whose weight is no number is no header
        ("a.csv", "a,b,0x10\nb,c,1\n", "line 1: '0x10' is not a finite number"),
        ("a.csv", "a,b,1_000\nb,c,1\n", "line 1: '1_000' is not a finite number"),
        ("a.csv", "a,b,NA\nb,c,1\n", "line 1: 'NA' is not a finite number"),
        ("a.txt", "a b \u22125\nb c 1\n", "line 1: '\u22125' is not a finite number"),
        ("a.csv", "x,y,N/A\nb,c,1\n", "line 1: 'N/A' is not a finite number"),
        ("a.csv", "a,b,good\nb,c,1\n", "line 1: 'a b good' may be a header or a link, as its names come again"),
        ("a.csv", "from,to,w\nfrom,to,3\n", "line 1: 'from to w' may be a header or a link"),
        # a column of weights is read, or refused
        ("a.csv", "source;target;weight\na;b;1.234,5\n", "line 2: '1.234,5' is not a finite number"),
        ("a.csv", "source,target,weight\na,b,5 km\n", "line 2: '5 km' is not a finite number"),
        ("a.csv", "source,target,weight\na,b,50%\n", "line 2: '50%' is not a finite number"),
        ("a.csv", "source,target,weight,weight\na,b,2,7\n", "columns 'weight' and 'weight' may both hold the weights"),
        (
            "a.csv",
            "source,target,Weight,weights\na,b,2,7\n",
            "columns 'Weight' and 'weights' may both hold the weights",
        ),
        ("a.csv", "source,target,x,x\na,b,2,7\n", "two columns are called 'x'"),
        (
            "a.csv",
            "source,target,type\na,b,Directed\nb,c,Undirected\n",
            "some links are directed and others undirected",
        ),
        # points, not links
        ("a.csv", "city,x,y\nRome,0.5,0.25\nOslo,1.5,1\n", "line 2: is a point with its x and y, by the first line"),
        ("a.csv", "id,x,y\n1,0,0\n2,1,1\n", "or say --header yes if each line is a link"),
        ("a.tsv", "name\tLat\tLon\tpeople\nRome\t41.9\t12.5\t3\n", "is a point with its Lat and Lon"),
        ("a.csv", "longitude,latitude\n12.5,41.9\n10.75,59.9\n", "is a point with its longitude and latitude"),
        # no line has two names
        ("a.txt", "A:B\nB:C\n", "line 1: 'A:B' is one name, and no line has two"),
        ("a.txt", "a -- b;\nb -- c;\n", "line 1: 'a -- b' is one name, and no line has two"),
        ("a.adjlist", "a,b,c\nb,c\n", "line 1: 'a,b,c' is one name, and no line has two"),
        # brackets
        ("a.txt", "(a, b)\n(b, c)\n", "line 1: brackets stand around '\\(a b\\)'"),
        ("a.txt", "[0, 1]\n[1, 2]\n", "brackets stand around"),
        ("a.txt", "(0, 0) (0, 1) {}\n(0, 1) (1, 1) {}\n", "brackets stand around"),
        # other formats and their comments
        ("a.txt", "c x\np edge 3 2\ne 1 2\ne 2 3\n", "line 2: is DIMACS; call the file .col"),
        ("a.txt", "e 1 2\ne 2 3\n", "line 1: 'e 1 2' is a line of DIMACS"),
        ("a.txt", "a 1 2 5\na 2 3 6\n", "line 1: 'a 1 2 5' is a line of DIMACS"),
        (
            "a.txt",
            "%%MatrixMarket matrix coordinate real general\n3 3 1\n2 1 5\n",
            "is Matrix Market, by its first line",
        ),
        ("a.txt", "// comment\na b\n", "line 1: comments begin with # or %"),
        ("a.txt", "a b\n; comment\nb c\n", "line 2: comments begin with # or %"),
        ("a.txt", "# nothing else\n", "has no line but comments"),
        ("a.csv", "id,w,source,target\n1,2,,b\n3,4,a,b\n", "line 2: a name is missing"),
        ("a.json", '{"nodes": [{"id": 0, "weight": 1, "weight": 5}], "edges": []}', "an object has 'weight' twice"),
    ],
)
def test_what_would_be_misread_is_refused(name: str, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=said) as error:
        read(tmp_path, name, text)
    assert "\n" not in str(error.value)


def test_the_option_for_the_first_line_decides_these_too(tmp_path: Path) -> None:
    star = links(read(tmp_path, "a.txt", "e 1 2\ne 2 3\n", header="no"))
    assert sorted(map(sorted, star)) == [["1", "e"], ["2", "e"]]
    assert read(tmp_path, "b.txt", "node-1\nnode-2\n", header="no").names == ("node-1", "node-2")
    assert len(links(read(tmp_path, "c.csv", "a,b,good\na,c,1\n", header="yes"))) == 1


def test_numbers_of_rows_as_pandas_writes_them_are_no_weights(tmp_path: Path) -> None:
    for first in ("", "Unnamed: 0"):
        named = read(tmp_path, "a.csv", f"{first},source,target\n0,a,b\n1,b,c\n")
        assert sorted(map(sorted, links(named))) == [["a", "b"], ["b", "c"]]
        assert named.reading.edge_weight is None


def test_names_that_are_the_same_number_are_said(tmp_path: Path) -> None:
    assert read(tmp_path, "a.txt", "1 2\n2.0 3\n").reading.notes == ("'2' and '2.0' are two nodes",)
    assert read(tmp_path, "a.txt", "0 1\n00 1\n").reading.notes == ("'0' and '00' are two nodes",)
    assert read(tmp_path, "a.txt", "1.5 2\n2 nan\n").reading.notes == ()


def test_only_numbers_are_offered_as_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.net"
    path.write_text('*Vertices 2\n1 "a" 0.1 0.2\n2 "b" 0.3 0.4\n*Edges\n1 2\n')
    main(["solve", "vertex-cover", str(path), "--policy", "greedy", "--time-limit", "0"])
    assert "node weights are 1; not read: node attribute 'position'" in capsys.readouterr().err


def test_two_hyphens_end_the_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a b\n")
    main(["solve", "--policy", "greedy", "--time-limit", "0", "--", "vertex-cover", str(path)])
    assert "weight 1" in capsys.readouterr().out


def test_a_section_of_places_to_show_points_at_is_not_read(tmp_path: Path) -> None:
    text = "TYPE : TSP\nDIMENSION : 2\nEDGE_WEIGHT_TYPE : EUC_2D\nNODE_COORD_SECTION\n1 0 0\n2 3 4\n"
    named = read(tmp_path, "a.tsp", text + "DISPLAY_DATA_SECTION\n1 9 9\n2 8 8\nEOF\n")
    assert named.graph.nodes["position"].tolist() == [[0, 0], [3, 4]]
    assert named.reading.ignored == ("DISPLAY_DATA_SECTION",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"New York" Boston\nBoston "Los Angeles"\n', [("New York", "Boston"), ("Boston", "Los Angeles")]),
        ('"a,b" c\n"a;b" c\n', [("a,b", "c"), ("a;b", "c")]),
        ('"say ""x""" "# b" # a comment\nc d\n', [('say "x"', "# b"), ("c", "d")]),
        ('one two\n"a b" c\n"c d" e\n', [("one", "two"), ("a b", "c"), ("c d", "e")]),
        ('a 5"\nb 5"\n', [("a", '5"'), ("b", '5"')]),  # inches
        ("'a' o'b\nc d'\n", [("'a'", "o'b"), ("c", "d'")]),
    ],
)
def test_names_between_blanks_may_be_quoted(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    named = read(tmp_path, "a.txt", text)
    pairs = {frozenset(pair) for pair in expected}
    assert {frozenset(pair) for pair in links(named)} == pairs
    if not any({" ", ","} & set(name) for name in named.names):
        write_graph(tmp_path / "b.txt", named)
        assert {frozenset(pair) for pair in links(read_graph(tmp_path / "b.txt"))} == pairs  # quotes are letters there


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a b\n"c d e\n', "line 2: malformed quotes .*ends with a quote on the same line"),
        ('"a"b c\nd e\n', "line 1: malformed quotes"),
        ("'c d' e\na b\n", "line 1: 'c d' has a blank.* write \"c d\" with double quotes"),
    ],
)
def test_quotes_that_say_too_little_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(GraphError, match=said):
        read(tmp_path, "a.txt", text)


def test_tables_of_links_between_what_is_called_x_and_y_are_read(tmp_path: Path) -> None:
    assert links(read(tmp_path, "a.csv", "x,y\n1,2\n2,3\n")) == [("1", "2"), ("2", "3")]
    assert links(read(tmp_path, "a.csv", "x,y,weight\na,b,0.5\nb,c,1\n")) == [("a", "b"), ("b", "c")]
    assert links(read(tmp_path, "a.csv", "id,x,y\n1,0,0\n2,1,1\n", header="yes")) == [("1", "0"), ("1", "2")]
