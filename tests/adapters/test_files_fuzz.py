"""Whatever bytes a file holds, reading it gives a graph or a `GraphError` of one line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphwright.adapters.files import read_graph, read_tour, write_graph
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError

TOUR = Path(__file__).parents[1] / "instances" / "tsplib" / "eil51.opt.tour"
ABILENE = Path(__file__).parents[1] / "instances" / "topology-zoo" / "Abilene.graphml"
SUFFIXES = ("txt", "csv", "col", "graphml", "json", "npz", "tsp", "stp", "mc")
TOKENS = [
    b"\n",
    b" ",
    b",",
    b'"',
    b"<",
    b">",
    b"&",
    b"{",
    b"}",
    b"[",
    b"]",
    b"#",
    b"\0",
    b"\xff",
    b"-1",
    b"nan",
    b"1e999",
]
TOKENS += [b"null", b"true", b"e 1 2\n", b"p edge 9 9\n", b"<node/>", b"</graph>", b'"id"', b"9" * 30, b"\xef\xbb\xbf"]
TOKENS += [b"TYPE: TSP\n", b"DIMENSION : 1\n", b"EDGE_WEIGHT_TYPE:EUC_2D\n", b"NODE_COORD_SECTION\n", b"TOUR_SECTION\n"]
TOKENS += [b"33D32945 STP\n", b"SECTION Graph\n", b"Nodes 2\n", b"E 1 2 3\n", b"END\n", b"EOF\n", b"2 1\n1 2 3\n"]
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def check(path: Path, data: bytes) -> NamedGraph | None:
    path.write_bytes(data)
    try:
        named = read_graph(path)
    except GraphError as error:
        named, said = None, str(error)
    if named is None:
        assert said.startswith(f"{path}: ")
        assert len(said.splitlines()) == 1
        return None
    named.graph.validate()
    assert len(named.names) == named.graph.num_nodes
    weight = named.graph.nodes["weight"]
    assert weight.dtype == torch.float64
    assert weight.shape == (named.graph.num_nodes,)
    assert bool(weight.isfinite().all())
    return named


def valid(suffix: str, folder: Path) -> bytes:
    """A small file of the format, with everything that the format can hold."""
    links = [(0, 1), (1, 1), (0, 1), (2, 0)]
    nodes = {"weight": torch.tensor([1.0, 2.5, 1.0, 1.0], dtype=torch.float64)}
    flow = {"weight": torch.tensor([0.5, 1.0, 2.0, 3.0], dtype=torch.float64)}
    if suffix in ("txt", "csv"):
        named = NamedGraph.from_links("abcd", links, directed=True, edges=flow)
    elif suffix == "tsp":
        nodes = {"position": torch.tensor([[1, 2.5], [-3, 4e9], [0, 0], [1, 1]], dtype=torch.float64)}
        named = NamedGraph.from_links("1234", [], directed=False, nodes=nodes, graphs={"rounding": torch.tensor([1])})
    elif suffix == "mc":
        named = NamedGraph.from_links("1234", links, directed=False, edges=flow)
    elif suffix == "stp":
        nodes = {"terminal": nodes["weight"] == 1, "position": torch.ones(4, 2, dtype=torch.float64)}
        named = NamedGraph.from_links("1234", links, directed=False, nodes=nodes, edges={"length": flow["weight"]})
    elif suffix == "col":
        named = NamedGraph.from_links("1234", links, directed=False, nodes=nodes)
    else:
        nodes["lat"] = torch.tensor([1, torch.nan, 3, 4])
        named = NamedGraph.from_links(
            "abcd", links, directed=False, nodes=nodes, edges=flow, graphs={"y": torch.ones(1)}
        )
    write_graph(folder / f"valid.{suffix}", named)
    return (folder / f"valid.{suffix}").read_bytes()


def mutate(data: bytes, generator: random.Random) -> bytes:
    """`data` with one to four bytes or pieces changed, put in, taken out or repeated."""
    for _ in range(generator.randint(1, 4)):
        start = generator.randrange(len(data) + 1)
        end = min(len(data), start + generator.choice([0, 1, 1, 2, 8, 40]))
        piece = generator.choice(
            [b"", bytes([generator.randrange(256)]), generator.choice(TOKENS), data[start:end] * 2]
        )
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("suffix", SUFFIXES)
@EXAMPLES
@given(data=st.binary(max_size=60))
def test_any_bytes(suffix: str, data: bytes, tmp_path: Path) -> None:
    check(tmp_path / f"a.{suffix}", data)


@pytest.mark.parametrize("suffix", SUFFIXES)
@EXAMPLES
@given(pieces=st.lists(st.sampled_from(TOKENS) | st.text("abc 012,.\n", max_size=4).map(str.encode), max_size=12))
def test_any_tokens(suffix: str, pieces: list[bytes], tmp_path: Path) -> None:
    check(tmp_path / f"a.{suffix}", b"".join(pieces))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_mutations_of_a_valid_file(suffix: str, tmp_path: Path) -> None:
    generator, data = random.Random(7), valid(suffix, tmp_path)
    assert check(tmp_path / f"a.{suffix}", data) is not None
    read = sum(check(tmp_path / f"a.{suffix}", mutate(data, generator)) is not None for _ in range(400))
    assert read < 400, "some mutations must be noticed"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncations_of_a_valid_file(suffix: str, tmp_path: Path) -> None:
    data = valid(suffix, tmp_path)
    whole = len(data.rstrip())
    for length in range(0, len(data), max(1, len(data) // 200)):
        named = check(tmp_path / f"a.{suffix}", data[:length])
        if length < whole and suffix in ("graphml", "json", "npz", "stp"):
            assert named is None, "half a file is not a graph"


def test_mutations_of_a_real_tour(tmp_path: Path) -> None:
    generator, path = random.Random(7), tmp_path / "a.tour"
    for _ in range(400):
        path.write_bytes(mutate(TOUR.read_bytes(), generator))
        try:
            tour, said = read_tour(path), f"{path}: "
        except GraphError as error:
            tour, said = [], str(error)
        assert len(set(tour)) == len(tour)
        assert said.startswith(f"{path}: ")
        assert len(said.splitlines()) == 1


def test_mutations_of_a_real_file(tmp_path: Path) -> None:
    generator, data = random.Random(7), ABILENE.read_bytes()
    for _ in range(200):
        check(tmp_path / "a.graphml", mutate(data, generator))


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        ("json", b'{"nodes":' * 50_000),
        ("graphml", b"<graphml><graph>" + b"<node id='a'><graph>" * 50_000),
        (
            "graphml",
            b"<graphml><graph>" + b"<node><graph>" * 20_000 + b"</graph></node>" * 20_000 + b"</graph></graphml>",
        ),
        ("graphml", b"<graphml>" + b"\n&#65;" * 200_000 + b"</graphml>"),
        ("txt", b"a " * 500_000),
        ("csv", b"a," + b'"' * 500_001),
        ("col", b"p edge 1 1\n" * 50_000),
        ("tsp", b"COMMENT : x\n" * 50_000),
        ("stp", b"33D32945\n" + b"SECTION Comment\nEND\n" * 50_000),
        ("mc", b"2 99999\n" + b"1 2 3\n" * 50_000),
    ],
    ids=["json", "open", "nested", "text", "txt", "csv", "col", "tsp", "stp", "mc"],
)
def test_large_nonsense_is_refused(suffix: str, data: bytes, tmp_path: Path) -> None:
    assert check(tmp_path / f"a.{suffix}", data) is None
