"""The directed cut relaxation of the Steiner tree problem: what every arborescence from a terminal to the others obeys.

Aneja (1980), "An integer linear programming approach to the Steiner problem in graphs"; Wong (1984), "A dual ascent
approach for Steiner tree problems on a directed graph".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_CAPACITY = 10**7  # of an arc that is taken whole; flows are counted in integers
_NESTED = 10


class Network(NamedTuple):
    """One graph.

    tail, head [E] int64, length [E] float64: its arcs, both ways. terminals: the first of them is the root.
    """

    tail: np.ndarray
    head: np.ndarray
    length: np.ndarray
    terminals: list[int]
    num_nodes: int


class Row(NamedTuple):
    """Σ x over `plus` − Σ x over `minus` ≥ `least`, x being 1 for each arc that is taken, otherwise 0."""

    plus: list[int]
    minus: list[int]
    least: int


def flow_rows(network: Network) -> list[Row]:
    """What holds around each node of a shortest arborescence.

    An arc leads into each terminal; where one leads into another node, one leads on, and to somewhere else; and none
    leads out of such a node unless one leads in.
    """
    into: list[list[int]] = [[] for _ in range(network.num_nodes)]
    out: list[list[int]] = [[] for _ in range(network.num_nodes)]
    ends = list(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    for arc, (tail, head) in enumerate(ends):
        out[tail].append(arc)
        into[head].append(arc)
    rows = [Row(into[node], [], 1) for node in network.terminals[1:]]
    for node in set(range(network.num_nodes)) - set(network.terminals):
        rows.append(Row(out[node], into[node], 0))
        rows += [Row([one for one in into[node] if ends[one][0] != ends[arc][1]], [arc], 0) for arc in out[node]]
    return rows


def violated_cuts(network: Network, value: np.ndarray) -> list[Row]:
    """Sets of arcs that part the root from a terminal, of which `value` [E] takes less than one in sum.

    Minimum cuts for each terminal, up to ten of them one behind the other. Every arc has the least possible capacity
    more than its value, so that of equal cuts those of few arcs are found.
    """
    from ortools.graph.python.max_flow import SimpleMaxFlow

    rows: dict[bytes, Row] = {}
    root, *others = network.terminals
    for terminal in others:
        capacity = np.floor(value.clip(0, 1) * _CAPACITY).astype(np.int64) + 1
        for _ in range(_NESTED):
            flow = SimpleMaxFlow()
            flow.add_arcs_with_capacity(network.tail, network.head, capacity)
            flow.solve(root, terminal)
            if flow.optimal_flow() > _CAPACITY * (1 - 1e-4):
                break
            beyond = np.zeros(network.num_nodes, dtype=bool)
            beyond[flow.get_sink_side_min_cut()] = True
            cut = np.flatnonzero(~beyond[network.tail] & beyond[network.head])
            rows[cut.tobytes()] = Row(cut.tolist(), [], 1)
            capacity[cut] = _CAPACITY
    return list(rows.values())
