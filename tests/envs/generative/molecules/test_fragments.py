"""Molecules of fragments: their laws on all small trees, against brute force and against RDKit's canonical SMILES."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import permutations, product

import pytest
import torch

from graphwright.core import GraphBatch
from graphwright.envs.conformance import check_environment
from graphwright.envs.generative.automorphisms import canonical_keys, log_automorphisms
from graphwright.envs.generative.enumeration import StateSpace, enumerate_states
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.molecules.chemistry import Chem, molecules, smiles, symmetries
from graphwright.envs.generative.molecules.fragment_building import COLOUR, FragmentBuilding
from graphwright.envs.generative.molecules.fragments import FragmentContext
from graphwright.envs.generative.molecules.vocabulary import FRAGMENTS, RINGS, Fragment
from molecule_laws import assert_exact, built, renumbered

# Each molecule of these is put together in one way only, so that SMILES tell the assemblies apart.
TELLING = [
    (Fragment("c1ccccc1", (0, 1, 2, 3)), Fragment("F", (0,)), Fragment("O", (0, 0))),
    (Fragment("c1ccncc1", (0, 1, 4)), Fragment("C", (0, 0)), Fragment("Cl", (0,))),
    (Fragment("C1CNCCN1", (2, 5)), Fragment("C=O", (0, 0)), Fragment("FC(F)F", (1,))),
]
Tree = tuple[list[int], dict[tuple[int, int], int]]


def building(fragments: tuple[Fragment, ...], size: int) -> FragmentBuilding:
    return FragmentBuilding(FragmentContext(fragments=tuple(one.text for one in fragments), max_nodes=size))


def spaces() -> list[tuple[FragmentBuilding, StateSpace]]:
    found = [building(fragments, 3) for fragments in TELLING]
    return [(environment, enumerate_states(environment, blank(1))) for environment in found]


def trees(states: GraphBatch) -> list[Tree]:
    """The type of each node, and the point at the source of each directed edge."""
    found = []
    for place in range(states.num_graphs):
        one = states.select(torch.tensor([place]))
        found.append(
            (
                one.nodes["type"].tolist(),
                dict(zip(map(tuple, one.edge_index.T.tolist()), one.edges["point"].tolist(), strict=True)),
            )
        )
    return found


def count_symmetries(tree: Tree) -> int:
    types, points = tree
    count = 0
    for order in permutations(range(len(types))):
        moved = {(order[u], order[v]): point for (u, v), point in points.items()}
        count += moved == points and all(types[order[v]] == types[v] for v in range(len(types)))
    return count


def labelled_trees(fragments: tuple[Fragment, ...], size: int) -> float:
    """Trees of `size` numbered fragments with points, over size!, which is Σ over objects of 1 / |Aut|.

    A tree with degrees d has (size - 2)! / Π (d - 1)! shapes, and a fragment with p points p! / (p - d)! ways to hold d
    edges.
    """
    if size == 1:
        return float(len(fragments))
    total = 0.0
    for points in product([len(fragment.points) for fragment in fragments], repeat=size):
        for degrees in product(range(1, size), repeat=size):
            if sum(degrees) == 2 * (size - 1):
                shapes = math.factorial(size - 2) / math.prod(math.factorial(degree - 1) for degree in degrees)
                total += shapes * math.prod(math.perm(p, d) for p, d in zip(points, degrees, strict=True))
    return total / math.factorial(size)


def test_states_are_all_small_trees_and_each_step_can_be_taken_back() -> None:
    for environment, space in spaces():
        assert_exact(environment, space)
        sizes = space.states.node_segments.lengths
        weights = (-environment.log_automorphisms(space.states)).exp()
        for size in (1, 2, 3):
            expected = labelled_trees(environment.context.parts, size)
            assert float(weights[sizes == size].sum()) == pytest.approx(expected)


def test_the_symmetries_of_fragments_are_found_alike_by_rdkit_and_nauty() -> None:
    environment = FragmentBuilding()
    found = log_automorphisms(environment._parts, (COLOUR,)).exp()
    assert found.tolist() == pytest.approx([len(symmetries(fragment.smiles)) for fragment in FRAGMENTS])
    assert [len(symmetries(text)) for text in ("c1ccccc1", "c1c[nH]cn1", "FC(F)F", "O=[NH+][O-]")] == [12, 1, 6, 1]


def test_symmetries_against_all_permutations() -> None:
    environment = building((Fragment("C", (0, 0, 0)), Fragment("O", (0, 0))), 4)
    states = enumerate_states(environment, blank(1)).states
    expected = [count_symmetries(tree) for tree in trees(states)]
    assert environment.log_automorphisms(states).exp().tolist() == pytest.approx(expected)
    assert max(expected) == 2


def test_keys_do_not_depend_on_the_numbering() -> None:
    environment = FragmentBuilding()
    states = built(environment, 60)
    other = renumbered(states)
    assert environment.keys(other) == environment.keys(states)
    assert smiles(molecules(environment.context, other)) == smiles(molecules(environment.context, states))
    assert torch.allclose(environment.log_share(other), environment.log_share(states))


def test_the_shares_of_the_states_of_a_molecule_sum_to_one() -> None:
    for environment, space in spaces():
        states = space.states.select(torch.arange(1, space.num_states))
        written = smiles(molecules(environment.context, states))
        put_together = canonical_keys(environment.put_together(states), (COLOUR,))
        assert len({*zip(written, put_together, strict=True)}) == len({*written}) == len({*put_together})
        total: defaultdict[str, float] = defaultdict(float)
        for text, share in zip(written, environment.log_share(states).exp().tolist(), strict=True):
            total[text] += share
        assert [*total.values()] == pytest.approx([1.0] * len(total))
        assert max(Counter(written).values()) > 1


@pytest.mark.parametrize("points", [(0, 1, 2, 3, 4, 5), (0, 1, 2, 3), (0, 1)])
def test_fluorobenzene_is_as_many_states_as_the_ring_has_points(points: tuple[int, ...]) -> None:
    environment = building((Fragment("c1ccccc1", points), Fragment("F", (0,))), 2)
    states = enumerate_states(environment, blank(1)).states
    states = states.select(torch.bincount(states.node_graph, weights=states.nodes["type"].double()) == 1)
    states = states.select(states.node_segments.lengths == 2)
    assert {*smiles(molecules(environment.context, states))} == {Chem.CanonSmiles("Fc1ccccc1")}
    assert states.num_graphs == len(points)
    assert environment.log_share(states).exp().tolist() == pytest.approx([1 / len(points)] * len(points))


def test_conformance() -> None:
    check_environment(FragmentBuilding(), blank(8))
    check_environment(building((Fragment("C", (0,)),), 2), blank(2))


def test_whatever_is_built_is_a_connected_molecule_of_its_fragments() -> None:
    environment = FragmentBuilding()
    states = built(environment, 500, stop=30)
    found = molecules(environment.context, states)
    written = smiles(found)
    for molecule, text in zip(found, written, strict=True):
        assert "." not in text
        assert not any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
        assert Chem.MolFromSmiles(text) is not None
    sizes = torch.tensor([Chem.MolFromSmiles(fragment.smiles).GetNumAtoms() for fragment in FRAGMENTS])
    expected = torch.zeros(500, dtype=torch.int64).index_add(0, states.node_graph, sizes[states.nodes["type"]])
    assert [molecule.GetNumAtoms() for molecule in found] == expected.tolist()
    assert int(states.node_segments.lengths.max()) == 9
    assert len({*written}) > 400


def test_the_points_are_the_atoms_that_are_joined() -> None:
    environment = building((Fragment("c1ccncc1", (0, 2)), Fragment("CO", (0, 1))), 2)
    state = environment.reset(blank(1))
    stems = environment.context.stems.shape[1]
    assert environment.context.stems.tolist() == [[0, 0, 1, 1], [0, 1, 0, 1]]
    state = environment.advance(state, torch.tensor([1])).state  # begin with pyridine
    # stop, two to begin with, then the row of pyridine: its point 1 (next to nitrogen) × methanol by its oxygen
    state = environment.advance(state, torch.tensor([3 + 1 * stems + 3])).state
    assert smiles(molecules(environment.context, state)) == [Chem.CanonSmiles("COc1ccccn1")]
    assert environment.context.free_points(state).tolist() == [[True, False], [True, False]]
    seen = environment.observe(state).graph
    assert seen.edges["point"].tolist() == [[0, 1], [0, 1]]
    assert seen.edges["opposite"].tolist() == [[0, 1], [0, 1]]


def test_the_vocabulary() -> None:
    assert len(FRAGMENTS) == 72
    written = [Chem.CanonSmiles(fragment.smiles) for fragment in FRAGMENTS]
    assert len({*written}) == 72
    assert max(len(fragment.points) for fragment in FRAGMENTS) == 4
    assert all(Chem.MolFromSmiles(fragment.smiles).GetRingInfo().NumRings() for fragment in RINGS)


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        (Fragment("C", ()), "one or more"),
        (Fragment("C", (1,)), "1 atoms"),
        (Fragment("C", (0, 0, 0, 0, 0)), "too few hydrogens"),
        (Fragment("c1ccncc1", (3,)), "too few hydrogens"),
        (Fragment("C(", (0,)), "cannot read"),
        (Fragment("C[C@H](N)O", (0,)), "'C.C@H..N.O': stereochemistry is not built; leave out its @$"),
        (Fragment("C/C=C\\C", (0,)), r"stereochemistry is not built; leave out its / and \\$"),
    ],
)
def test_fragments_that_cannot_be_built_are_refused(fragment: Fragment, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        FragmentContext(fragments=(fragment.text,))
