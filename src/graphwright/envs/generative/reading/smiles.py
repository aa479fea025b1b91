"""SMILES: a molecule a line, and behind a blank what nobody reads."""

from __future__ import annotations

from pathlib import Path

import torch

from graphwright.core import GraphBatch
from graphwright.core.doing import say
from graphwright.envs.generative.context import TYPE
from graphwright.envs.generative.molecules.atoms import ATOMIC_NUMBERS, BOND, CHARGE, AtomContext
from graphwright.envs.generative.reading.graphs import graph_within
from graphwright.envs.generative.reading.lines import Made, of_lines


def molecules(context: AtomContext, start: GraphBatch, path: Path, data: bytes) -> Made:
    """Molecules of atoms. Of how many stereochemistry is left out is said when all are made."""
    from graphwright.envs.generative.molecules.chemistry import has_stereo

    flattened = []

    def make(line: str) -> GraphBatch:
        text = line.split()[0]
        molecule = _molecule(context, text)
        if has_stereo(text):
            flattened.append(text)
        return molecule

    lines = 0
    for name, made in of_lines(data, make):
        yield name, made
        lines += 1
    if flattened:
        say(f"{path}: stereochemistry is not read; it is left out of {len(flattened)} of {lines} molecules")


def _molecule(context: AtomContext, text: str) -> GraphBatch:
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
    return graph_within(context, atoms.num_nodes, edges, nodes, {BOND: atoms.edges["order"][rows] - 1})
