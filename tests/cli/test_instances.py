"""Small files that are easily misread: the right answers by hand, and what is said of each."""

import itertools
import json
from types import SimpleNamespace

import pytest

from graphwright.cli.instances import FileOptions
from graphwright.cli.main import main
from graphwright.core import GraphError
from graphwright.envs.registry import find_problem

TRIANGLE = [("a", "b", 10), ("b", "c", 1), ("a", "c", 1)]
GRID = [f"({row}, {column})" for row in range(3) for column in range(3)]


def node_link(nodes, links, *, directed=False):
    """`nodes`: names or rows; `links`: ends with the attributes of a link."""
    rows = [node if isinstance(node, dict) else {"id": node} for node in nodes]
    edges = [{"source": one, "target": other, **row} for one, other, row in links]
    return json.dumps({"directed": directed, "multigraph": True, "nodes": rows, "links": edges})


def triangle(name, spell=lambda weight: weight):
    return node_link("abc", [(one, other, {name: spell(weight)}) for one, other, weight in TRIANGLE])


STREET = node_link(
    [{"id": name, "terminal": name != "B"} for name in "ABC"],
    [("A", "B", {"length": 1}), ("B", "A", {"length": 7}), ("B", "C", {"length": 1}), ("C", "B", {"length": 7})],
    directed=True,
)
DEAR = node_link([{"id": "dear", "weight": 2**24 + 1}, {"id": "cheap", "weight": 2**24}], [("dear", "cheap", {})])
BIG_EDGES = node_link("ab", [("a", "b", {"weight": 2**24 + 1})])
BIG_LENGTHS = node_link([{"id": name, "terminal": True} for name in "ab"], [("a", "b", {"length": 2**24 + 1})])
GEPHI = "Source,Target,Type,Id,Label,Weight\na,b,Undirected,0,,2.5\nb,c,Undirected,1,,1\n"
SNAP = "# Undirected graph: x\n# Nodes: 3 Edges: 2\n# FromNodeId\tToNodeId\n0\t1\n1\t2\n"
WORDS = node_link(
    [{"id": name, "terminal": str(name != "C").lower()} for name in "ABC"],
    [("A", "B", {"cost": 3}), ("A", "C", {"cost": 1}), ("C", "B", {"cost": 1})],
)
LINES = [
    # problem, name, text, options, optimum by hand
    ("max-cut", "opposite.txt", "# Directed graph\nA B 10\nB A 1\n", {"undirected": True}, 11),
    ("max-cut", "swapped.txt", "# Directed graph\nB A 1\nA B 10\n", {"undirected": True}, 11),
    ("max-cut", "parallel.txt", "A B 10\nA B 1\n", {}, 11),
    ("max-cut", "listed-twice.txt", "A B 10\nB C 1\nB A 10\nC B 1\n", {}, 11),
    ("max-cut", "listed-twice.txt", "# Directed graph\nA B 10\nB C 1\nB A 10\nC B 1\n", {"undirected": True}, 11),
    ("max-cut", "one-way-dearer.txt", "A B 10\nB C 1\nB A 10\nC B 2\n", {}, 23),
    ("steiner-tree", "street.json", STREET, {"undirected": True}, 2),
    ("vertex-cover", "semicolon.csv", "Source;Target\r\nA;B\r\nB;C\r\nC;D\r\n", {}, 2),
    ("vertex-cover", "tabs.tsv", "New York\tBoston\nBoston\tSan Jose\nSan Jose\tReno\n", {}, 2),
    ("vertex-cover", "bars.txt", "a|b\nb|c\n", {}, 1),
    ("vertex-cover", "inside.txt", "Doe,J Roe,R\nRoe,R Poe,E\n", {}, 1),
    ("vertex-cover", "some-inside.txt", "a b\nb Doe,J\n", {}, 1),
    ("max-cut", "decimal-comma.txt", "A\tB\t0,5\nB\tC\t1,5\nA\tC\t2,0\n", {}, 3.5),
    ("max-cut", "decimal-comma.csv", "A;B;0,5\nB;C;1,5\nA;C;2\n", {}, 3.5),
    ("max-cut", "decimal-blanks.txt", "A B 0,5\nB C 1,5\nA C 2,0\n", {}, 3.5),
    ("vertex-cover", "header.csv", "user1,user2\n0,1\n0,2\n0,3\n", {}, 1),
    ("max-cut", "header.txt", "person friend strength\na b 3\nb c 4\n", {}, 7),
    ("vertex-cover", "named.csv", "id,source,target\n7,a,b\n8,b,c\n9,b,d\n", {}, 1),
    ("max-cut", "gephi.csv", GEPHI, {}, 3.5),
    ("vertex-cover", "counts-first.txt", "6 5\n1 2\n1 3\n1 4\n1 5\n1 6\n", {}, 1),
    ("vertex-cover", "three-counts.txt", "6 5 1\n1 2\n1 3\n1 4\n1 5\n1 6\n", {}, 1),
    ("max-cut", "gset", "3 3\n1 2 1\n2 3 1\n1 3 -5\n", {}, 2),
    ("vertex-cover", "one-count.txt", "4\n0 1\n0 2\n0 3\n", {}, 1),
    ("max-cut", "text-weights.json", triangle("weight", str), {}, 11),
    ("max-cut", "value-weights.json", triangle("value"), {"edge_weight": "value"}, 11),
    ("max-cut", "value-weights.json", triangle("value"), {"weight": "value"}, 11),
    ("max-cut", "pyg.json", triangle("edge_weight"), {}, 11),
    ("max-cut", "pyg.json", triangle("edge_attr", lambda weight: [weight]), {}, 11),
    ("max-cut", "d3.json", '{"nodes":[{"name":"x"},{"name":"y"}],"links":[{"source":1,"target":0,"weight":4}]}', {}, 4),
    ("steiner-tree", "words.json", WORDS, {"edge_weight": "cost"}, 2),
    ("vertex-cover", "twice.col", "p edge 3 4\ne 1 2\ne 2 3\n", {}, 1),
    ("vertex-cover", "both-ways.col", "p col 3 4\ne 1 2\ne 2 1\ne 2 3\ne 3 2\n", {}, 1),
    ("vertex-cover", "one-more.col", "p col 3 2 9\ne 1 2\ne 2 3\n", {}, 1),
    ("max-cut", "arcs.gr", "p sp 3 2\na 1 2 4\na 2 3 5\n", {"undirected": True}, 9),
    ("max-cut", "commented.mc", "# made from another format\n3 2\n1 2 1\n2 3 -1\n", {}, 1),
    ("vertex-cover", "dear.json", DEAR, {}, 2**24),
    ("independent-set", "dear.json", DEAR, {}, 2**24 + 1),
    ("max-cut", "big.json", BIG_EDGES, {}, 2**24 + 1),
    ("steiner-tree", "big.json", BIG_LENGTHS, {}, 2**24 + 1),
    ("vertex-cover", "snap.txt", SNAP, {}, 1),
    ("max-cut", "out.konect", "% sym signed\n% 2 3 3\n1 2 1 1000\n2 3 -1 1001\n", {}, 1),
    ("max-cut", "out.konect", "% sym weighted\n1 2 3 1000\n2 3 1 1001\n", {}, 4),
    ("vertex-cover", "out.konect", "% bip unweighted\n1 1\n1 2\n", {}, 1),
    ("max-cut", "networkx.edgelist", "a b {'weight': 2, 'colour': 'red'}\nb c {'weight': 3}\n", {}, 5),
    ("vertex-cover", "networkx.edgelist", "a b {}\nb c {}\n", {}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "text", "options", "optimum"), LINES, ids=[f"{n}-{f}" for n, f, *_ in LINES])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_people_have_is_read_as_it_is_meant(name, file, text, options, optimum, encoding, tmp_path):
    path, problem = tmp_path / file, find_problem(name)
    path.write_text(text, encoding=encoding, newline="")
    _, instance = FileOptions(**options).read(path, problem.environment)
    assert problem.solve_exactly(problem.environment, instance, 5.0).objective.tolist() == [optimum]


ASKED = [
    ("vertex-cover", "3 2\n2 1\n1 3\n", "--header counts or --header no"),
    ("vertex-cover", "100\n1 2\n2 3\n", "--header counts or --header no"),
    ("vertex-cover", "6 9\n1 2\n2 3\n5 6\n", "3 links follow; say --header counts or --header no"),
    ("vertex-cover", "source target\nsource a\na target\n", "--header yes or --header no"),
    ("vertex-cover", "Person,Friend\nAnna,Ben\nBen,Carl\n", "--header yes or --header no"),
    ("max-cut", "A\tB\t1,500\nB\tC\t2,500\n", "may be a number of thousands"),
    ("max-cut", "A;B;1,5\nB;C;2.5\n", "has a comma and other numbers a point"),
    ("max-cut", "A,B,0,5\nB,C,1,5\n", "may end with a decimal comma"),
    ("vertex-cover", "# Directed graph\na b\n", "--undirected forgets the directions"),
]


@pytest.mark.parametrize(("name", "text", "said"), ASKED)
def test_what_may_mean_two_things_is_asked(name, text, said, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(GraphError) as caught:
        FileOptions().read(tmp_path / "a.txt", find_problem(name).environment)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "header", "links"),
    [
        ("3 2\n2 1\n1 3\n", "counts", 2),
        ("3 2\n2 1\n1 3\n", "no", 3),
        ("Person,Friend\nAnna,Ben\nBen,Carl\n", "yes", 2),
        ("Person,Friend\nAnna,Ben\nBen,Carl\n", "no", 3),
    ],
)
def test_and_the_answer_decides(text, header, links, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    named, _ = FileOptions(header=header).read(tmp_path / "a.txt", find_problem("vertex-cover").environment)
    assert named.reading.links == links


SAID = [
    ("vertex-cover", "a.txt", "a a\nb b\na c\n", ["2 loops", "loops are dropped", "node weights are 1"]),
    ("max-cut", "a.txt", "a b 1\nb a 2\n", ["1 parallel link", "parallel links add up", "weights from 'column 3'"]),
    ("max-cut", "a.txt", "a b 1\nb a 1\n", ["1 link,", "every link stands both ways and counts once"]),
    ("max-cut", "a.json", triangle("value"), ["edge weights are 1 (--edge-weight value would take"]),
    ("vertex-cover", "a.json", triangle("weight"), ["node weights are 1", "not read: edge attribute 'weight'"]),
    ("vertex-cover", "a.json", node_link([{"id": 1, "price": 2, "colour": "red"}], []),
     ["(--weight price would take", "not read: node attribute 'colour', node attribute 'price'"]),
    ("vertex-cover", "a.csv", "Source;Target\nA;B\n", ["cells between semicolons", "header Source, Target"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "text", "phrases"), SAID)
def test_what_was_understood_is_said(name, file, text, phrases, tmp_path):
    (tmp_path / file).write_text(text)
    named, _ = FileOptions().read(tmp_path / file, find_problem(name).environment)
    sentence = named.reading.sentence()
    assert all(phrase in sentence for phrase in phrases), sentence
    assert len(sentence.splitlines()) == 1
    json.dumps(named.reading.document(), allow_nan=False)


def test_a_loop_that_is_kept_is_not_said_to_be_dropped(tmp_path):
    """Jobs that go back to their own class; the instance has each link twice, there and back."""
    nodes = [{"id": "s", "server": True}, {"id": "c", "arrival": 0.2}]
    links = [("s", "c", {"service": 1.0}), ("c", "c", {"probability": 0.5})]
    (tmp_path / "net.json").write_text(node_link(nodes, links, directed=True))
    environment = find_problem("multiclass").environment
    named, instance = FileOptions().read(tmp_path / "net.json", environment)
    assert environment.load(instance).item() == pytest.approx(0.4)  # each is served twice in the mean
    assert named.reading.loops == 1
    assert "dropped" not in named.reading.sentence()


def grid(tmp_path):
    path = tmp_path / "grid.json"
    cells = {name: (int(name[1]), int(name[4])) for name in GRID}
    joined = [
        (one, other, {})
        for one, (row, column) in cells.items()
        for other, (below, beside) in cells.items()
        if (below - row, beside - column) in ((0, 1), (1, 0))
    ]
    path.write_text(node_link(GRID, joined))
    return path


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        (["weight"], {}, "node weights are 1 (--weight people would take the numbers that nodes have)"),
        (["weight"], {"weight": "people"}, "node weights from 'people'"),
        ([], {}, ""),
    ],
)
def test_a_problem_of_ones_own_does_not_get_weights_without_a_word(columns, options, said, tmp_path):
    path = tmp_path / "towns.json"
    nodes = [{"id": name, "people": people} for name, people in (("a", 3), ("b", 5))]
    path.write_text(json.dumps({"nodes": nodes, "links": [{"source": "a", "target": "b"}]}))
    own = SimpleNamespace(inputs=None, instance=lambda graph: graph.keep(nodes=columns))  # which says not what it reads
    named, _ = FileOptions(**options).read(path, own)
    sentence = named.reading.sentence()
    assert said in sentence
    assert ("weights are 1" in sentence) == (said != "" and not options)


def test_marks_name_nodes_whose_names_hold_commas(tmp_path):
    environment = find_problem("path-search").environment
    options = FileOptions(mark=("start=(0, 0)", "target=(2, 2)"))
    named, instance = options.read(grid(tmp_path), environment)
    for column, name in (("start", "(0, 0)"), ("target", "(2, 2)")):
        (node,) = instance.nodes[column].nonzero().flatten().tolist()
        assert named.names[node] == name


@pytest.mark.parametrize(
    ("mark", "marked"),
    [
        ("(0, 0),(2, 2)", ["(0, 0)", "(2, 2)"]),
        ("(0, 0), (2, 2)", ["(0, 0)", "(2, 2)"]),
        ('"(0, 0)",(1, 1)', ["(0, 0)", "(1, 1)"]),
    ],
)
def test_marks_name_several_nodes(mark, marked, tmp_path):
    text = node_link(GRID, [(one, other, {"length": 1}) for one, other in itertools.pairwise(GRID)])
    (tmp_path / "a.json").write_text(text)
    named, instance = FileOptions(mark=(f"terminal={mark}",)).read(
        tmp_path / "a.json", find_problem("steiner-tree").environment
    )
    assert [named.names[node] for node in instance.nodes["terminal"].nonzero().flatten().tolist()] == marked


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        (("terminl=a,b",), "reads no mark 'terminl'; it reads terminal"),
        (("terminal=a,z",), "no node 'z'; it has 'a', 'b', 'c'"),
        (("terminal=a", "terminal=b"), "marked twice"),
        (("terminal",), "write it as terminal=NAME,NAME"),
    ],
)
def test_marks_that_mean_nothing_are_errors(marks, said, tmp_path):
    (tmp_path / "a.json").write_text(triangle("length"))
    with pytest.raises(GraphError) as caught:
        FileOptions(mark=marks).read(tmp_path / "a.json", find_problem("steiner-tree").environment)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "options", "said"),
    [
        ("steiner-tree", WORDS, {}, "--edge-weight cost would take the numbers that edges have"),
        ("max-cut", node_link([{"id": 1, "price": 2}], []), {"weight": "price"}, "reads no weights of nodes"),
        ("vertex-cover", triangle("x"), {"edge_weight": "x"}, "reads no weights of edges"),
        (
            "max-cut",
            triangle("x"),
            {"edge_weight": "y"},
            "no edge attribute 'y' that is numbers",
        ),
    ],
)
def test_options_that_mean_nothing_are_errors(name, text, options, said, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(GraphError) as caught:
        FileOptions(**options).read(tmp_path / "a.json", find_problem(name).environment)
    assert said in str(caught.value)


def test_errors_call_nodes_by_the_names_of_the_file(tmp_path):
    (tmp_path / "a.json").write_text(node_link([{"id": "Reno", "weight": 1}, {"id": "Elko", "weight": -2}], []))
    with pytest.raises(GraphError, match=r"is -2\.0 at node 'Elko'"):
        FileOptions().read(tmp_path / "a.json", find_problem("vertex-cover").environment)
    (tmp_path / "a.txt").write_text("Reno Elko 1e200\n")
    with pytest.raises(GraphError, match=r"between nodes '(Reno' and 'Elko|Elko' and 'Reno)'"):
        FileOptions().read(tmp_path / "a.txt", find_problem("max-cut").environment)


@pytest.mark.parametrize(
    ("name", "file", "text", "options", "said"),
    [
        ("max-cut", "a.txt", "Reno Elko 1e200\n", {}, "edge column 'weight', read from 'column 3', is 1e+200"),
        ("max-cut", "a.csv", "source,target,km\na,b,1e200\n", {}, "edge column 'weight', read from 'km', is 1e+200"),
        (
            "vertex-cover",
            "a.json",
            node_link([{"id": 1, "price": -2}], []),
            {"weight": "price"},
            "read from 'price', is",
        ),
        (
            "public-goods",
            "a.json",
            node_link([{"id": 1, "price": -2}], []),
            {"weight": "price"},
            "read from 'price', is",
        ),
        ("public-goods", "a.json", node_link([{"id": 1, "cost": -2, "weight": 1}], []), {}, "column 'cost' is -2"),
        ("tour", "a.json", node_link([{"id": 1, "x": 1e300, "y": 0}], []), {}, "columns 'x' and 'y' are"),
    ],
)
def test_errors_say_from_which_attribute_a_column_was_read(name, file, text, options, said, tmp_path):
    (tmp_path / file).write_text(text)
    with pytest.raises(GraphError) as caught:
        FileOptions(**options).read(tmp_path / file, find_problem(name).environment)
    assert said in str(caught.value)


def test_an_attribute_of_the_graph_that_a_queueing_network_does_not_read_is_named(tmp_path, capsys) -> None:
    """A misspelt distribution would be Poisson without a word; maps and games of others say much that nobody reads."""
    nodes = [{"id": "a", "arrival": 2, "service": 8}, {"id": "b", "arrival": 3, "service": 12}]
    path = tmp_path / "typo.json"
    odd = {"distrbution": "fixed", "loads": 3, "seed": 3}
    path.write_text(json.dumps({"graph": odd, "nodes": nodes, "links": []}))
    main(["evaluate", "single-hop", "--policy", "max-weight", "--instances", str(path), "--slots", "5"])
    assert "not read: graph attribute 'distrbution', graph attribute 'loads'" in capsys.readouterr().err
    path.write_text(json.dumps({"graph": odd, "nodes": nodes, "links": [{"source": "a", "target": "b"}]}))
    main(["solve", "vertex-cover", str(path), "--policy", "greedy"])
    assert "graph attribute" not in capsys.readouterr().err
