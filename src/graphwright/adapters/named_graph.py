"""`NamedGraph`: one graph together with the names its source gave to the nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from graphwright.adapters.reading import Reading
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.graph import Columns


@dataclass(frozen=True, eq=False)
class NamedGraph:
    """One graph whose nodes have names.

    graph: a batch of one graph.
    names: N different names, in node order.
    reading: what was understood of its source, where it has one.

    Raises GraphError for another number of graphs or names, and for a name that stands twice.
    """

    graph: GraphBatch
    names: tuple[str, ...]
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        if self.graph.num_graphs != 1:
            raise GraphError(f"a NamedGraph holds one graph, not {self.graph.num_graphs}; `select` the one to name")
        if len(self.names) != self.graph.num_nodes:
            raise GraphError(f"{len(self.names)} names for {self.graph.num_nodes} nodes; give each node one name")
        if len(set(self.names)) != len(self.names):
            twice = Counter(self.names).most_common(1)[0][0]
            raise GraphError(f"two nodes are named {twice!r}; give each node its own name")

    @property
    def directed(self) -> bool:
        """Whether each edge stands once, with a direction; an undirected graph holds both and the column `reverse`."""
        return "reverse" not in self.graph.edges

    @staticmethod
    def numbered(graph: GraphBatch, start: int = 0) -> NamedGraph:
        """One graph with its nodes named "0", "1", ... (or from `start` on: DIMACS files count from 1)."""
        return NamedGraph(graph, tuple(str(start + node) for node in range(graph.num_nodes)))

    @staticmethod
    def from_links(
        names: Iterable[str],
        links: Sequence[tuple[int, int]] | Tensor,
        *,
        directed: bool,
        nodes: Columns | None = None,
        edges: Columns | None = None,
        graphs: Columns | None = None,
    ) -> NamedGraph:
        """A graph from its L links, pairs of places in `names`; an undirected link stands once, either way round.

        nodes [N, ...], edges [L, ...], graphs [1, ...]: columns. Raises GraphError as `from_edges` does, and for an
        edge column `reverse`, whose name is taken.
        """
        if edges and "reverse" in edges:
            raise GraphError("edge column 'reverse' has the name of the column that pairs opposite edges; rename it")
        names = tuple(names)
        pairs = torch.as_tensor(links, dtype=torch.int64).reshape(-1, 2).T
        if not directed:  # all the same way round, so that the k-th of parallel links is the opposite of the k-th
            pairs = torch.stack([pairs.amax(0), pairs.amin(0)])
        count = torch.tensor([len(names)])
        return NamedGraph(
            from_edges(pairs, count, undirected=not directed, nodes=nodes, edges=edges, graphs=graphs), names
        )

    def links(self) -> tuple[Tensor, dict[str, Tensor]]:
        """The inverse of `from_links`: [2, L] int64, each undirected link once, smaller end first; and its columns.

        Raises GraphError where an edge column differs between the two directions of an undirected link.
        """
        graph = self.graph
        rows, _ = graph.links
        columns = {name: column[rows] for name, column in graph.edges.items() if name != "reverse"}
        if self.directed:
            return graph.edge_index, columns
        links, opposite = graph.edge_index[:, rows].flip(0), graph.edges["reverse"][rows]
        for name, column in columns.items():
            differs = ~_equal(column, graph.edges[name][opposite])
            if bool(differs.any()):
                one, other = (self.names[node] for node in links[:, int(differs.nonzero()[0, 0])].tolist())
                raise GraphError(
                    f"edge column {name!r} differs between the two directions of {one!r} - {other!r}; "
                    "make them equal, or drop the column 'reverse' to make the graph directed"
                )
        return links, columns


def _equal(left: Tensor, right: Tensor) -> Tensor:
    """Elementwise equality in which NaN equals NaN."""
    return (left == right) | ((left != left) & (right != right))
