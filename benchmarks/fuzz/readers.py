"""Mutated files of every format: each is read as a graph or refused in one line, with little memory and without end.

    python benchmarks/fuzz/readers.py --inputs 1000000 [--seed 0] [--workers 2]

Each input is a small valid file of one format with one to four pieces changed, put in, taken out or repeated, now and
then under the suffix of another format. It fails the run if anything but a `GraphError` of one line comes of it, if the
graph that is read is not whole, if it makes the process larger by over 64 MiB, or all together by over 200 MiB, or if
it takes more function calls than a file of its size can need: calls are counted, no clock is read. Failing inputs are
kept in the working directory.
"""

from __future__ import annotations

import contextlib
import gzip
import multiprocessing
import random
import resource
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import FrameType

import tyro

from graphwright.adapters.files import read_graph, write_graph
from graphwright.core import GraphError

STP = """33D32945 STP File, STP Format Version 1.0
SECTION Graph\nNodes 3\nEdges 2\nE 1 2 4\nE 2 3 1\nEND
SECTION Terminals\nTerminals 2\nT 1\nT 2\nEND
SECTION Coordinates\nDD 1 0 0\nEND\nEOF
"""
GRAPHML = """<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="w" for="node" attr.name="weight" attr.type="double"><default>1</default></key>
<key id="e" for="edge" attr.name="weight" attr.type="int"/>
<graph edgedefault="undirected"><node id="a"><data key="w">2.5</data></node><node id="b"/>
<edge source="a" target="b"><data key="e">3</data></edge></graph></graphml>
"""
GEXF = """<?xml version="1.0"?><gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">
<graph defaultedgetype="undirected"><nodes><node id="0" label="a"/><node id="1" label="b"/></nodes>
<edges><edge id="0" source="0" target="1" weight="2.5"/></edges></graph></gexf>
"""
JSON = """{"directed": false, "multigraph": true, "graph": {"y": 1}, "nodes": [{"id": "a", "weight": 2.5, "at": [1, 2]},
{"id": 1, "weight": "3"}], "edges": [{"source": "a", "target": 1, "weight": 4, "key": 0}]}
"""
TSP = "NAME: t\nTYPE : TSP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : EUC_2D\nNODE_COORD_SECTION\n1 0 0\n2 3 4\n3 1 9\nEOF\n"
GML = 'graph [ directed 0 node [ id 0 label "a" x 1.5 ] node [ id 1 label "b" ] edge [ source 0 target 1 value 3 ] ]\n'
MTX = "%%MatrixMarket matrix coordinate real symmetric\n% a comment\n3 3 2\n2 1 0.5\n3 2 1\n"
VALID = {
    ".txt": "# Directed graph\na b 0.5\nb c 1,5\nd\n",
    ".csv": 'source,target,weight\n"a, b",c,1\nc,d,2\n',
    ".tsv": "6 5\n1\t2\n1\t3\n1\t4\n1\t5\n1\t6\n",
    ".edgelist": "a b {'weight': 2, 'x': [1, 2]}\nb c {}\n",
    ".graphml": GRAPHML,
    ".gexf": GEXF,
    ".gml": GML,
    ".json": JSON,
    ".col": "c x\np edge 4 3\nn 1 2.5\ne 1 2\ne 2 3\ne 3 3\n",
    ".gr": "p sp 3 2\na 1 2 4\na 2 3 5\n",
    ".mc": "# x\n4 3\n1 2 -1\n2 3 0.5\n1 4 2\n",
    ".stp": STP,
    ".tsp": TSP,
    ".net": '*Vertices 3\n1 "a" 0.1 0.2\n2 "b"\n*Edges\n1 2 2.5\n2 3\n',
    ".adjlist": "# x\na b c\nb c\nd\n",
    ".g6": "D?{\n",
    ".s6": ":Cn\n",
    ".graph": "% x\n3 2 11\n5 2 7\n1 1 7 3 2\n2 2 2\n",
    ".mtx": MTX,
}
TOKENS = [
    *(b"\n", b" ", b",", b";", b"\t", b'"', b"'", b"<", b">", b"&", b"{", b"}", b"[", b"]", b"(", b"#", b"%", b"*"),
    *(b":", b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\x1b[31m", b"-1", b"nan", b"1e999", b"0,5", b"1_0"),
    *(b"9" * 30, b"1000000000", b"null", b"true", b"weight", b"reverse", b"p edge 9 9\n", b"<node/>", b"</graph>"),
    *(b'"id"', b"EOF\n", b"END\n", b"[" * 2000, b"<a>" * 2000, b"{" * 2000, b"a " * 500, b"a,b\n" * 200, b"*Arcs\n"),
]  # fmt: skip
ONE_INPUT, ALL = 64 << 10, 200 << 10
"""Kibibytes by which one input, and all together, may make the process larger."""
CALLS, CALLS_A_BYTE = 300_000, 2_000


@dataclass(frozen=True)
class Options:
    """How much is tried."""

    inputs: int = 1_000_000
    """Mutated files, of all formats together."""
    seed: int = 0
    """Of all random choices."""
    workers: int = 1
    """Processes that share the inputs."""


class TooManyCalls(BaseException):
    """Reading goes on for longer than any file of its size can need."""


def main(options: Options) -> None:
    """Try all inputs and print what came of them; ends with exit code 1 where any failed."""
    share = [(options.inputs + place) // options.workers for place in range(options.workers)]
    jobs = [(count, f"{options.seed}-{place}") for place, count in enumerate(share)]
    if options.workers == 1:
        found = [fuzz(*jobs[0])]
    else:
        with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
            found = pool.starmap(fuzz, jobs)
    outcomes = sum((outcome for outcome, _, _ in found), Counter())
    print(f"{'format':<12}{'inputs':>9}{'read':>9}{'refused':>9}")
    for suffix in valid_files():
        read, refused = outcomes[suffix, "read"], outcomes[suffix, "refused"]
        print(f"{suffix:<12}{read + refused:>9}{read:>9}{refused:>9}")
    failures = [failure for _, failures, _ in found for failure in failures]
    print(
        f"{sum(outcomes.values())} inputs, {len(failures)} failed; memory grew by {max(s for *_, s in found) >> 10} MiB"
    )
    for failure in failures[:20]:
        print(failure)
    if failures:
        sys.exit(1)


def valid_files() -> dict[str, bytes]:
    """A small file of each format by its suffix, packed ones and archives included."""
    texts = {suffix: text.encode() for suffix, text in VALID.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_bytes(texts[".json"])
        write_graph(path.with_suffix(".npz"), read_graph(path))
        texts[".npz"] = path.with_suffix(".npz").read_bytes()
    return texts | {".txt.gz": gzip.compress(texts[".txt"], mtime=0), ".csv/utf-16": VALID[".csv"].encode("utf-16")}


def mutate(data: bytes, draw: random.Random) -> bytes:
    """`data` with one to four pieces changed, put in, taken out or repeated."""
    for _ in range(draw.randint(1, 4)):
        start = draw.randrange(len(data) + 1)
        end = min(len(data), start + draw.choice([0, 1, 1, 2, 8, 40]))
        piece = draw.choice(
            [b"", bytes([draw.randrange(256)]), draw.choice(TOKENS), data[start:end] * draw.choice([2, 2, 50])]
        )
        data = data[:start] + piece + data[end:]
    return data


def fuzz(count: int, seed: str) -> tuple[Counter[tuple[str, str]], list[str], int]:
    """What came of `count` inputs by format, how some failed, and the kibibytes by which the process grew."""
    draw, files = random.Random(seed), valid_files()
    names = list(files)
    outcomes: Counter[tuple[str, str]] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        for suffix, data in product(names, files.values()):  # what is imported or compiled late is no input's
            path = Path(folder) / f"a{suffix.split('/')[0]}"
            path.write_bytes(data)
            with contextlib.suppress(GraphError):
                read_graph(path)
        began = largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for place in range(count):
            suffix = names[place % len(names)]
            data = mutate(files[suffix], draw)
            if suffix == ".txt.gz" and draw.random() < 0.5:
                data = gzip.compress(mutate(files[".txt"], draw), mtime=0)
            suffix = draw.choice(names) if draw.random() < 0.05 else suffix
            outcome, failure = attempt(Path(folder), suffix, data)
            outcomes[suffix, outcome] += 1
            size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if size - largest > ONE_INPUT or size - began > ALL:
                failure = failure or f"memory grew by {(size - largest) >> 10} MiB to {(size - began) >> 10} MiB"
            largest = max(size, largest)
            if failure:
                kept = Path(f"fuzz-{seed}-{place}{suffix.split('/')[0]}")
                kept.write_bytes(data)
                failures.append(f"{kept}: {failure}")
    return outcomes, failures, largest - began


def attempt(folder: Path, suffix: str, data: bytes) -> tuple[str, str]:
    """Whether `data` was "read" or "refused", and what was wrong about that, if anything."""
    path = folder / f"a{suffix.split('/')[0]}"
    path.write_bytes(data)
    left = CALLS + CALLS_A_BYTE * len(data)

    def on_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            sys.setprofile(None)
            raise TooManyCalls

    try:
        sys.setprofile(on_call)
        named = read_graph(path)
    except GraphError as error:
        sys.setprofile(None)
        told = str(error)
        right = told.startswith(f"{path}: ") and len(told.splitlines()) == 1
        return "refused", "" if right else f"said {told!r}"
    except TooManyCalls:
        return "refused", "too many calls"
    except Exception as error:  # what is looked for
        return "refused", f"{type(error).__name__}: {error}"
    finally:
        sys.setprofile(None)
    try:
        named.graph.validate()
        named.reading.sentence()
    except Exception as error:
        return "read", f"{type(error).__name__}: {error}"
    whole = len(named.names) == named.graph.num_nodes and bool(named.graph.nodes["weight"].isfinite().all())
    return "read", "" if whole else "not whole"


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
