"""`rings`, `qed`, `qed-atoms` and `qed-sa-logp`: molecules, built from atoms or from fragments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.envs.generation import Generation, Reward
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.many_objectives import ManyObjectives
from graphwright.envs.generative.molecules.atoms import AtomContext
from graphwright.envs.generative.molecules.chemistry import fingerprints, pictures, smiles
from graphwright.envs.generative.molecules.fragment_building import FragmentBuilding
from graphwright.envs.generative.molecules.rewards import (
    Property,
    cycle_rank,
    drawn,
    ease_of_synthesis,
    log_p,
    qed,
)
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible


@dataclass(frozen=True)
class RingsReward(Reward):
    """The number of independent rings; `floor` where there is none."""

    floor: float = 1e-3
    """Reward of molecules without a ring."""

    @override
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        return cycle_rank(self.floor)(environment, objects)


@dataclass(frozen=True)
class QedReward(Reward):
    """Drug-likeness (`rewards.qed`)."""

    floor: float = 1e-4
    """The least reward."""

    @override
    def __call__(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        return _evaluated(environment, objects, (qed,))[:, 0].clamp(min=self.floor).log()


@dataclass(frozen=True)
class QedSaLogPReward(ManyObjectives):
    """Drug-likeness, ease of synthesis and log P at once, each in [0, 1]."""

    floor: float = 0.05
    """The least reward. To the power of 32 it is lost, and a smaller one would be most of what there is to learn."""
    hard: float = 5.0
    """SA, from 1 to 10, of molecules that are as hard to make as counts."""
    easy: float = 2.0
    """SA of molecules that are as easy to make as counts."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be easier to make than anything else."""
        if not self.easy < self.hard:
            raise ValueError(f"--reward.easy {self.easy:g}: give less than --reward.hard, {self.hard:g}")

    @property
    @override
    def names(self) -> tuple[str, ...]:
        return ("QED", "SA", "log P")

    @override
    def measure(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        ease = partial(ease_of_synthesis, hard=self.hard, easy=self.easy)
        return _evaluated(environment, objects, (qed, ease, log_p))


def smiles_lines(environment: Reversible, objects: GraphBatch) -> list[str]:
    """A canonical SMILES a line."""
    return smiles(drawn(environment, objects))


def morgan(environment: Reversible, objects: GraphBatch) -> np.ndarray:
    """[B, 2048] bool: Morgan fingerprints."""
    return fingerprints(drawn(environment, objects))


def drawings(environment: Reversible, objects: GraphBatch) -> list[np.ndarray]:
    """[300, 300, 3] uint8 each: structural formulae."""
    return pictures(drawn(environment, objects))


def _evaluated(environment: Reversible, objects: GraphBatch, properties: tuple[Property, ...]) -> Tensor:
    """[B, K] float64."""
    found = drawn(environment, objects)
    return torch.from_numpy(np.stack([evaluate(found) for evaluate in properties], axis=1))


_OF_TREES = {"walks": 0}  # of which messages tell everything
_ONE_STEP = {"optimizer": "adam", "passes": 1, "minibatches": 1}  # as their figures were measured
RINGS = Problem(
    name="rings",
    summary="Build small molecules of carbon with as many rings as possible",
    environment=GraphBuilding(AtomContext(elements=("C",), charges=(), max_nodes=6)),
    generation=Generation(
        reward=RingsReward(),
        export=smiles_lines,
        fingerprints=morgan,
        pictures=drawings,
        training={
            "algorithm": "modified-subtb",
            "encoder": {"kind": "edge-gated", "width": 48, "depth": 3},
            "flow": {"passes": 2, "minibatches": 2},
        },
    ),
)
QED = Problem(
    name="qed",
    summary="Put drug-like molecules together from fragments",
    environment=FragmentBuilding(),
    generation=Generation(
        reward=QedReward(),
        export=smiles_lines,
        fingerprints=morgan,
        pictures=drawings,
        training={
            "encoder": _OF_TREES,
            "flow": {"learning_rate": 5e-3, **_ONE_STEP},
            "collection": {
                "trajectories": {"condition": {"low": 128.0}, "sources": {"replay": 64, "replay_by": "reward"}}
            },
        },
    ),
)
QED_ATOMS = Problem(
    name="qed-atoms",
    summary="Build drug-like molecules atom by atom",
    environment=GraphBuilding(AtomContext(charges=(), max_nodes=12)),
    generation=Generation(
        reward=QedReward(),
        export=smiles_lines,
        fingerprints=morgan,
        pictures=drawings,
        training={
            "flow": {"learning_rate": 1e-3, **_ONE_STEP},
            "collection": {"trajectories": {"condition": {"low": 32.0}}},
        },
    ),
)
QED_SA_LOGP = Problem(
    name="qed-sa-logp",
    summary="Put molecules together that are drug-like, easy to make and lipophilic, as far as each is asked for",
    environment=FragmentBuilding(),
    generation=Generation(
        reward=QedSaLogPReward(),
        export=smiles_lines,
        fingerprints=morgan,
        pictures=drawings,
        training={
            "encoder": _OF_TREES,
            "flow": {"passes": 2, "learning_rate": 1e-3},  # by 0.003 some runs end near random building
            "collection": {
                "trajectories": {
                    "condition": {"low": 32.0, "preference": 0.5},  # what is asked for alone is seen while training
                    "sources": {"replay": 64, "replay_by": "reward"},
                }
            },
        },
    ),
)
