"""The formats of one problem each: TSPLIB points and tours, SteinLib graphs, rudy files for max-cut."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.adapters.files import read_graph, read_tour
from graphwright.adapters.files.tsplib import ROUNDINGS
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.problems.tour.environment import TOUR
from graphwright.envs.problems.tour.plane import distance
from graphwright.envs.registry import SOLVED

from .named_graphs import assert_same_column, assert_same_named, column, named_graphs
from .test_files import EXAMPLES, links_of, read_text, round_trip

INSTANCES = Path(__file__).parents[1] / "instances"
OPTIMA = {"eil51": 426, "berlin52": 7542, "st70": 675, "pr76": 108159, "rat99": 1211, "kroA100": 21282}
TOURS = sorted(path.name.removesuffix(".opt.tour") for path in (INSTANCES / "tsplib").glob("*.opt.tour"))


def counted(graph: GraphBatch, **tables) -> NamedGraph:
    """`graph` without its columns but for `reverse`, with nodes 1 to N of weight one and the columns `tables`."""
    kept = graph.keep().with_nodes(weight=torch.ones(graph.num_nodes, dtype=torch.float64), **tables.pop("nodes", {}))
    return NamedGraph.numbered(kept.with_graphs(**tables.pop("graphs", {})).with_edges(**tables.pop("edges", {})), 1)


@st.composite
def finite(draw, rows: int, shape: tuple[int, ...] = ()) -> torch.Tensor:
    values = draw(column(rows, torch.float64, shape))
    return torch.where(values.isfinite(), values, 0.1)


@st.composite
def edge_values(draw, name: str, least: float = -math.inf) -> NamedGraph:
    """An undirected graph whose edge column `name` [E] float64 is the same both ways."""
    graph = draw(named_graphs(undirected=st.just(True), shapes=[(0,)])).graph
    rows, _ = graph.links
    values = draw(finite(len(rows)))
    links = graph.edge_index[:, rows]
    one_way = from_edges(
        links, torch.tensor([graph.num_nodes]), undirected=True, edges={name: torch.where(values < least, 0, values)}
    )
    return counted(one_way, edges={name: one_way.edges[name]})


# ---- round trips ----------------------------------------------------------------------------------------------------


@EXAMPLES
@given(data=st.data(), size=st.integers(0, 5), rounding=st.sampled_from([1, 2]))
def test_tsplib_comes_back_exactly(data: st.DataObject, size: int, rounding: int, tmp_path: Path) -> None:
    graph = from_edges(torch.empty(2, 0), torch.tensor([size]), undirected=True)
    columns = {"position": data.draw(finite(size, (2,)))}
    named = counted(graph, nodes=columns, graphs={"rounding": torch.tensor([rounding])})
    numbers = st.lists(st.integers(0, 10**18 - 1).map(str), min_size=size, max_size=size, unique=True)
    named = NamedGraph(named.graph, tuple(data.draw(numbers)))
    assert_same_named(round_trip(named, tmp_path / "a.tsp"), named)


@EXAMPLES
@given(named=edge_values("length", least=0), data=st.data())
def test_steinlib_comes_back_exactly(named: NamedGraph, data: st.DataObject, tmp_path: Path) -> None:
    size = named.graph.num_nodes
    nodes = {"terminal": data.draw(column(size, torch.bool))}
    if data.draw(st.booleans()):
        nodes["position"] = torch.where(
            data.draw(column(size, torch.bool))[:, None], torch.nan, data.draw(finite(size, (2,)))
        )
    named = NamedGraph(named.graph.with_nodes(**nodes), named.names)
    assert_same_named(round_trip(named, tmp_path / "a.stp"), named)


@EXAMPLES
@given(named=edge_values("weight"), suffix=st.sampled_from(["mc", "rud"]))
def test_rudy_comes_back_exactly(named: NamedGraph, suffix: str, tmp_path: Path) -> None:
    assert_same_named(round_trip(named, tmp_path / f"a.{suffix}"), named)


# ---- TSPLIB ---------------------------------------------------------------------------------------------------------


def test_tsplib(tmp_path: Path) -> None:
    text = "NAME: three\nCOMMENT : at 5:30\nCOMMENT :\nTYPE: TSP (Euler)\nDIMENSION:3\nEDGE_WEIGHT_TYPE : CEIL_2D\n"
    named = read_text(tmp_path, "tsp", f"{text}NODE_COORD_SECTION :\n 0007 1 2.5\n\n2 -1e1 +3\n3 .5 4.\n")
    named.graph.validate()
    assert named.names == ("7", "2", "3")
    assert not named.directed
    assert named.graph.num_edges == 0
    position = torch.tensor([[1, 2.5], [-10, 3], [0.5, 4]], dtype=torch.float64)
    assert_same_column(named.graph.nodes["position"], position)
    assert_same_column(named.graph.nodes["weight"], torch.ones(3, dtype=torch.float64))
    assert_same_column(named.graph.graphs["rounding"], torch.tensor([2]))


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("FULL_MATRIX", "99 1 2 3\n1 99 4 5\n2 4 99 6 3 5 6 99"),
        ("UPPER_ROW", "1 2 3\n4 5\n6"),
        ("LOWER_ROW", "1\n2 4\n3 5 6"),
        ("UPPER_DIAG_ROW", "0 1 2 3 0\n4 5 0 6 0"),
        ("LOWER_DIAG_ROW", "0 1 0 2 4 0 3 5 6 0"),
        ("UPPER_COL", "1 2 4 3 5 6"),
        ("LOWER_COL", "1 2 3 4 5 6"),
        ("UPPER_DIAG_COL", "0 1 0 2 4 0 3 5 6 0"),
        ("LOWER_DIAG_COL", "0 1 2 3 0 4 5 0 6 0"),
    ],
)
def test_tables_of_distances(form: str, numbers: str, tmp_path: Path) -> None:
    """1 to 2, 3, 4; 2 to 3, 4; 3 to 4, by hand; lines may break anywhere, and coordinates are for display."""
    head = "TYPE : TSP\nDIMENSION : 4\nEDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_FORMAT : "
    display = "DISPLAY_DATA_SECTION\n1 0 0\n2 0 1\n3 1 1\n4 2 2\nEOF\n"
    named = read_text(tmp_path, "tsp", f"{head}{form}\nEDGE_WEIGHT_SECTION\n{numbers}\n{display}")
    links, columns = named.links()
    assert named.names == ("1", "2", "3", "4")
    assert sorted(zip(*links.tolist(), columns["weight"].tolist(), strict=True)) == [
        (0, 1, 1.0),
        (0, 2, 2.0),
        (0, 3, 3.0),
        (1, 2, 4.0),
        (1, 3, 5.0),
        (2, 3, 6.0),
    ]
    assert named.reading.ignored == ("DISPLAY_DATA_SECTION",)
    assert "position" not in named.graph.nodes
    with pytest.raises(GraphError, match="distances of edges are read by max-cut and steiner-tree alone"):
        SOLVED["tour"].optimization.instance(named.graph)
    assert SOLVED["max-cut"].optimization.instance(named.graph).edges["weight"].sum() == 2 * 21


def test_distances_on_the_globe_and_pseudo_euclidean_are_those_of_tsplib() -> None:
    """The first row of the matrix of burma14, and the first distance of att48."""
    burma = [
        *(
            (16.47, 96.10),
            (16.47, 94.44),
            (20.09, 92.54),
            (22.39, 93.37),
            (25.23, 97.24),
            (22.00, 96.05),
            (20.47, 97.02),
        ),
        *(
            (17.20, 96.29),
            (16.30, 97.38),
            (14.05, 98.12),
            (16.53, 97.38),
            (21.52, 95.59),
            (19.41, 97.13),
            (20.09, 94.55),
        ),
    ]
    first = [153, 510, 706, 966, 581, 455, 70, 160, 372, 157, 567, 342, 398]
    for position, rounding, expected in ((burma, "GEO", first), ([(6734.0, 1453.0), (2233.0, 10.0)], "ATT", [1495])):
        points = GraphBatch(
            torch.empty(2, 0, dtype=torch.int64),
            torch.tensor([0, len(position)]),
            torch.zeros(2, dtype=torch.int64),
            nodes={"position": torch.tensor(position, dtype=torch.float64)},
            graphs={"rounding": torch.tensor([ROUNDINGS[rounding]])},
        )
        others = torch.arange(1, len(position))
        assert distance(points, torch.zeros_like(others), others).tolist() == expected


@pytest.mark.parametrize("name", OPTIMA)
def test_tsplib_instances_read_as_they_say(name: str, tmp_path: Path) -> None:
    named = read_graph(INSTANCES / "tsplib" / f"{name}.tsp")
    named.graph.validate()
    size = int("".join(filter(str.isdigit, name)))
    assert named.names == tuple(str(node) for node in range(1, size + 1))
    assert named.graph.graphs["rounding"].tolist() == [1]
    assert_same_named(round_trip(named, tmp_path / "a.tsp"), named)


@pytest.mark.parametrize("name", TOURS)
def test_published_tours_have_their_published_length(name: str) -> None:
    named = read_graph(INSTANCES / "tsplib" / f"{name}.tsp")
    tour = read_tour(INSTANCES / "tsplib" / f"{name}.opt.tour")
    assert sorted(tour) == sorted(named.names)
    place = {node: index for index, node in enumerate(named.names)}
    stops = named.graph.nodes["position"][[place[node] for node in tour]]
    lengths = (stops - stops.roll(1, 0)).square().sum(1).sqrt()
    assert int((lengths + 0.5).floor().sum()) == OPTIMA[name]


def test_all_but_one_tour_are_there() -> None:
    assert sorted(OPTIMA) == sorted([*TOURS, "rat99"])


# ---- tours ----------------------------------------------------------------------------------------------------------


def tour_of(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "a.tour").write_text(text)
    return read_tour(tmp_path / "a.tour")


@pytest.mark.parametrize("end", ["-1\nEOF\n", "-1\n-1\nEOF", "-1"])
def test_tours_may_stand_on_any_lines(end: str, tmp_path: Path) -> None:
    assert tour_of(tmp_path, f"TYPE : TOUR\nTOUR_SECTION\n3 1\n 02 {end}") == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n", "is empty"),
        ("TYPE : TSP\nTOUR_SECTION\n1 -1", "line 1: TYPE 'TSP' cannot be read; TOUR can"),
        ("TYPE : TOUR\n", "has no TOUR_SECTION; add it"),
        ("TOUR_SECTION\n1 2\n", "has a tour without the -1 at its end; add it"),
        ("TOUR_SECTION\n1 2\n1 -1", "line 3: node 1 once more, after line 2; a tour"),
        ("TOUR_SECTION\n1 -1\n2 -1", "line 3: a second tour; keep one"),
        ("TOUR_SECTION\n1 2.5 -1", "line 2: '2.5' is not a whole number; correct it"),
        ("DIMENSION : 3\nTOUR_SECTION\n1 2 -1", "line 1: says 3 nodes, but the file has 2; correct"),
        ("DIMENSION : x\nTOUR_SECTION\n1 2 -1", "line 1: 'x' is not a whole number"),
    ],
)
def test_bad_tours_are_named_with_the_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(GraphError) as caught:
        tour_of(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'a.tour'}: {message}")
    assert "\n" not in str(caught.value)


def test_a_tour_that_is_not_there_is_a_graph_error(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="cannot be read"):
        read_tour(tmp_path / "none.tour")


# ---- SteinLib -------------------------------------------------------------------------------------------------------


def test_steinlib() -> None:
    named = read_graph(INSTANCES / "steinlib" / "odd-wheel.stp")
    named.graph.validate()
    assert named.names == tuple("1234567")
    assert links_of(named)[:4] == [("1", "2"), ("1", "4"), ("1", "6"), ("2", "3")]
    assert_same_column(named.links()[1]["length"], torch.ones(9, dtype=torch.float64))
    assert named.graph.nodes["terminal"].tolist() == [True, False] * 3 + [True]
    assert named.graph.nodes["position"][[0, 6]].tolist() == [[80, 50], [55, 95]]


def test_the_shortest_tree_of_the_odd_wheel_is_as_its_readme_says() -> None:
    named = read_graph(INSTANCES / "steinlib" / "odd-wheel.stp")
    links, columns = named.links()
    edges = list(zip(*links.tolist(), columns["length"].tolist(), strict=True))
    terminals = named.graph.nodes["terminal"].nonzero().flatten().tolist()

    def joins(chosen) -> bool:
        graph = nx.Graph([edge[:2] for edge in chosen])
        return all(graph.has_node(end) and nx.has_path(graph, terminals[0], end) for end in terminals)

    subsets = itertools.chain.from_iterable(itertools.combinations(edges, count) for count in range(1, 7))
    assert min(sum(edge[2] for edge in chosen) for chosen in subsets if joins(chosen)) == 5


def test_steinlib_in_any_case_with_gaps_and_drawings(tmp_path: Path) -> None:
    text = """33d32945 stp file, stp format version  1.00
Section Comment\nRemark "E 1 2 3"\nEnd
# not in a section
section graph\nNodes 3\nEdges 2\ne 3 1 0.25\nE 1 3 4\nEND
SECTION Terminals\nTerminals 1\nT 2\nEND
SECTION Coordinates\nDD 2 1 2\nEND
SECTION Drawing\nE 1 3 bl\nEND
eof"""
    named = read_text(tmp_path, "stp", text)
    assert links_of(named) == [("1", "3"), ("1", "3")]
    assert named.links()[1]["length"].tolist() == [0.25, 4]
    assert named.graph.nodes["terminal"].tolist() == [False, True, False]
    nan = math.nan
    expected = torch.tensor([[nan, nan], [1, 2], [nan, nan]], dtype=torch.float64)
    assert_same_column(named.graph.nodes["position"], expected)


# ---- rudy -----------------------------------------------------------------------------------------------------------


def test_rudy(tmp_path: Path) -> None:
    named = read_text(tmp_path, "rud", "4 3\n1 2 -1\n\n4 1 2.5\n 3 3 0\n")
    assert named.names == tuple("1234")
    assert links_of(named) == [("1", "2"), ("1", "4"), ("3", "3")]
    assert_same_column(named.links()[1]["weight"], torch.tensor([-1, 2.5, 0], dtype=torch.float64))
    assert_same_column(named.graph.nodes["weight"], torch.ones(4, dtype=torch.float64))
    assert read_text(tmp_path, "mc", "3 0\n").graph.edges["weight"].dtype == torch.float64


def test_whole_numbers_are_written_without_a_point(tmp_path: Path) -> None:
    named = NamedGraph.from_links(
        "12", [(0, 1), (0, 1)], directed=False, edges={"weight": torch.tensor([3, -0.5], dtype=torch.float64)}
    )
    round_trip(named, tmp_path / "a.mc")
    assert (tmp_path / "a.mc").read_text() == "2 2\n1 2 3\n1 2 -0.5\n"


# ---- what they refuse -----------------------------------------------------------------------------------------------

PAIR = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True)
ARROW = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False)
POINTS = from_edges(torch.empty(2, 0), torch.tensor([2]), undirected=True)
PLACE, ONE = torch.zeros(2, 2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
ROUND = torch.tensor([1])
TREE = PAIR.with_edges(length=ONE).with_nodes(terminal=ONE.bool())


@pytest.mark.parametrize(
    ("suffix", "graph", "message"),
    [
        ("tsp", PAIR.with_nodes(position=PLACE).with_graphs(rounding=ROUND), "edges or a directed graph; write .json"),
        ("tsp", POINTS.keep().filter_edges(torch.ones(0, dtype=torch.bool)), "edges or a directed graph"),
        ("tsp", POINTS, "needs the node column 'position', torch.float64 of shape .rows, 2.; add it"),
        ("tsp", POINTS.with_nodes(position=PLACE.float()), "'position' of torch.float32 .2, 2., only torch.float64"),
        ("tsp", POINTS.with_nodes(position=ONE), "'position' of torch.float64 .2., only"),
        ("tsp", POINTS.with_nodes(position=PLACE / 0), "'position' with values that are not finite; write"),
        ("tsp", POINTS.with_nodes(position=PLACE), "needs the graph column 'rounding', torch.int64"),
        ("tsp", POINTS.with_nodes(position=PLACE).with_graphs(rounding=0 * ROUND), "'rounding' with 0, only 1 "),
        ("tsp", POINTS.with_nodes(position=PLACE, x=ONE), "node column 'x'; write .json or .npz"),
        ("tsp", POINTS.with_nodes(weight=ONE.double() * 2), "node column 'weight' unless it is 1 throughout"),
        ("stp", ARROW, "a directed graph"),
        ("stp", PAIR, "needs the edge column 'length', torch.float64 of shape .rows.; add it"),
        ("stp", PAIR.with_edges(length=ONE.long()), "'length' of torch.int64 .1., only torch.float64"),
        ("stp", PAIR.with_edges(length=-ONE), "'length' with values that are not finite and >= 0"),
        ("stp", PAIR.with_edges(length=ONE), "needs the node column 'terminal', torch.bool"),
        ("stp", TREE.with_nodes(terminal=ONE), "'terminal' of torch.float64 .2., only torch.bool"),
        ("stp", TREE.with_nodes(position=PLACE.float()), "'position' of torch.float32"),
        ("stp", TREE.with_nodes(position=torch.stack([ONE, ONE / 0])), "'position' with values that are not finite"),
        ("stp", TREE.with_nodes(position=torch.stack([ONE, ONE * torch.nan], 1)), "unless both of a node are NaN"),
        ("stp", TREE.with_graphs(x=ROUND), "graph column 'x'"),
        ("stp", TREE.with_nodes(weight=ONE.double() * 2), "node column 'weight' unless it is 1"),
        ("mc", ARROW, "a directed graph"),
        ("mc", PAIR, "needs the edge column 'weight', torch.float64"),
        ("mc", PAIR.with_edges(weight=ONE.float()), "'weight' of torch.float32"),
        ("rud", PAIR.with_edges(weight=ONE / 0), "'weight' with values that are not finite"),
        ("rud", PAIR.with_edges(weight=torch.tensor([1.0, 2.0]).double()), "differs between the two directions"),
        ("mc", PAIR.with_edges(weight=ONE, x=ONE), "edge column 'x'"),
    ],
)  # fmt: skip
def test_writers_refuse_what_would_be_lost(suffix: str, graph: GraphBatch, message: str, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=message) as caught:
        round_trip(NamedGraph.numbered(graph, 1), tmp_path / f"a.{suffix}")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / f"a.{suffix}").exists()


@pytest.mark.parametrize("suffix", ["stp", "mc"])
def test_counted_nodes_have_no_other_names(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="node names but 1 to N"):
        round_trip(NamedGraph.numbered(PAIR), tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("name", ["a", "-1", "01", "²", "1" * 5000])
def test_tsplib_names_are_whole_numbers(name: str, tmp_path: Path) -> None:
    named = NamedGraph(POINTS.with_nodes(position=PLACE).with_graphs(rounding=ROUND), ("1", name))
    if name != "1":
        with pytest.raises(GraphError, match="only whole numbers"):
            round_trip(named, tmp_path / "a.tsp")


BURMA = [
    *((16.47, 96.10), (16.47, 94.44), (20.09, 92.54), (22.39, 93.37), (25.23, 97.24), (22.00, 96.05), (20.47, 97.02)),
    *((17.20, 96.29), (16.30, 97.38), (14.05, 98.12), (16.53, 97.38), (21.52, 95.59), (19.41, 97.13), (20.09, 94.55)),
]
"""burma14 of TSPLIB."""


def test_distances_on_the_globe_give_the_published_optimum(tmp_path: Path) -> None:
    points = "".join(f"{node} {x} {y}\n" for node, (x, y) in enumerate(BURMA, start=1))
    head = "TYPE: TSP\nDIMENSION: 14\nEDGE_WEIGHT_TYPE: GEO\nEDGE_WEIGHT_FORMAT: FUNCTION\nNODE_COORD_SECTION\n"
    named = read_text(tmp_path, "tsp", head + points + "EOF\n")
    assert_same_named(round_trip(named, tmp_path / "b.tsp"), named)
    instance = TOUR.environment.instance(named.graph)
    rows = torch.cartesian_prod(torch.arange(14), torch.arange(14))
    assert shortest_tour(distance(instance, *rows.T).view(14, 14).numpy()) == 3323


def shortest_tour(between: np.ndarray) -> float:
    """By sets of cities and the last one of each (Held and Karp 1962)."""
    others = len(between) - 1
    ways = np.full((1 << others, others), np.inf)
    for city in range(others):
        ways[1 << city, city] = between[others, city]
    for chosen in range(1, 1 << others):
        for city in range(others):
            if chosen >> city & 1 and chosen != 1 << city:
                ways[chosen, city] = (ways[chosen ^ 1 << city] + between[:others, city]).min()
    return float((ways[-1] + between[:others, others]).min())
