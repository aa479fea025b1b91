"""From files to instances: what `evaluate` and `solve` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from graphwright.adapters.files import read_graph
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphBatch, GraphError, simplify
from graphwright.envs.optimization import Optimization


@dataclass(frozen=True)
class FileOptions:
    """How files are read."""

    weight: str = "weight"
    """Node attribute that holds the weights; 1 where a file has none of this name."""
    undirected: bool = False
    """Forget the directions of directed files."""
    mark: tuple[str, ...] = ()
    """Nodes that play a part which the file does not say, as in terminal=Denver,Seattle or start=3 target=17."""

    def read(self, path: Path, environment: Optimization) -> tuple[NamedGraph, GraphBatch]:
        """The file's graph, and the instance that it is. Raises GraphError naming the file."""
        named = read_graph(path, weight=self.weight)
        try:
            named = self._marked(named)
            graph = simplify(named.graph) if self.undirected else named.graph
            return named, environment.instance(graph)
        except GraphError as error:
            hint = "; --undirected forgets the directions" if named.directed and not self.undirected else ""
            raise GraphError(f"{path}: {error}{hint}") from None

    def _marked(self, named: NamedGraph) -> NamedGraph:
        place = {name: node for node, name in enumerate(named.names)}
        columns = {}
        for mark in self.mark:
            column, equals, names = mark.partition("=")
            if not equals or not column:
                raise GraphError(f"--mark {mark}: write it as terminal=NAME,NAME")
            columns[column] = torch.zeros(len(named.names), dtype=torch.bool)
            for name in names.split(","):
                if name not in place:
                    raise GraphError(f"--mark {mark}: the graph has no node {name!r}")
                columns[column][place[name]] = True
        return NamedGraph(named.graph.with_nodes(**columns), named.names)
