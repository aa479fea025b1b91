"""Molecules of atoms: their laws on all small ones, against molecules that RDKit accepts and against its symmetries."""

from __future__ import annotations

import random
from itertools import combinations, combinations_with_replacement, product

import pytest
import torch

from graphwright.core import GraphBatch
from graphwright.envs.conformance import check_environment
from graphwright.envs.generative.enumeration import enumerate_states
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.molecules.atoms import ATOMIC_NUMBERS, VALENCES, AtomContext
from graphwright.envs.generative.molecules.chemistry import Chem, drawn, is_molecule, molecules, smiles
from molecule_laws import assert_exact, built, renumbered

SMALL = [
    AtomContext(elements=("C", "O"), charges=(), max_nodes=4),
    AtomContext(elements=("N", "O"), charges=(1, -1), max_nodes=3),
    AtomContext(elements=("C", "F"), charges=(), max_nodes=4, max_links=3),
]
Table = tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]


def tables(context: AtomContext, states: GraphBatch) -> list[Table]:
    """Atoms and bonds of each state, read one by one."""
    found = []
    for place in range(states.num_graphs):
        atoms = context.atoms(states.select(torch.tensor([place])))
        columns = [atoms.nodes[name].tolist() for name in ("element", "charge", "chirality")]
        bonds = zip(*atoms.edge_index.tolist(), atoms.edges["order"].tolist(), strict=True)
        found.append(([*zip(*columns, strict=True)], [bond for bond in bonds if bond[0] < bond[1]]))
    return found


def lewis(table: Table) -> str:
    """Canonical SMILES with the double bonds where they are."""
    molecule = drawn(*table)
    molecule.UpdatePropertyCache()
    return Chem.MolToSmiles(molecule)


def all_molecules(context: AtomContext) -> set[str]:
    """By brute force over labelled graphs, and RDKit's own word on which of them are molecules."""
    kinds = [(ATOMIC_NUMBERS[e], charge, 0) for e in context.elements for charge in (0, *context.charges)]
    found = set()
    for size in range(1, context.max_nodes + 1):
        pairs = list(combinations(range(size), 2))
        for atoms in combinations_with_replacement(kinds, size):
            for orders in product(range(4), repeat=len(pairs)):
                bonds = [(*pair, order) for pair, order in zip(pairs, orders, strict=True) if order]
                few = context.max_links is None or len(bonds) <= context.max_links
                # No need to ask about five bonds at an atom.
                light = all(sum(bond[2] for bond in bonds if atom in bond[:2]) <= 4 for atom in range(size))
                if few and light and len(bonds) >= size - 1 and is_molecule([*atoms], bonds):
                    found.add(lewis(([*atoms], bonds)))
    return {text for text in found if "." not in text}


@pytest.mark.parametrize("context", SMALL)
def test_states_are_all_small_molecules_and_each_step_can_be_taken_back(context: AtomContext) -> None:
    environment = GraphBuilding(context)
    space = enumerate_states(environment, blank(1))
    assert_exact(environment, space)
    written = [lewis(table) for table in tables(context, space.states.select(torch.arange(1, space.num_states)))]
    assert len(set(written)) == len(written)
    assert {*written} == all_molecules(context)


def test_chirality_keeps_to_the_laws() -> None:
    context = AtomContext(elements=("C", "F"), charges=(1,), chirality=True, max_nodes=4, max_links=3)
    environment = GraphBuilding(context)
    assert_exact(environment, enumerate_states(environment, blank(1)))


@pytest.mark.parametrize("context", [AtomContext(max_nodes=14), AtomContext(max_nodes=9, chirality=True)])
def test_conformance(context: AtomContext) -> None:
    check_environment(GraphBuilding(context), blank(8))


@pytest.mark.parametrize(
    "context",
    [
        AtomContext(max_nodes=16),
        AtomContext(max_nodes=12, chirality=True),
        AtomContext(elements=tuple(VALENCES), max_nodes=10),
        AtomContext(elements=("C",), charges=(), max_nodes=6),
    ],
)
def test_whatever_is_built_is_a_connected_molecule(context: AtomContext) -> None:
    states = built(GraphBuilding(context), 500)
    found = molecules(context, states)
    written = smiles(found)
    for molecule, text in zip(found, written, strict=True):
        assert "." not in text
        assert not any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
        assert Chem.MolFromSmiles(text) is not None
    assert len({*written}) > 50


def test_masks_forbid_what_is_no_molecule_and_nothing_else() -> None:
    context = AtomContext(elements=("C", "N", "O", "F", "B"), max_nodes=7)
    states = built(GraphBuilding(context), 40, seed=1)
    states = states.select(states.node_segments.lengths < 7)
    rows, links = states.links
    nodes = torch.arange(states.num_nodes)
    add, charge = context.may_add(states), context.may_set_node(states, "charge")
    clear, bond = context.may_clear_node(states, "charge"), context.may_set_link(states, "bond")
    for place, (atoms, bonds) in enumerate(tables(context, states)):
        start = int(states.node_ptr[place])
        for atom, (element, charged, _) in enumerate(atoms):
            assert bool(add[start + atom, 0]) == is_molecule([*atoms, (6, 0, 0)], [*bonds, (atom, len(atoms), 1)])
            for column, value in enumerate(context.charges):
                # What RDKit would take: ions of fluorine, which have no valence here.
                if charged == 0 and element != 9 and (element, value) != (5, 1):
                    ion = [*atoms[:atom], (element, value, 0), *atoms[atom + 1 :]]
                    assert bool(charge[start + atom, column]) == is_molecule(ion, bonds)
            neutral = [*atoms[:atom], (element, 0, 0), *atoms[atom + 1 :]]
            assert bool(clear[start + atom]) == is_molecule(neutral, bonds)
        for one, other in combinations(range(len(atoms)), 2):
            if (one, other) not in {pair[:2] for pair in bonds}:
                may = context.may_join(states, nodes[start + one, None], nodes[start + other, None])
                assert bool(may) == is_molecule(atoms, [*bonds, (one, other, 1)])
        for link in range(int(links.ptr[place]), int(links.ptr[place + 1])):
            ends = sorted((states.edge_index[:, rows[link]] - start).tolist())
            others = [pair for pair in bonds if pair[:2] != (*ends,)]
            if states.edges["bond"][rows[link]] == 0:
                for column, order in enumerate((2, 3)):
                    assert bool(bond[link, column]) == is_molecule(atoms, [*others, (*ends, order)])


@pytest.mark.parametrize("element", VALENCES)
def test_valences_are_rdkits(element: str) -> None:
    for charge, largest in VALENCES[element].items():
        for used in range(1, largest + 1):
            ligands = [(ATOMIC_NUMBERS[element], charge, 0), *[(9, 0, 0)] * used]
            assert is_molecule(ligands, [(0, place + 1, 1) for place in range(used)])
    exceptions = {("S", 1), ("S", -1), ("I", 0)}  # RDKit also takes S+ with 5, S- with 5 and I with 5
    for charge in VALENCES[element].keys() - {c for e, c in exceptions if e == element}:
        used = VALENCES[element][charge] + 1
        ligands = [(ATOMIC_NUMBERS[element], charge, 0), *[(9, 0, 0)] * used]
        assert not is_molecule(ligands, [(0, place + 1, 1) for place in range(used)])


def test_symmetries_are_the_ways_in_which_rdkit_finds_a_molecule_in_itself() -> None:
    context = AtomContext(elements=("C", "O"), charges=(1, -1), max_nodes=6)
    states = built(GraphBuilding(context), 200, seed=2, stop=0.3)
    symmetries = GraphBuilding(context).log_automorphisms(states).exp()
    for place, table in enumerate(tables(context, states)):
        molecule = drawn(*table)  # not sanitized: no bond is aromatic
        for atom in molecule.GetAtoms():
            atom.SetIsotope(100 + atom.GetFormalCharge())  # a charge of 0 would match any
        molecule.UpdatePropertyCache()
        matches = molecule.GetSubstructMatches(molecule, uniquify=False, maxMatches=10**6)
        assert len(matches) == pytest.approx(float(symmetries[place]))
    assert float(symmetries.max()) > 2


def test_chirality_does_not_depend_on_the_numbering() -> None:
    context = AtomContext(elements=("C", "N", "O", "F"), charges=(), chirality=True, max_nodes=9)
    environment = GraphBuilding(context)
    states = built(environment, 400, seed=3)
    states = states.select(torch.zeros(400).index_add(0, states.node_graph, states.nodes["chirality"].float()) > 0)
    found = molecules(context, states)
    assert sum("@" in text for text in smiles(found)) > 20
    for seed in range(3):
        other = renumbered(states, seed)
        # What RDKit takes to be aromatic in a cage may hang on the numbering, chiral or not.
        pairs = [*zip(found, molecules(context, other), strict=True)]
        same = [pair for pair in pairs if len({Chem.MolToSmiles(one, isomericSmiles=False) for one in pair}) == 1]
        assert len(same) >= 0.98 * len(pairs)
        assert all(len({*smiles(pair)}) == 1 for pair in same)
        assert environment.keys(other) == environment.keys(states)
        assert torch.allclose(environment.log_automorphisms(other), environment.log_automorphisms(states))


def test_the_two_values_of_chirality_are_mirror_images() -> None:
    atoms, bonds = [(6, 0, 1), (9, 0, 0), (17, 0, 0), (35, 0, 0)], [(0, 1, 1), (0, 2, 1), (0, 3, 1)]
    found = []
    for value in (1, 2):
        orders = list(bonds)
        random.Random(value).shuffle(orders)
        molecule = drawn([(6, 0, value), *atoms[1:]], orders)
        Chem.SanitizeMol(molecule)
        found.append(Chem.MolToSmiles(molecule))
    assert {*found} == {Chem.CanonSmiles("F[C@H](Cl)Br"), Chem.CanonSmiles("F[C@@H](Cl)Br")}


def test_a_network_sees_charges_bonds_and_free_valence() -> None:
    context = AtomContext(elements=("C", "N"), charges=(1,), max_nodes=4)
    states = built(GraphBuilding(context), 50, seed=4)
    seen = context.observe(states)
    assert {name: seen.nodes[name].reshape(states.num_nodes, -1).shape[1] for name in context.features.nodes} == dict(
        context.features.nodes
    )
    free = context.valence[states.nodes["type"], states.nodes["charge"]]
    free = free.index_add(0, states.edge_index[1], -1 - states.edges["bond"])
    assert torch.equal(seen.nodes["free"].argmax(1), free)


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="'Xx'"):
        AtomContext(elements=("C", "Xx"))
    with pytest.raises(ValueError, match="all different"):
        AtomContext(elements=("C", "C"))
    with pytest.raises(ValueError, match="charge 3"):
        AtomContext(charges=(3,))
