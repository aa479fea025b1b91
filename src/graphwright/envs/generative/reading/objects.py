"""Finished objects from files: which files an environment's objects are read from, and what is in them.

What is read fits the environment's columns; `legality.check_objects` says whether it can be built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from graphwright.core import GraphBatch
from graphwright.envs.generative.edge_sets import EdgeSets
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.grid import HyperGrid
from graphwright.envs.generative.molecules.atoms import AtomContext
from graphwright.envs.generative.reading.arrays import cells, matrices
from graphwright.envs.generative.reading.lines import Made
from graphwright.envs.generative.reading.node_links import edge_sets, graphs
from graphwright.envs.generative.reading.smiles import molecules
from graphwright.envs.generative.reading.words import words
from graphwright.envs.generative.sequences import Sequences
from graphwright.envs.reversible import Reversible

_MOST_BYTES = 1 << 30
Reader = Callable[[GraphBatch, Path, bytes], Made]
"""From the initial state, a path and what stands there to the objects."""


def read_objects(path: Path, environment: Reversible, instance: GraphBatch) -> tuple[GraphBatch, list[str]]:
    """The objects in the file at `path`, in the format of its suffix, on `instance`; and what to call each of them.

    Raises ValueError in one line: the file, the object and what is wrong with it.
    """
    readers = _readers(environment)
    if path.suffix not in readers:
        known = f"are read from {' and '.join(readers)} files" if readers else "are not read from files"
        raise ValueError(f"{path}: objects of this task {known}")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{path}: is larger than {_MOST_BYTES >> 30} GiB")
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    objects, names, name = [], [], "the file"
    try:
        for name, make in readers[path.suffix](environment.reset(instance), path, data):
            objects.append(make())
            names.append(f"{path}: {name}")
    except ValueError as error:
        raise ValueError(f"{path}: {name}: {error}") from None
    if not objects:
        raise ValueError(f"{path}: holds no object")
    return GraphBatch.concat(objects), names


def suffixes(environment: Reversible) -> list[str]:
    """Of the files that finished objects of an environment are read from."""
    return list(_readers(environment))


def _readers(environment: Reversible) -> Mapping[str, Reader]:
    match environment:
        case HyperGrid():
            return {".npz": partial(cells, environment)}
        case EdgeSets():
            return {".npz": partial(matrices, environment), ".jsonl": partial(edge_sets, environment)}
        case Sequences():
            return {".txt": partial(words, environment)}
        case GraphBuilding(context=AtomContext() as context):
            return {".smi": partial(molecules, context), ".jsonl": partial(graphs, context)}
        case GraphBuilding(context=context) if environment.alike_both_ways:
            return {".jsonl": partial(graphs, context)}
    return {}
