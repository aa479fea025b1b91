"""SteinLib graphs (`.stp`) of the Steiner tree problem: undirected, nodes 1 to N, edge lengths and terminals.

    33D32945 STP File, STP Format Version 1.0
    SECTION Graph
    Nodes 3
    Edges 2
    E 1 2 4.5           an edge and its length, the edge column `length` [E] float64
    E 2 3 1
    END
    SECTION Terminals
    Terminals 2
    T 1                 the node column `terminal` [N] bool
    T 3
    END
    SECTION Coordinates
    DD 1 80 50          the node column `position` [N, 2] float64, NaN for nodes left out
    END
    EOF

Koch, Martin & Voß (2001), "SteinLib: An updated library on Steiner tree problems in graphs". Upper and lower case are
the same. The sections Comment and Drawing are left out. Arcs, roots, prizes and what presolving took away are refused:
they make another problem of it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.adapters.files.counted import check_counted
from graphwright.adapters.files.refusal import check_column, refuse, refuse_columns, refuse_weights
from graphwright.adapters.files.steinlib_reader import FIRST, SteinLibReader
from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import spell
from graphwright.core import GraphError

_FORM = "a SteinLib file (.stp)"
_REMEDY = "write .json or .npz"


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    reader = SteinLibReader(len(data))
    for line, text in numbered_lines(data):
        try:
            reader.take(line, text)
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    return reader.graph()


def write(named: NamedGraph) -> bytes:
    """`named` as a SteinLib file. Raises GraphError for what that cannot hold."""
    check_counted(_FORM, named)
    refuse_columns(_FORM, named, _REMEDY, nodes=["terminal", "position"], edges=["length"])
    refuse_weights(_FORM, named, _REMEDY)
    links, columns = named.links()
    length = check_column(_FORM, "edge column 'length'", columns.get("length"), torch.float64)
    if not bool(((length >= 0) & length.isfinite()).all()):
        raise refuse(_FORM, "edge column 'length' with values that are not finite and >= 0", _REMEDY)
    terminal = check_column(_FORM, "node column 'terminal'", named.graph.nodes.get("terminal"), torch.bool)
    terminals = (1 + terminal.nonzero().squeeze(1)).tolist()
    lines = [FIRST, "", "SECTION Graph", f"Nodes {named.graph.num_nodes}", f"Edges {links.shape[1]}"]
    for (one, other), value in zip((links.T + 1).tolist(), length.tolist(), strict=True):
        lines.append(f"E {one} {other} {spell(value)}")
    lines += ["END", "", "SECTION Terminals", f"Terminals {len(terminals)}"]
    lines += [*(f"T {node}" for node in terminals), "END"]
    if "position" in named.graph.nodes:
        lines += ["", "SECTION Coordinates", *_coordinates(named.graph.nodes["position"]), "END"]
    return "".join(line + "\n" for line in [*lines, "", "EOF"]).encode()


def _coordinates(position: Tensor) -> list[str]:
    """The lines of the nodes that have a `position` [N, 2]."""
    kind = "node column 'position'"
    check_column(_FORM, kind, position, torch.float64, (2,))
    nowhere = position.isnan().all(1)
    if not bool((position.isfinite().all(1) | nowhere).all()):
        raise refuse(_FORM, f"{kind} with values that are not finite, unless both of a node are NaN", _REMEDY)
    rows = enumerate(position.tolist(), start=1)
    return [f"DD {node} {spell(x)} {spell(y)}" for (node, (x, y)), out in zip(rows, nowhere, strict=True) if not out]
