"""The linear policy that stands beside a network: of each candidate a weighted sum of the columns of its own row."""

from __future__ import annotations

from typing import Any

from graphwright.core import ActionSpec
from graphwright.core.rows import DECIDERS, EDGES, GRAPHS, NEIGHBOURS, NODES

LINEAR_ROWS = {NODES, NEIGHBOURS, EDGES, DECIDERS}
"""What actions are tied to that have a linear head."""
LINEAR: dict[str, Any] = {
    "encoder": {"depth": 0, "norm": False},
    "heads": {"nodes": "linear", "edges": "linear", "deciders": "linear"},
}
"""Settings of a run: what a row sees of its neighbours is what its columns say of them."""
POLICIES: dict[str, dict[str, Any]] = {"network": {}, "linear": LINEAR}
"""What is learned → how it differs from the settings of the problem."""


def has_linear(actions: ActionSpec) -> bool:
    """Whether what is chosen among has linear heads; to idle or to end, beside that, is scored as by a network."""
    rows = {block.rows for block in actions.blocks}
    return not actions.continuous and bool(rows & LINEAR_ROWS) and rows <= LINEAR_ROWS | {GRAPHS}


def words(settings: dict[str, dict[str, Any]]) -> list[str]:
    """The settings as options of `graphwright train`."""
    found = []
    for part, options in settings.items():
        for name, value in options.items():
            found += [f"--{part}.no-{name}"] if value is False else [f"--{part}.{name}", str(value)]
    return found
