"""Finished objects from files, as `graphwright sample` writes them: node-link lines, SMILES, arrays and words.

Each reader gives the objects one by one with what to call each of them, and raises ValueError with the reason for one
that is none. What they give fits the environment's columns; `legality.check_objects` says whether it can be built.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generative.context import TYPE, GraphContext
from graphwright.envs.generative.edge_sets import PRESENT, EdgeSets
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.grid import COORDINATE, HyperGrid
from graphwright.envs.generative.sequences import Sequences
from graphwright.envs.reversible import Reversible

_MOST_BYTES = 1 << 30


def read_objects(path: Path, environment: Reversible, instance: GraphBatch) -> tuple[GraphBatch, list[str]]:
    """The objects in the file at `path`, in the format of its suffix, on `instance`; and what to call each of them.

    Raises ValueError in one line: the file, the object and what is wrong with it.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise ValueError(f"{path}: objects are read from {', '.join(_READERS)} files")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{path}: is larger than {_MOST_BYTES >> 30} GiB")
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    objects, names, name = [], [], "the file"
    try:
        for name, make in reader(environment, environment.reset(instance), data):
            objects.append(make())
            names.append(f"{path}: {name}")
    except ValueError as error:
        raise ValueError(f"{path}: {name}: {error}") from None
    if not objects:
        raise ValueError(f"{path}: holds no object")
    return GraphBatch.concat(objects), names


Made = Iterator[tuple[str, Callable[[], GraphBatch]]]
"""What to call each object, and a function that makes it or raises ValueError."""


def _node_links(environment: Reversible, start: GraphBatch, data: bytes) -> Made:
    return _of_lines(data, lambda line: _of_document(environment, start, _document(line)))


def _smiles(environment: Reversible, start: GraphBatch, data: bytes) -> Made:
    from graphwright.envs.generative.molecules.atoms import AtomContext

    if not isinstance(environment, GraphBuilding) or not isinstance(environment.context, AtomContext):
        raise ValueError("SMILES are read where molecules are built atom by atom; give node-link lines (.jsonl)")
    return _of_lines(data, lambda line: _molecule(environment.context, line.split()[0]))


def _words(environment: Reversible, start: GraphBatch, data: bytes) -> Made:
    if not isinstance(environment, Sequences):
        raise ValueError("words are read where sequences are built; give node-link lines (.jsonl)")
    return _of_lines(data, lambda line: _word(environment, line))


def _arrays(environment: Reversible, start: GraphBatch, data: bytes) -> Made:
    make: Callable[[Any], GraphBatch]
    if isinstance(environment, HyperGrid):
        wanted, make = "states", lambda row: _cell(environment, start, row)
    elif isinstance(environment, EdgeSets):
        wanted, make = "adjacency", lambda row: _chosen_edges(environment, start, _edges_of(row))
    else:
        raise ValueError("arrays are read of grids and of edges between named nodes; give node-link lines (.jsonl)")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            rows = arrays[wanted]
    except (KeyError, OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise ValueError(f"is no .npz file with an array {wanted!r}") from None
    if rows.ndim < 2:
        raise ValueError(f"{wanted!r} has no row for each object")
    return ((f"object {place}", partial(make, row)) for place, row in enumerate(rows))


_READERS = {".jsonl": _node_links, ".smi": _smiles, ".npz": _arrays, ".txt": _words}


def _of_lines(data: bytes, make: Callable[[str], GraphBatch]) -> Made:
    def of(line: str) -> GraphBatch:
        if not line:
            raise ValueError("is blank")
        return make(line)

    lines = data.decode().splitlines()
    return ((f"line {number}", partial(of, line.strip())) for number, line in enumerate(lines, 1))


def _document(line: str) -> Mapping[str, Any]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None
    if isinstance(document, dict) and "links" in document and "edges" not in document:  # as networkx wrote it to 3.3
        document["edges"] = document["links"]
    if not isinstance(document, dict) or not all(isinstance(document.get(key), list) for key in ("nodes", "edges")):
        raise ValueError('is no graph of node-link form: {"nodes": [{"id": 0}], "edges": [{"source": 0, "target": 1}]}')
    return document


def _of_document(environment: Reversible, start: GraphBatch, document: Mapping[str, Any]) -> GraphBatch:
    nodes, links = document["nodes"], document["edges"]
    place = {node.get("id") if isinstance(node, dict) else node: row for row, node in enumerate(nodes)}
    if len(place) < len(nodes):
        raise ValueError("two nodes have the same id")
    try:
        edges = [(place[link["source"]], place[link["target"]]) for link in links]
    except (KeyError, TypeError):
        raise ValueError("an edge has a source or target that is no node") from None
    if isinstance(environment, EdgeSets):
        if bool(document.get("directed")) == ("reverse" in start.edges):
            raise ValueError(f"is {'' if document.get('directed') else 'not '}directed, unlike what is built")
        if len(nodes) != environment.num_nodes:
            raise ValueError(f"has {len(nodes)} nodes; what is built has {environment.num_nodes}")
        return _chosen_edges(environment, start, edges)
    if not isinstance(environment, GraphBuilding):
        raise ValueError("node-link lines are read where graphs are built")
    if document.get("directed"):
        raise ValueError("is directed; what is built is undirected")
    context = environment.context
    columns = {TYPE: context.node_types, **{key: count + 1 for key, count in context.node_attributes.items()}}
    of_nodes = {key: _column(nodes, key, count, f"node {key}") for key, count in columns.items()}
    of_edges = {key: _column(links, key, count + 1, f"edge {key}") for key, count in context.edge_attributes.items()}
    return _graph(context, len(nodes), edges, of_nodes, of_edges)


def _graph(
    context: GraphContext,
    size: int,
    edges: list[tuple[int, int]],
    of_nodes: Mapping[str, Tensor],
    of_edges: Mapping[str, Tensor],
) -> GraphBatch:
    """An undirected graph within the bounds of `context`."""
    import networkx as nx

    _require_simple(size, [tuple(sorted(edge)) for edge in edges])
    if size > context.max_nodes:
        raise ValueError(f"has {size} nodes; at most {context.max_nodes} are built")
    if context.max_links is not None and len(edges) > context.max_links:
        raise ValueError(f"has {len(edges)} edges; at most {context.max_links} are built")
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(size))
    if not nx.is_connected(graph):
        raise ValueError("is not connected")
    ends = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
    return from_edges(ends, torch.tensor([size]), undirected=True, nodes=of_nodes, edges=of_edges)


def _require_simple(size: int, edges: list[Any]) -> None:
    if not size:
        raise ValueError("is blank: it has no nodes")
    if any(one == other for one, other in edges):
        raise ValueError("has an edge from a node to itself")
    if len(set(edges)) < len(edges):
        raise ValueError("has the same edge twice")


def _column(rows: list[Any], key: str, count: int, what: str) -> Tensor:
    """[rows] int64 of 0 to count - 1; what is not said is 0."""
    found = [row.get(key, 0) if isinstance(row, dict) else 0 for row in rows]
    for value in found:
        if type(value) is not int or not 0 <= value < count:
            raise ValueError(f"has the unknown {what} {value!r}; there are 0 to {count - 1}")
    return torch.tensor(found, dtype=torch.int64)


def _molecule(context: Any, text: str) -> GraphBatch:
    from graphwright.envs.generative.molecules.atoms import ATOMIC_NUMBERS, BOND, CHARGE
    from graphwright.envs.generative.molecules.chemistry import read

    atoms = read([text])
    known = {ATOMIC_NUMBERS[element]: place for place, element in enumerate(context.elements)}
    charges = {0: 0, **{charge: place + 1 for place, charge in enumerate(context.charges)}}
    for values, table, what in (
        (atoms.nodes["element"], known, "element of atomic number"),
        (atoms.nodes["charge"], charges, "charge"),
        (atoms.edges["order"], {1: 0, 2: 1, 3: 2}, "bond order"),
    ):
        for value in values.tolist():
            if value not in table:
                raise ValueError(f"has the unknown {what} {value}")
    nodes = {TYPE: torch.tensor([known[value] for value in atoms.nodes["element"].tolist()], dtype=torch.int64)}
    nodes |= {name: torch.zeros_like(nodes[TYPE]) for name in context.node_attributes}
    if CHARGE in nodes:
        nodes[CHARGE] = torch.tensor([charges[value] for value in atoms.nodes["charge"].tolist()])
    rows = atoms.links[0]
    edges = [(one, other) for one, other in atoms.edge_index[:, rows].T.tolist()]
    return _graph(context, atoms.num_nodes, edges, nodes, {BOND: atoms.edges["order"][rows] - 1})


def _word(environment: Sequences, word: str) -> GraphBatch:
    tokens = [int(part) for part in word.split()] if environment.vocabulary > 26 else [ord(c) - 97 for c in word]
    if len(tokens) > environment.max_length:
        raise ValueError(f"has {len(tokens)} tokens; at most {environment.max_length} are written")
    state = environment.reset(blank(1))
    for token in tokens:
        if not 0 <= token < environment.vocabulary:
            raise ValueError(f"has an unknown token in {word!r}; there are {environment.vocabulary}")
        state = environment.advance(state, torch.tensor([token + 1])).state
    return state


def _cell(environment: HyperGrid, start: GraphBatch, row: Any) -> GraphBatch:
    if row.shape != (environment.dimensions,) or row.dtype.kind not in "iu":
        raise ValueError(f"is no row of {environment.dimensions} whole numbers")
    if not ((row >= 0) & (row < environment.side)).all():
        raise ValueError(f"lies outside the grid: {row.tolist()}, of 0 to {environment.side - 1} each")
    return start.with_nodes(**{COORDINATE: torch.tensor(row.astype(np.int64))})


def _edges_of(matrix: Any) -> list[tuple[int, int]]:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isin(matrix, (0, 1)).all():
        raise ValueError("is no square matrix of zeros and ones")
    return [(int(one), int(other)) for one, other in zip(*matrix.nonzero(), strict=True)]


def _chosen_edges(environment: EdgeSets, start: GraphBatch, edges: list[tuple[int, int]]) -> GraphBatch:
    directed = "reverse" not in start.edges
    pairs = edges if directed else [tuple(sorted(edge)) for edge in edges]
    _require_simple(environment.num_nodes, pairs)
    if any(max(pair) >= environment.num_nodes for pair in pairs):
        raise ValueError(f"has more than the {environment.num_nodes} nodes of what is built")
    wanted = set(pairs) if directed else {pair for edge in pairs for pair in (edge, edge[::-1])}
    present = [tuple(edge) in wanted for edge in start.edge_index.T.tolist()]
    return start.with_edges(**{PRESENT: torch.tensor(present)})
