"""The fragments that molecules are built from unless others are given."""

from __future__ import annotations

from typing import NamedTuple


class Fragment(NamedTuple):
    """A piece of a molecule.

    smiles: the piece, with hydrogen wherever it can be joined to others. points: the atoms, by their place in `smiles`,
    that are joined to others, each as often as it can be at once.
    """

    smiles: str
    points: tuple[int, ...]

    @property
    def text(self) -> str:
        """The two in one line: "CNC 1" has a point at its second atom."""
        return " ".join([self.smiles, *map(str, self.points)])

    @staticmethod
    def of(text: str) -> Fragment:
        """The fragment that `text` writes. Raises ValueError where it is none."""
        smiles, *points = text.split() or [""]
        if not smiles or not all(point.isdigit() for point in points):
            raise ValueError(f"fragment {text!r}: write SMILES and the atoms to join at, counted from 0, as in 'CNC 1'")
        return Fragment(smiles, tuple(map(int, points)))


SUBSTITUENTS = (
    Fragment("F", (0,)),
    Fragment("Cl", (0,)),
    Fragment("Br", (0,)),
    Fragment("C", (0, 0, 0)),
    Fragment("N", (0, 0, 0)),
    Fragment("O", (0, 0)),
    Fragment("S", (0, 0)),
    Fragment("CC", (0, 1)),
    Fragment("CCC", (0, 1, 2)),
    Fragment("CC(C)C", (1,)),
    Fragment("C=C", (0, 1)),
    Fragment("C#C", (0, 1)),
    Fragment("C#N", (0,)),
    Fragment("FC(F)F", (1,)),
    Fragment("OC(F)(F)F", (0,)),
    Fragment("CO", (0, 1)),
    Fragment("CCO", (0, 2)),
    Fragment("CN", (0, 1, 1)),
    Fragment("CCN", (0, 2, 2)),
    Fragment("CNC", (1,)),
    Fragment("C=O", (0, 0)),
    Fragment("CC=O", (1,)),
    Fragment("O=CO", (1, 2)),
    Fragment("NC=O", (0, 0, 1)),
    Fragment("NC(N)=O", (0, 2)),
    Fragment("NC(=O)O", (0, 3)),
    Fragment("N=CN", (1, 2)),
    Fragment("O=[NH+][O-]", (1,)),
    Fragment("O=S=O", (1, 1)),
    Fragment("NS(=O)=O", (0, 1)),
    Fragment("CS(=O)=O", (1,)),
    Fragment("O=P(O)O", (1,)),
)
"""Atoms, chains and functional groups, by their usual names: halogens, methyl, amine, ether, ..., phosphonate."""

RINGS = (
    # three to five atoms
    Fragment("C1CC1", (0, 0, 1)),
    Fragment("C1CCC1", (0, 2)),
    Fragment("C1CNC1", (0, 2)),
    Fragment("C1CCCC1", (0, 1, 2)),
    Fragment("C1CCNC1", (0, 1, 3)),
    Fragment("O=C1CCCN1", (2, 4, 5)),
    Fragment("C1CCOC1", (0, 1, 2)),
    Fragment("c1ccoc1", (0, 2, 4)),
    Fragment("c1ccsc1", (0, 2, 4)),
    Fragment("c1cc[nH]c1", (0, 2, 3, 4)),
    Fragment("c1cn[nH]c1", (0, 1, 3, 4)),
    Fragment("c1c[nH]cn1", (0, 1, 2, 3)),
    Fragment("c1cocn1", (0, 1, 3)),
    Fragment("c1cnoc1", (0, 1, 4)),
    Fragment("c1cscn1", (0, 1, 3)),
    Fragment("c1nc[nH]n1", (0, 2, 3)),
    Fragment("c1nnn[nH]1", (0, 4)),
    Fragment("c1nnco1", (0, 3)),
    # six atoms
    Fragment("c1ccccc1", (0, 1, 2, 3)),
    Fragment("c1ccncc1", (0, 1, 2, 4)),
    Fragment("c1cncnc1", (0, 1, 3, 5)),
    Fragment("c1cnccn1", (0, 1, 3, 4)),
    Fragment("c1ccnnc1", (0, 1, 2, 5)),
    Fragment("O=c1cccc[nH]1", (2, 3, 4, 6)),
    Fragment("C1CCCCC1", (0, 1, 2, 3)),
    Fragment("C1CCNCC1", (0, 1, 2, 3)),
    Fragment("C1CNCCN1", (0, 2, 5)),
    Fragment("C1COCCN1", (0, 1, 5)),
    Fragment("C1CCOCC1", (0, 1, 2)),
    # two rings
    Fragment("c1ccc2ccccc2c1", (0, 1, 2, 9)),
    Fragment("c1ccc2ncccc2c1", (0, 1, 5, 7)),
    Fragment("c1ccc2ncncc2c1", (0, 1, 5, 7)),
    Fragment("c1ccc2[nH]ccc2c1", (0, 1, 4, 6)),
    Fragment("c1ccc2[nH]cnc2c1", (0, 1, 4, 5)),
    Fragment("c1ccc2[nH]ncc2c1", (0, 1, 4, 6)),
    Fragment("c1ccc2scnc2c1", (0, 1, 5)),
    Fragment("c1ncc2nc[nH]c2n1", (0, 2, 5, 6)),
    Fragment("c1ccc2c(c1)CCNC2", (0, 1, 2, 8)),
    Fragment("c1ccc2c(c1)OCO2", (0, 1, 2)),
    Fragment("c1cnn2ccnc2c1", (0, 1, 4, 5)),
)
"""Ring systems that are frequent in drugs, chosen by hand from the kind that Taylor, MacCoss and Lawson 2014 ("Rings in
drugs", J. Med. Chem. 57) count; at most four points each."""

FRAGMENTS = SUBSTITUENTS + RINGS
"""72 fragments, as many as Bengio et al. 2021 build from ("Flow network based generative models for non-iterative
diverse candidate generation"); the list is this library's own."""
