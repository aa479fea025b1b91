"""From files to instances: what `evaluate` and `solve` share."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from graphwright.adapters.files import read_graph
from graphwright.adapters.files.first_line import Header
from graphwright.adapters.files.weight import with_edge_weight, with_weight
from graphwright.adapters.listed_links import forget_directions
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import Reading
from graphwright.adapters.rows import OF_GRAPH
from graphwright.cli.marks import with_marks
from graphwright.core import GraphBatch, GraphError
from graphwright.core.graph import Columns
from graphwright.drawing.letters import printable
from graphwright.envs.readable import Inputs, Readable
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError
from graphwright.training.decode import LARGE


@dataclass(frozen=True)
class FileOptions:
    """How files are read."""

    weight: str | None = None
    """Attribute of nodes that holds their weights; otherwise the one called weight, or 1 where there is none."""
    edge_weight: str | None = None
    """Attribute of edges that holds their weights or lengths; otherwise the one called weight or length."""
    header: Header | None = None
    """What the first line of a text table is, where its other lines leave that open."""
    undirected: bool = False
    """Forget the directions of directed files: opposite edges are joined as parallel ones are."""
    mark: tuple[str, ...] = ()
    """Nodes that play a part which the file does not say, as in terminal=Denver,Seattle or start=3 target=17."""

    def read(self, path: Path, environment: Readable) -> tuple[NamedGraph, GraphBatch]:
        """The file's graph with its `reading`, and the instance that it is. Raises GraphError naming the file."""
        named = read_graph(path, header=self.header)
        inputs = environment.inputs
        hint = ""
        try:
            if self.undirected:
                named = forget_directions(named)
            elif named.directed:
                hint = "; --undirected forgets the directions"
            named = with_marks(self._weighted(named, inputs), self.mark, inputs)
            hint = _offer(named, inputs) or hint
            instance = environment.instance(named.graph)
        except GraphError as error:
            told = self._in_words_of_the_file(str(error.in_names(named.names)), named.reading, inputs)
            raise GraphError(f"{path}: {told}{hint}") from None
        reading = _weights_said(named, instance) if inputs is None else understood(named, instance, inputs)
        return NamedGraph(named.graph, named.names, reading), instance

    def _in_words_of_the_file(self, told: str, reading: Reading, inputs: Inputs | None) -> str:
        """A complaint about a column that holds weights, with the attribute of the file from which it was read."""
        nodes = inputs.node_weight if inputs is not None and self.weight is not None else ()
        columns = [("node", name, reading.node_weight) for name in dict.fromkeys(("weight", *nodes))]
        for table, name, attribute in (*columns, ("edge", "weight", reading.edge_weight)):
            if attribute not in (None, name):
                told = told.replace(f"{table} column {name!r}", f"{table} column {name!r}, read from {attribute!r},")
        return told

    def _weighted(self, named: NamedGraph, inputs: Inputs | None) -> NamedGraph:
        """`named` with the attributes that the options name where the problem looks for weights.

        A problem that has weights of edges alone finds them by --weight too. Raises GraphError for weights that the
        problem does not read.
        """
        weight, edge_weight = self.weight, self.edge_weight
        if inputs is not None and weight is not None and not inputs.node_weight:
            if edge_weight is not None or not inputs.edge_weight or weight in named.graph.nodes:
                raise GraphError(f"--weight {weight}: this problem reads no weights of nodes; leave it out")
            weight, edge_weight = None, weight
        if inputs is not None and edge_weight is not None and not inputs.edge_weight:
            raise GraphError(f"--edge-weight {edge_weight}: this problem reads no weights of edges; leave it out")
        if edge_weight is not None:
            named = with_edge_weight(named, edge_weight)
        if weight is not None:
            named = with_weight(named, weight)
            names = inputs.node_weight if inputs is not None else ()
            graph = named.graph.with_nodes(**dict.fromkeys(names, named.graph.nodes["weight"]))
            named = NamedGraph(graph, named.names, named.reading)
        return named


def _offer(named: NamedGraph, inputs: Inputs | None) -> str:
    """The option that finds the weights of edges, for complaints about a graph in which none are found but might be."""
    if inputs is None or not inputs.nodes or not inputs.edge_weight or _edge_weight(named, inputs) is not None:
        return ""
    names = [name for name in named.graph.edges if name != "reverse" and name not in inputs.edges]
    others = _of_numbers(named.graph.edges, names)
    return f"; --edge-weight {' or '.join(others[:5])} would take the numbers that edges have" if others else ""


def understood(named: NamedGraph, instance: GraphBatch, inputs: Inputs) -> Reading:
    """The `reading` of a graph with what a problem of these `inputs` made of it, `instance`."""
    graph, reading = named.graph, named.reading
    notes = list(reading.notes)
    node_weight = reading.node_weight if inputs.node_weight else None
    if inputs.node_weight and node_weight is None:
        node_weight = next((name for name in inputs.node_weight if name in graph.nodes and name != "weight"), None)
    edge_weight = _edge_weight(named, inputs)
    read = _names(inputs.nodes, inputs.marks, inputs.node_weight), _names(inputs.edges, inputs.edge_weight)
    others = [
        [name for name in columns if name.lower() not in own and name not in ("reverse", used)]
        for columns, own, used in zip(
            (graph.nodes, graph.edges), read, (node_weight, reading.edge_weight and edge_weight), strict=True
        )
    ]
    others[0] = [name for name in others[0] if name != "weight" or reading.node_weight == "weight"]
    others[1] = [name for name in others[1] if name != "weight" or reading.edge_weight in (None, "weight")]
    if inputs.node_weight and node_weight is None:
        notes.append(_fallen_back("node", _of_numbers(graph.nodes, others[0]), "--weight"))
    if inputs.edge_weight and edge_weight is None and not inputs.nodes:
        notes.append(_fallen_back("edge", _of_numbers(graph.edges, others[1]), "--edge-weight"))
    if dropped_loops(named, instance):
        notes.append("loops are dropped")
    if reading.parallel and graph.num_edges:
        notes.append(f"parallel links {inputs.parallel}")
    ignored = [f"node attribute {name!r}" for name in others[0]] + [f"edge attribute {name!r}" for name in others[1]]
    left = _of_rows(reading.ignored)
    if inputs.graphs:  # else nobody expects that what a file says of the whole is read
        left = reading.ignored
        ignored += [f"{OF_GRAPH} {name!r}" for name in graph.graphs if name.lower() not in inputs.graphs]
    return replace(
        reading,
        node_weight=node_weight,
        edge_weight=edge_weight,
        ignored=(*left, *ignored),
        notes=tuple(notes),
    )


def _of_rows(ignored: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `ignored` that are attributes of nodes and edges, or columns of a table."""
    return tuple(name for name in ignored if not name.startswith(OF_GRAPH))


def _weights_said(named: NamedGraph, instance: GraphBatch) -> Reading:
    """The `reading` of a graph by a problem that does not say what it reads, but keeps weights that are in no file."""
    graph, reading = named.graph, replace(named.reading, ignored=_of_rows(named.reading.ignored))
    if "weight" not in instance.nodes or reading.node_weight is not None:
        return reading
    others = _of_numbers(graph.nodes, [name for name in graph.nodes if name != "weight"])
    return replace(reading, notes=(*reading.notes, _fallen_back("node", others, "--weight")))


def _edge_weight(named: NamedGraph, inputs: Inputs) -> str | None:
    """The name by which the file calls the weights of edges that are read."""
    found = next((name for name in inputs.edge_weight if name in named.graph.edges), None)
    return (named.reading.edge_weight or found) if found == "weight" else found


def _names(*names: tuple[str, ...]) -> set[str]:
    return {name for some in names for name in some}


def _of_numbers(columns: Columns, names: Iterable[str]) -> list[str]:
    """Those of `names` whose columns hold one number a row, as weights do."""
    return [name for name in names if columns[name].dim() == 1]


def _fallen_back(table: str, others: list[str], option: str) -> str:
    """What is said of weights that are 1 as the file names none."""
    said = f"{table} weights are 1"
    if not others:
        return said
    return f"{said} ({option} {' or '.join(others[:5])} would take the numbers that {table}s have)"


def dropped_loops(named: NamedGraph, instance: GraphBatch) -> int:
    """How many links of a node with itself the problem leaves out; it may keep one as two edges, there and back."""
    return max(0, named.reading.loops - int((instance.edge_index[0] == instance.edge_index[1]).sum()))


def say_slowness(agent: Agent, instances: Iterable[GraphBatch]) -> None:
    """Say on stderr where each decision in a large graph will look at all of it, and why."""
    largest = max((int(instance.node_segments.lengths.amax()) for instance in instances), default=0)
    if largest >= LARGE and (reason := agent.why_not_local) is not None:
        said = f"every decision looks at the whole graph of {largest:,} nodes again, since {reason}"
        print(printable(f"{agent.problem.name}: {said}"), file=sys.stderr)


_OF_RANDOM = ("sizes", "graphs", "generator", "law")
"""Options of random instances."""


def read_all(
    paths: Sequence[Path], files: FileOptions, options: Any, environment: Readable
) -> tuple[dict[str, GraphBatch], dict[str, dict[str, object]]]:
    """The instances of files by their names, and what was understood of each, which is said on stderr too.

    options: of the command, among them those of random instances, which are not for files. Raises ConfigError for
    options that would do nothing and for a file that is named twice, GraphError naming the file.
    """
    if paths and (idle := [name for name in _given(options) if name in _OF_RANDOM]):
        raise ConfigError(f"{_as_options(idle)}: for random instances, and --instances names files; leave one out")
    if not paths and (idle := _given(files)):
        raise ConfigError(f"{_as_options(idle)}: for files, and none is named by --instances; name one or leave it out")
    if len(set(paths)) < len(paths):
        raise ConfigError("--instances: a file is named twice; name each once")
    instances, read = {}, {}
    for path in paths:
        named, instances[str(path)] = files.read(path, environment)
        read[str(path)] = named.reading.document()
        say_reading(path, named)
    return instances, read


def _given(options: Any) -> list[str]:
    """The fields of the dataclass `options` that are not at their defaults."""
    return [field.name for field in fields(options) if getattr(options, field.name) != field.default]


def _as_options(names: Sequence[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def say_reading(path: Path, named: NamedGraph) -> None:
    """Say on stderr what was understood of the file at `path`."""
    print(printable(f"{path}: read as {named.reading.sentence()}"), file=sys.stderr)
