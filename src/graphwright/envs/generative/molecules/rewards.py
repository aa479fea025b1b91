"""Rewards of molecules: properties in [0, 1] of RDKit's molecules, and how they become log-rewards of states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.molecules.atoms import AtomContext
from graphwright.envs.generative.molecules.chemistry import QED, Molecule, molecules, rdMolDescriptors, sa_score
from graphwright.envs.generative.molecules.fragments import FragmentContext
from graphwright.envs.generative.rewards import RewardOf
from graphwright.envs.reversible import Reversible

Property = Callable[[Sequence[Molecule]], NDArray[np.float64]]
"""A number that is not negative for each of a list of sanitized `rdkit.Chem.Mol`."""


def reward_of_molecules(function: Property, *, floor: float = 1e-8) -> RewardOf:
    """The reward max(function(molecules), floor) of the states of a molecule environment.

    Raises ValueError where the floor is not positive.
    """
    return RewardOf(function, drawn, floor)


def drawn(environment: Reversible, objects: GraphBatch) -> list[Molecule]:
    """RDKit's molecules."""
    assert isinstance(environment, GraphBuilding)
    context = environment.context
    assert isinstance(context, AtomContext | FragmentContext)
    return molecules(context, objects)


def qed(found: Sequence[Molecule]) -> NDArray[np.float64]:
    """[M]: drug-likeness, the QED of Bickerton et al. 2012 ("Quantifying the chemical beauty of drugs")."""
    return _array(QED.qed, found)


def ease_of_synthesis(found: Sequence[Molecule], hard: float = 5.0, easy: float = 2.0) -> NDArray[np.float64]:
    """[M]: where SA lies between `hard` to make (0) and `easy` (1).

    SA from 1 to 10 is the score of Ertl and Schuffenhauer 2009 ("Estimation of synthetic accessibility score of
    drug-like molecules"), as the contributions to RDKit compute it; most drugs lie from 2 to 5. Over the whole range
    molecules of fragments would differ by a fifth of what they do in log P, and from 6 to 1 nothing of it is learned
    beside QED. Raises ImportError where RDKit came without it.
    """
    return ((hard - _array(sa_score(), found)) / (hard - easy)).clip(0, 1)


def log_p(found: Sequence[Molecule]) -> NDArray[np.float64]:
    """[M]: where log P of Wildman and Crippen 1999 lies between -2 (0) and 6 (1)."""
    return ((_array(lambda one: rdMolDescriptors.CalcCrippenDescriptors(one)[0], found) + 2) / 8).clip(0, 1)


def cycle_rank(floor: float = 1e-30) -> Callable[[Reversible, GraphBatch], Tensor]:
    """The log-reward log max(links - nodes + 1, floor) of connected graphs, [B] float64, without RDKit.

    The rings that RDKit counts, but for cages: tetrahedrane has three independent rings, and four that are alike.
    """
    return partial(_log_cycle_rank, floor)


def _log_cycle_rank(floor: float, environment: Reversible, states: GraphBatch) -> Tensor:
    rank = states.links[1].lengths - states.node_segments.lengths + 1
    return rank.double().clamp(min=floor).log()


def _array(function: Callable[[Molecule], float], found: Sequence[Molecule]) -> NDArray[np.float64]:
    return np.fromiter(map(function, found), np.float64, len(found))
