"""Node-link lines: a JSON document a graph, as networkx writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.doing import say
from graphwright.envs.generative.context import TYPE, GraphContext
from graphwright.envs.generative.edge_sets import EdgeSets
from graphwright.envs.generative.reading.graphs import Edges, chosen_edges, graph_within
from graphwright.envs.generative.reading.lines import Made, of_lines


def graphs(context: GraphContext, start: GraphBatch, path: Path, data: bytes) -> Made:
    """Undirected graphs with the types and attributes of `context`; an attribute that is not said is not set."""
    return of_lines(data, partial(_graph, context))


def edge_sets(environment: EdgeSets, start: GraphBatch, path: Path, data: bytes) -> Made:
    """Edges between named nodes: by ids that are 0 to n - 1, or else as the first object has them, which is said.

    The places of nodes in a document say nothing: networkx writes them in the order in which they were added.
    """
    known: list[Any] = []  # the ids of the nodes 0 to n - 1

    def make(line: str) -> GraphBatch:
        document = _document(line)
        ids = _ids(document["nodes"])
        if bool(document.get("directed")) == ("reverse" in start.edges):
            raise ValueError(f"is {'' if document.get('directed') else 'not '}directed, unlike what is built")
        if len(ids) != environment.num_nodes:
            raise ValueError(f"has {len(ids)} nodes; what is built has {environment.num_nodes}")
        if not known:
            numbers = list(range(len(ids)))
            known.extend(numbers if set(ids) == set(numbers) else ids)
        odd = [each for each in ids if each not in known]
        if odd:
            raise ValueError(f"has the node {odd[0]!r}, which the first object has not; name nodes alike in all")
        return chosen_edges(environment, start, _edges(document, known))

    yield from of_lines(data, make)
    if known != list(range(len(known))):
        names = shorten(", ".join(map(str, known)), 200, placeholder=" ...")
        say(f"{path}: the ids of nodes are not 0 to {len(known) - 1}, so they are numbered as line 1 has them: {names}")


def _graph(context: GraphContext, line: str) -> GraphBatch:
    document = _document(line)
    nodes, links = document["nodes"], document["edges"]
    edges = _edges(document, _ids(nodes))
    if document.get("directed"):
        raise ValueError("is directed; what is built is undirected")
    if context.node_types > 1:
        _require_types(nodes, context.node_types)
    columns = {TYPE: context.node_types, **{key: count + 1 for key, count in context.node_attributes.items()}}
    of_nodes = {key: _column(nodes, key, count, f"node {key}") for key, count in columns.items()}
    of_edges = {key: _column(links, key, count + 1, f"edge {key}") for key, count in context.edge_attributes.items()}
    return graph_within(context, len(nodes), edges, of_nodes, of_edges)


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


def _ids(nodes: list[Any]) -> list[Any]:
    found = [_id(node) for node in nodes]
    for each in found:
        if not isinstance(each, str | int | float):
            raise ValueError(f"the id {each!r} of a node is no number or text")
    if len(set(found)) < len(found):
        raise ValueError("two nodes have the same id")
    return found


def _edges(document: Mapping[str, Any], ids: list[Any]) -> Edges:
    """Pairs of places among `ids`."""
    place = {each: row for row, each in enumerate(ids)}
    try:
        return [(place[link["source"]], place[link["target"]]) for link in document["edges"]]
    except (KeyError, TypeError):
        raise ValueError("an edge has a source or target that is no node") from None


def _id(node: Any) -> Any:
    return node.get("id") if isinstance(node, dict) else node


def _require_types(nodes: list[Any], count: int) -> None:
    for node in nodes:
        if not isinstance(node, dict) or TYPE not in node:
            raise ValueError(f"node {_id(node)!r} has no {TYPE!r}; give every node one, 0 to {count - 1}")


def _column(rows: list[Any], key: str, count: int, what: str) -> Tensor:
    """[rows] int64 of 0 to count - 1; what is not said is 0."""
    found = [row.get(key, 0) if isinstance(row, dict) else 0 for row in rows]
    for value in found:
        if type(value) is not int or not 0 <= value < count:
            raise ValueError(f"has the unknown {what} {value!r}; there are 0 to {count - 1}")
    return torch.tensor(found, dtype=torch.int64)
