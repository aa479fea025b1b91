"""A position as a document: where its nodes stand, who owns them, and what may be done."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphwright.drawing.layout import place_nodes
from graphwright.training.games.played import Position


def board_document(position: Position, opinion: bool) -> dict[str, Any]:
    """What a page needs to draw a position. opinion: whether the policy's probabilities and value belong to it."""
    graph = position.graph
    given = position.positions
    links = graph.edge_index.T[graph.links[0]].cpu().numpy()
    placed, _ = place_nodes(links, graph.num_nodes, None if given is None else given.cpu().double().numpy())
    names, owner, marks = position.node_names, position.owner, position.marks
    shares, value = position.opinion() if opinion else ([], 0.0)
    moves: list[dict[str, Any]] = []
    for place, action in enumerate(position.legal):
        moves.append({"action": action, "name": position.name(place), "node": position.node_of(place)})
        if shares:
            moves[-1]["probability"] = round(shares[place], 4)
    return {
        "moves": position.moves,
        "side": position.side,
        "over": position.over,
        "outcome": position.outcome,
        "nodes": [
            {"x": float(x), "y": float(y), "name": name, "owner": side, "marks": mark}
            for (x, y), name, side, mark in zip(_scaled(placed), names, owner, marks, strict=True)
        ],
        "links": links.tolist(),
        "legal": moves,
        **({"value": round(value, 4)} if opinion and not position.over else {}),
    }


def _scaled(placed: np.ndarray) -> np.ndarray:
    """[N, 2]: moved to begin at 0, and scaled so that the nearest two nodes are 1 apart."""
    if not len(placed):
        return placed
    from scipy.spatial import cKDTree

    moved = placed - placed.min(0)
    near = cKDTree(moved).query(moved, k=2)[0][:, 1].min() if len(moved) > 1 else 1.0
    return np.round(moved / max(near, 1e-3 * max(moved.max(), 1e-9)), 3)
