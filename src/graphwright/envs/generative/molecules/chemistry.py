"""Molecules for RDKit: from tables of atoms to its objects and their canonical SMILES. Nothing else imports RDKit."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.core.construction import opposite_edges

try:
    from rdkit import Chem, DataStructs, rdBase
    from rdkit.Chem import QED, Draw, RDConfig, rdFingerprintGenerator, rdMolDescriptors
except ImportError:
    raise ImportError("molecules need RDKit; pip install 'graphwright[chem]'") from None

__all__ = ["QED", "Chem", "rdMolDescriptors"]

Molecule = Any
"""`rdkit.Chem.Mol`, which has no types."""

_ORDERS = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
_TAGS = (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)


class HasAtoms(Protocol):
    """A context whose states are molecules."""

    def atoms(self, state: GraphBatch) -> GraphBatch:
        """Node columns `element`, `charge` and `chirality`, edge column `order`, all int64."""
        ...


def molecules(context: HasAtoms, states: GraphBatch) -> list[Molecule]:
    """A sanitized molecule for each state. Raises RDKit's ValueError for one that is none."""
    found = [drawn(*table) for table in _tables(context.atoms(states))]
    for molecule in found:
        Chem.SanitizeMol(molecule)
    return found


def drawn(atoms: Sequence[tuple[int, int, int]], bonds: Sequence[tuple[int, int, int]]) -> Molecule:
    """The molecule of (atomic number, charge, chirality) and (atom, atom, order), not sanitized.

    Chirality 1 and 2 are the two ways round of an atom's neighbours by `CanonicalRankAtoms` of the molecule without
    it; where two of them rank alike, it is dropped.
    """
    molecule = Chem.RWMol()
    for element, charge, _ in atoms:
        molecule.AddAtom(_atom(element, charge))
    for one, other, order in bonds:
        molecule.AddBond(one, other, _ORDERS[order])
    centres = [place for place, atom in enumerate(atoms) if atom[2]]
    if centres:
        _set_chirality(molecule, centres, [atoms[place][2] for place in centres])
    return molecule


def is_molecule(atoms: Sequence[tuple[int, int, int]], bonds: Sequence[tuple[int, int, int]]) -> bool:
    """Whether RDKit accepts what `drawn` makes of them as it stands, without mending it first."""
    checks = Chem.SanitizeFlags.SANITIZE_ALL ^ Chem.SanitizeFlags.SANITIZE_CLEANUP
    with rdBase.BlockLogs():
        wrong = Chem.SanitizeMol(drawn(atoms, bonds), sanitizeOps=checks, catchErrors=True)
    return bool(wrong == Chem.SanitizeFlags.SANITIZE_NONE)


def smiles(found: Sequence[Molecule]) -> list[str]:
    """Canonical SMILES."""
    return [Chem.MolToSmiles(molecule) for molecule in found]


def pictures(found: Sequence[Molecule], side: int = 300) -> list[NDArray[np.uint8]]:
    """[side, side, 3] each: structural formulae."""
    return [np.asarray(Draw.MolToImage(molecule, size=(side, side)).convert("RGB")) for molecule in found]


def fingerprints(found: Sequence[Molecule]) -> NDArray[np.bool_]:
    """[M, 2048] bool: Morgan fingerprints of radius 2."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    rows = [generator.GetFingerprintAsNumPy(molecule) for molecule in found]
    return np.stack(rows).astype(bool) if rows else np.empty((0, 2048), bool)


def similarity(found: Sequence[Molecule]) -> Tensor:
    """[M, M] float64: Tanimoto similarity of Morgan fingerprints, radius 2, 2048 bits."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(molecule) for molecule in found]
    rows = [DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints]
    return torch.tensor(np.array(rows, dtype=np.float64).reshape(len(prints), len(prints)))


def read(texts: Sequence[str]) -> GraphBatch:
    """The molecules that SMILES write, Kekulé structures: columns `element`, `charge` and `chirality` (0), `order`.

    Raises ValueError for what RDKit does not understand, and for what no column holds: isotopes, radicals and other
    hydrogens than are implied. Stereochemistry is left out.
    """
    sizes: list[int] = []
    elements: list[int] = []
    charges: list[int] = []
    orders: list[int] = []
    ends: list[tuple[int, int]] = []
    for text in texts:
        with rdBase.BlockLogs():  # what is wrong is said in our own words
            molecule = Chem.MolFromSmiles(text)
        if molecule is None:
            raise ValueError(f"RDKit cannot read the SMILES {text!r}")
        Chem.Kekulize(molecule, clearAromaticFlags=True)
        _require_plain(molecule, text)
        before = sum(sizes)
        elements += [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
        charges += [atom.GetFormalCharge() for atom in molecule.GetAtoms()]
        for bond in molecule.GetBonds():
            ends.append((before + bond.GetBeginAtomIdx(), before + bond.GetEndAtomIdx()))
            orders.append(int(bond.GetBondTypeAsDouble()))
        sizes.append(molecule.GetNumAtoms())
    element = torch.tensor(elements, dtype=torch.int64)
    return from_edges(
        torch.tensor(ends, dtype=torch.int64).reshape(-1, 2).T,
        torch.tensor(sizes),
        undirected=True,
        nodes={
            "element": element,
            "charge": torch.tensor(charges, dtype=torch.int64),
            "chirality": torch.zeros_like(element),
        },
        edges={"order": torch.tensor(orders, dtype=torch.int64)},
    )


def has_stereo(text: str) -> bool:
    """Whether a SMILES says how neighbours lie around an atom or a double bond."""
    molecule = Chem.MolFromSmiles(text)
    return any(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in molecule.GetAtoms()) or any(
        bond.GetStereo() != Chem.BondStereo.STEREONONE for bond in molecule.GetBonds()
    )


def hydrogens_and_bonds(atoms: GraphBatch) -> tuple[Tensor, Tensor]:
    """[N] int64: the hydrogens of each atom; [E] int64: the order of each bond, 4 where RDKit takes it as aromatic."""
    kinds = atoms.edges["order"].clone()
    hydrogens, aromatic = [], []
    for table in _tables(atoms):
        molecule = drawn(*table)
        Chem.SanitizeMol(molecule)
        hydrogens += [atom.GetTotalNumHs() for atom in molecule.GetAtoms()]
        aromatic += [bond.GetIsAromatic() for bond in molecule.GetBonds()]
    rows = atoms.links[0][torch.tensor(aromatic, dtype=torch.bool)]
    opposite = opposite_edges(atoms, rows)
    kinds[rows] = kinds[opposite] = 4
    return torch.tensor(hydrogens), kinds


def symmetries(text: str) -> list[tuple[int, ...]]:
    """Where each atom goes in each of the symmetries of the molecule that a SMILES writes."""
    molecule = Chem.MolFromSmiles(text)
    kinds = [(atom.GetTotalNumHs(), atom.GetFormalCharge()) for atom in molecule.GetAtoms()]
    matches = molecule.GetSubstructMatches(molecule, uniquify=False, maxMatches=100_000)
    return [match for match in matches if [kinds[place] for place in match] == kinds]


@cache
def sa_score() -> Callable[[Molecule], float]:
    """Synthetic accessibility, a script that comes with RDKit. Raises ImportError where it does not."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("sascorer", path)
    if spec is None or spec.loader is None or not path.exists():
        raise ImportError(f"this RDKit came without {path.name}; pip install 'graphwright[chem]'")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    score: Callable[[Molecule], float] = module.calculateScore
    return score


def _tables(atoms: GraphBatch) -> list[tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]]:
    """Atoms and bonds of each molecule."""
    columns = [atoms.nodes[name].tolist() for name in ("element", "charge", "chirality")]
    nodes = list(zip(*columns, strict=True))
    rows, links = atoms.links
    ends = atoms.edge_index[:, rows] - atoms.node_ptr[:-1][atoms.edge_graph[rows]]
    bonds = list(zip(*ends.tolist(), atoms.edges["order"][rows].tolist(), strict=True))
    node_ptr, link_ptr = atoms.node_ptr.tolist(), links.ptr.tolist()
    return [
        (nodes[node_ptr[place] : node_ptr[place + 1]], bonds[link_ptr[place] : link_ptr[place + 1]])
        for place in range(atoms.num_graphs)
    ]


def _require_plain(molecule: Molecule, text: str) -> None:
    """Raise ValueError, naming the atom, unless element, charge and bonds say all of each."""
    plain = Chem.Mol(molecule)
    for atom in plain.GetAtoms():
        atom.SetNoImplicit(False)
        atom.SetNumExplicitHs(0)
        atom.SetNumRadicalElectrons(0)
    plain.UpdatePropertyCache(strict=False)
    for place, (atom, implied) in enumerate(zip(molecule.GetAtoms(), plain.GetAtoms(), strict=True)):
        if atom.GetIsotope():
            raise ValueError(f"{text!r}: atom {place} is the isotope {atom.GetSmarts()}; leave its mass out")
        found, usual = atom.GetTotalNumHs(), implied.GetTotalNumHs()
        if found != usual:
            raise ValueError(
                f"{text!r}: atom {place}, {atom.GetSymbol()}, has {found} hydrogens where {usual} are implied; "
                "radicals and other valences than usual are not built"
            )


@cache
def _atom(element: int, charge: int) -> Any:
    """A pattern of an atom; `AddAtom` copies it."""
    atom = Chem.Atom(element)
    atom.SetFormalCharge(charge)
    return atom


def _set_chirality(molecule: Molecule, centres: Sequence[int], values: Sequence[int]) -> None:
    """Write the tags; RDKit's are relative to the order in which an atom's bonds were added."""
    plain = Chem.Mol(molecule)
    plain.UpdatePropertyCache()
    Chem.FastFindRings(plain)
    rank = list(Chem.CanonicalRankAtoms(plain, breakTies=False))
    for centre, value in zip(centres, values, strict=True):
        atom = molecule.GetAtomWithIdx(centre)
        around = [rank[bond.GetOtherAtomIdx(centre)] for bond in atom.GetBonds()]
        if len(set(around)) == len(around):
            swaps = sum(one > other for place, one in enumerate(around) for other in around[place + 1 :])
            atom.SetChiralTag(_TAGS[(value - 1 + swaps) % 2])
