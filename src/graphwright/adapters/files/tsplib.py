"""Points of the travelling salesman problem as TSPLIB has them (`.tsp`), without edges; or a table of distances.

    NAME : three
    TYPE : TSP
    DIMENSION : 3
    EDGE_WEIGHT_TYPE : EUC_2D       or CEIL_2D, ATT, GEO; the graph column `rounding` [1] int64, see `ROUNDINGS`
    NODE_COORD_SECTION
    1 37 52                         a name, a whole number, and the node column `position` [N, 2] float64
    2 49 49
    3 52 64
    EOF

Reinelt (1991), "TSPLIB: A traveling salesman problem library". With EDGE_WEIGHT_TYPE : EXPLICIT, see `tsplib_matrix`.
Refused is everything that makes another problem of it: fixed edges, asymmetric distances, capacities.
"""

from __future__ import annotations

import torch

from graphwright.adapters.files.counted import whole
from graphwright.adapters.files.refusal import check_column, refuse, refuse_columns, refuse_weights
from graphwright.adapters.files.tsplib_matrix import FORMATS, TABLE, distances
from graphwright.adapters.files.tsplib_text import Rows, Values, check_dimension, parse, value_of
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal, spell
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

ROUNDINGS = {"EUC_2D": 1, "CEIL_2D": 2, "ATT": 3, "GEO": 4}
"""The value of `rounding` for each kind of distance: to the nearest whole number, up, and as TSPLIB has them."""

_SECTION, _DISPLAY = "NODE_COORD_SECTION", "DISPLAY_DATA_SECTION"
_KEYWORDS: dict[str, tuple[str, ...]] = {
    "NAME": (),
    "TYPE": ("TSP", "ATSP"),
    "COMMENT": (),
    "DIMENSION": (),
    "EDGE_WEIGHT_TYPE": (*ROUNDINGS, "EXPLICIT"),
    "EDGE_WEIGHT_FORMAT": ("FUNCTION", *FORMATS),
    "NODE_COORD_TYPE": ("TWOD_COORDS", "NO_COORDS"),
    "DISPLAY_DATA_TYPE": ("COORD_DISPLAY", "TWOD_DISPLAY", "NO_DISPLAY"),
}
_FORM = "a TSPLIB file (.tsp)"
_REMEDY = "write .json or .npz"


def read(data: bytes) -> NamedGraph:
    """The points or distances in `data`. Raises GraphError, naming the line, for a malformed file."""
    values, sections = parse(data, _KEYWORDS, (_SECTION, TABLE, _DISPLAY))
    line, said = value_of(values, "TYPE")
    if said.split()[0] == "ATSP":
        raise GraphError(f"line {line}: ATSP, where distances differ by direction, is not read; tours are of points")
    kind = value_of(values, "EDGE_WEIGHT_TYPE")[1].split()[0]
    if kind == "EXPLICIT":
        return distances(values, sections)
    if TABLE in sections:
        raise GraphError(f"has a {TABLE}, which {kind} distances have not; delete it, or write EXPLICIT")
    if _SECTION not in sections:
        raise GraphError(f"has no {_SECTION}, which {kind} distances are between; add it")
    return _points(values, sections[_SECTION], kind, tuple(section for section in sections if section != _SECTION))


def _points(values: Values, rows: Rows, kind: str, ignored: tuple[str, ...]) -> NamedGraph:
    positions: dict[str, tuple[float, float]] = {}
    for line, words in rows:
        try:
            name, position = _point(words)
            if name in positions:
                raise GraphError(f"a second node {name}; give each node its own number")
            positions[name] = position
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    check_dimension(*value_of(values, "DIMENSION"), len(positions))
    return from_listed(
        positions,
        [],
        directed=False,
        nodes={"position": torch.tensor(list(positions.values()), dtype=torch.float64).reshape(-1, 2)},
        graphs={"rounding": torch.tensor([ROUNDINGS[kind]])},
        reading=Reading(format=f"TSPLIB ({kind})", ignored=ignored),
    )


def _point(words: list[str]) -> tuple[str, tuple[float, float]]:
    if len(words) != 3:
        raise GraphError(f"{' '.join(words)[:40]!r} is no node of {_SECTION}; write 'node x y'")
    return str(whole(words[0])), (decimal(words[1]), decimal(words[2]))


def write(named: NamedGraph) -> bytes:
    """`named` as a TSPLIB file. Raises GraphError for what that cannot hold."""
    if named.directed or named.graph.num_edges:
        raise refuse(_FORM, "edges or a directed graph", _REMEDY)
    for name in named.names:
        if not (len(name) < 19 and name.isascii() and name.isdigit() and name == str(int(name))):
            raise refuse(_FORM, f"the node name {name[:40]!r}, only whole numbers", "write .json or .npz, or rename it")
    refuse_columns(_FORM, named, _REMEDY, nodes=["position"], graphs=["rounding"])
    refuse_weights(_FORM, named, _REMEDY)
    position = check_column(_FORM, "node column 'position'", named.graph.nodes.get("position"), torch.float64, (2,))
    if not bool(position.isfinite().all()):
        raise refuse(_FORM, "node column 'position' with values that are not finite", _REMEDY)
    rounding = check_column(_FORM, "graph column 'rounding'", named.graph.graphs.get("rounding"), torch.int64)
    kind = next((kind for kind, number in ROUNDINGS.items() if number == int(rounding)), None)
    if kind is None:
        raise refuse(_FORM, f"graph column 'rounding' with {int(rounding)}, only 1 to 4", _REMEDY)
    lines = ["NAME : graph", "TYPE : TSP", f"DIMENSION : {len(named.names)}", f"EDGE_WEIGHT_TYPE : {kind}", _SECTION]
    for name, (x, y) in zip(named.names, position.tolist(), strict=True):
        lines.append(f"{name} {spell(x)} {spell(y)}")
    return "".join(line + "\n" for line in [*lines, "EOF"]).encode()
