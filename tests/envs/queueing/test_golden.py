"""Published figures of the dynamics: criss-cross, N-model, the line of six classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from graphwright.envs.queueing.multiclass import rules
from graphwright.envs.queueing.multiclass.environment import Multiclass
from graphwright.envs.queueing.multiclass.problem import criss_cross, n_model, reentrant_line
from graphwright.envs.queueing.multiclass.value_iteration import value_iteration
from graphwright.training.averages import run
from six_classes import simulate


@pytest.mark.parametrize(
    ("arrival", "downstream", "published", "most"),
    [(0.3, 1.5, 0.671, 12), (0.3, 1.0, 0.843, 12), (0.6, 1.5, 2.084, 22), (0.6, 1.0, 2.829, 22)],
)
def test_the_optimum_of_the_criss_cross_network(arrival: float, downstream: float, published: float, most: int) -> None:
    """Dai & Gluzman (2022), table 2; servers gain nothing by idling."""
    optimal = value_iteration(criss_cross(arrival, downstream), [most] * 3)
    assert optimal.low <= optimal.gain <= optimal.high
    assert abs(optimal.gain - published) < 1e-3


def test_the_optimum_of_the_n_model() -> None:
    """Bell & Williams (2001), costs 3 and 1, at load 0.9: 23.53."""
    optimal = value_iteration(n_model(0.9), [70, 120], tolerance=4e-3)
    assert optimal.low - 0.1 < 23.53 < optimal.high + 0.1


def test_the_optimal_policy_simulated_has_the_optimal_mean() -> None:
    network = criss_cross(0.3, 1.0)
    optimal, environment = value_iteration(network, [12] * 3), Multiclass()
    copies = network.select(torch.zeros(512, dtype=torch.int64)).with_graphs(seed=torch.arange(512))
    series = run(environment, lambda state: optimal.rule(environment, state), copies, 300, 0)["backlog"]
    means = series[100:].mean(0)
    assert abs(means.mean() - optimal.gain) < 4 * means.std() / np.sqrt(len(means))


def test_last_buffer_first_served_on_the_line_of_six_classes() -> None:
    """Preemptive: 14.3 ± 0.35; a loop in plain Python that is held to the environment, event for event."""
    assert abs(simulate(8_000_000, seed=1) - 14.3) < 0.35


def test_the_line_of_six_classes_is_the_environment() -> None:
    network, environment = reentrant_line(2), Multiclass()
    copies = network.select(torch.zeros(256, dtype=torch.int64)).with_graphs(seed=torch.arange(256))
    series = run(environment, lambda state: rules.last_buffer_first(environment, state), copies, 600, 0)["backlog"]
    theirs = np.array([simulate(600, seed=seed) for seed in range(1, 2001)])
    ours = series.mean(0)
    apart = abs(ours.mean() - theirs.mean())
    assert apart < 4 * np.sqrt(ours.var() / len(ours) + theirs.var() / len(theirs))
