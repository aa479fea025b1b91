"""Rewards of molecules: published values, bounds, and how they become log-rewards."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.molecules.atoms import AtomContext
from graphwright.envs.generative.molecules.chemistry import Chem, molecules, similarity
from graphwright.envs.generative.molecules.fragment_building import FragmentBuilding
from graphwright.envs.generative.molecules.rewards import (
    cycle_rank,
    ease_of_synthesis,
    log_p,
    qed,
    reward_of_molecules,
)
from graphwright.envs.generative.molecules.tasks import QedSaLogPReward
from molecule_laws import built

ASPIRIN, BENZENE, CAFFEINE, MORPHINE = (
    Chem.MolFromSmiles(text)
    for text in (
        "CC(=O)Oc1ccccc1C(=O)O",
        "c1ccccc1",
        "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
        "CN1CCC23C4C1CC5=C2C(=C(C=C5)O)OC3C(C=C4)O",
    )
)


def test_known_values() -> None:
    assert qed([ASPIRIN, BENZENE]) == pytest.approx([0.550, 0.443], abs=1e-3)
    assert ease_of_synthesis([ASPIRIN, CAFFEINE, MORPHINE]) == pytest.approx([1, (5 - 2.298) / 3, 0], abs=1e-3)
    assert log_p([ASPIRIN, BENZENE]) == pytest.approx([(1.3101 + 2) / 8, (1.6866 + 2) / 8], abs=1e-4)


def test_what_is_easy_to_make_may_be_said_and_is_below_what_is_hard() -> None:
    assert ease_of_synthesis([CAFFEINE], hard=4.0, easy=1.0) == pytest.approx([(4 - 2.298) / 3], abs=1e-3)
    with pytest.raises(ValueError, match=r"--reward\.easy 5: give less than --reward\.hard, 5"):
        QedSaLogPReward(easy=5.0)


@pytest.mark.parametrize("environment", [GraphBuilding(AtomContext(max_nodes=12)), FragmentBuilding()])
def test_properties_lie_between_zero_and_one(environment: GraphBuilding) -> None:
    states = built(environment, 60, seed=5, stop=3)
    found = molecules(environment.context, states)
    for function in (qed, ease_of_synthesis, log_p):
        values = function(found)
        assert values.dtype == np.float64
        assert values.shape == (60,)
        assert values.min() >= 0
        assert values.max() <= 1
        log_reward = reward_of_molecules(function, floor=1e-4)
        log_reward = pickle.loads(pickle.dumps(log_reward))(environment, states)
        assert log_reward.dtype == torch.float64
        assert log_reward.exp().numpy() == pytest.approx(values.clip(min=1e-4))


def test_rings_are_counted_with_and_without_rdkit() -> None:
    environment = GraphBuilding(AtomContext(elements=("C",), charges=(), max_nodes=5))
    states = built(environment, 300, seed=6)
    rank = cycle_rank()(environment, states)
    rings = reward_of_molecules(_num_rings, floor=1e-30)(environment, states)
    assert bool((rank <= rings).all())
    assert torch.allclose(rank[rank <= 0], rings[rank <= 0])
    assert float(rank.max()) > math.log(2)
    assert rank.min() == rings.min() == pytest.approx(math.log(1e-30))


def _num_rings(found: Sequence[Chem.Mol]) -> np.ndarray:
    return np.array([one.GetRingInfo().NumRings() for one in found], float)


def test_similarity() -> None:
    alike = similarity([ASPIRIN, BENZENE, ASPIRIN])
    assert torch.equal(alike, alike.T)
    assert alike.diagonal().tolist() == [1, 1, 1]
    assert alike[0, 2] == 1
    assert 0 < alike[0, 1] < 0.5
    assert similarity([]).shape == (0, 0)


def test_a_floor_must_be_positive() -> None:
    with pytest.raises(ValueError, match="floor=0"):
        reward_of_molecules(qed, floor=0)
