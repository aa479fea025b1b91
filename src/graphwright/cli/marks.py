"""`--mark`: nodes that play a part, by the names that the file gives them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

import torch

from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError
from graphwright.envs.readable import Inputs


def with_marks(named: NamedGraph, marks: Sequence[str], inputs: Inputs | None) -> NamedGraph:
    """`named` with a bool node column for each of `marks`, such as "terminal=Denver,Seattle".

    Names may hold commas: "target=(2, 2)" is the node of that name. inputs: what the problem reads, where it says so.
    Raises GraphError for a part that the problem does not know, and for names that no node has.
    """
    place = {name: node for node, name in enumerate(named.names)}
    columns = {}
    for mark in marks:
        column, equals, names = mark.partition("=")
        if not equals or not column:
            raise GraphError(f"--mark {mark}: write it as terminal=NAME,NAME")
        if inputs is not None and column not in inputs.marks:
            known = " or ".join(inputs.marks)
            remedy = f"it reads {known}" if known else "it reads none"
            raise GraphError(f"--mark {mark}: the problem reads no mark {column!r}; {remedy}")
        if column in columns:
            raise GraphError(f"--mark {mark}: {column} is marked twice; name all its nodes at once")
        columns[column] = torch.zeros(len(named.names), dtype=torch.bool)
        columns[column][[place[name] for name in _split(mark, names, place)]] = True
    return NamedGraph(named.graph.with_nodes(**columns), named.names, named.reading)


def _split(mark: str, text: str, place: Mapping[str, int]) -> list[str]:
    """The names in `text`, between commas; a name with commas counts whole, and may stand in quotes."""
    if text in place:
        return [text]
    try:
        pieces = next(csv.reader([text], strict=True)) if '"' in text else text.split(",")
    except (csv.Error, StopIteration):
        pieces = text.split(",")
    if all(piece.strip() in place for piece in pieces):
        return [piece.strip() for piece in pieces]
    ways: list[list[list[str]]] = [[[]], *([] for _ in pieces)]
    for end in range(1, len(pieces) + 1):
        for start in range(end):
            name = ",".join(pieces[start:end]).strip()
            if name in place:
                ways[end] += [[*way, name] for way in ways[start]][:2]
    if not ways[-1]:
        wrong = next((piece.strip() for piece in pieces if piece.strip() not in place), text)
        raise GraphError(f"--mark {mark}: the graph has no node {wrong!r}; it has {_some(place)}")
    if len(ways[-1]) > 1:
        raise GraphError(f"--mark {mark}: the commas may be part of names in several ways; put each name in quotes")
    return ways[-1][0]


def _some(place: Mapping[str, int]) -> str:
    names = [repr(name) for name in list(place)[:3]]
    return ", ".join(names) + (", ..." if len(place) > 3 else "")
