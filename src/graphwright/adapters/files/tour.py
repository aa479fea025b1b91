"""Tours as TSPLIB has them (`.tour`, `.opt.tour`): the nodes of a `.tsp` file in their order.

    NAME : three.opt.tour
    TYPE : TOUR
    DIMENSION : 3           may be missing
    TOUR_SECTION
    1
    3
    2
    -1
    EOF

Reinelt (1991), "TSPLIB: A traveling salesman problem library".
"""

from __future__ import annotations

from graphwright.adapters.files.counted import whole
from graphwright.adapters.files.tsplib_text import check_dimension, parse
from graphwright.core import GraphError

_KEYWORDS: dict[str, tuple[str, ...]] = {"NAME": (), "TYPE": ("TOUR",), "COMMENT": (), "DIMENSION": ()}


def read(data: bytes) -> list[str]:
    """The names of the nodes in the order of the tour. Raises GraphError, naming the line, for a malformed file."""
    values, sections = parse(data, _KEYWORDS, ("TOUR_SECTION",))
    tour: dict[str, int] = {}
    closed = False
    for line, words in sections["TOUR_SECTION"]:
        try:
            for word in words:
                if closed and word != "-1":
                    raise GraphError("a second tour; keep one")
                closed = word == "-1"
                if not closed:
                    _visit(tour, str(whole(word)), line)
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    if not closed:
        raise GraphError("has a tour without the -1 at its end; add it, or complete the file if it was cut off")
    if "DIMENSION" in values:
        check_dimension(*values["DIMENSION"], len(tour))
    return list(tour)


def _visit(tour: dict[str, int], name: str, line: int) -> None:
    if name in tour:
        raise GraphError(f"node {name} once more, after line {tour[name]}; a tour visits each node once")
    tour[name] = line
