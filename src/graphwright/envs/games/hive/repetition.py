"""When two positions of Hive are the same."""

from __future__ import annotations

from graphwright.core import GraphBatch

Key = tuple[int, tuple[tuple[int, ...], ...]]


def position_key(state: GraphBatch) -> Key:
    """Equal for positions of one game in which the same side moves and alike pieces lie alike, wherever the hive is."""
    names = ("q", "r", "level", "kind", "owner")
    columns = [state.nodes[name].tolist() for name in names]
    lying = sorted(row for row in zip(*columns, strict=True) if row[2] >= 0)
    left, upper = (min((row[axis] for row in lying), default=0) for axis in (0, 1))
    return int(state.graphs["player"]), tuple((q - left, r - upper, *rest) for q, r, *rest in lying)
