"""The types of nodes and edges of a `HeteroData`, and how their columns are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch_geometric.data import HeteroData

from graphwright.core import GraphError

EdgeType = tuple[str, str, str]


@dataclass(frozen=True)
class HeteroTypes:
    """The types of nodes and edges, each in the order that numbers them.

    Raises GraphError for two types of which a column's name would not tell the owner ("a" and "a.b").
    """

    nodes: tuple[str, ...]
    edges: tuple[EdgeType, ...]

    def __post_init__(self) -> None:
        """Raise GraphError for two types whose names begin alike."""
        for types in (self.nodes, self.edges):
            prefixes = sorted(prefix(kind) for kind in types)
            for one, other in pairwise(prefixes):
                if other.startswith(one):
                    raise GraphError(f"types {one[:-1]!r} and {other[:-1]!r} begin alike; rename one of them")

    @staticmethod
    def of(data: HeteroData) -> HeteroTypes:
        """Those of `data`, in its order."""
        return HeteroTypes(tuple(data.node_types), tuple(data.edge_types))


def prefix(kind: str | EdgeType) -> str:
    """What the columns of a type begin with: "paper." or "author.writes.paper."."""
    return f"{kind}." if isinstance(kind, str) else "".join(f"{part}." for part in kind)


def owner(name: str, types: Sequence[str | EdgeType]) -> str | EdgeType | None:
    """The type whose column this is; None where it belongs to all."""
    return next((kind for kind in types if name.startswith(prefix(kind))), None)
