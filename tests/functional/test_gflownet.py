"""Objectives of flow networks against plain loops over trajectories, and regression losses by hand."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import Segments
from graphwright.functional import gflownet
from strategies import seeded, seeds


class Drawn(NamedTuple):
    """Numbers of M trajectories with R rows, float64."""

    segments: Segments
    log_flow: Tensor
    log_forward: Tensor
    log_backward: Tensor
    log_stop: Tensor
    state_log_reward: Tensor
    log_reward: Tensor
    log_z: Tensor


@st.composite
def trajectories(draw: st.DrawFn) -> Drawn:
    """One to five trajectories of one to five rows; some end without stop."""
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    segments, generator = Segments.from_lengths(torch.tensor(lengths)), seeded(draw(seeds))
    rows = [torch.randn(sum(lengths), generator=generator, dtype=torch.float64) for _ in range(5)]
    flow_, forward, backward, stop, reward = rows
    backward = backward.index_fill(0, segments.ptr[:-1], 0)
    if draw(st.booleans()):
        forward = forward.index_fill(0, segments.ptr[1:] - 1, 0)
    ends = torch.randn(2, len(lengths), generator=generator, dtype=torch.float64)
    return Drawn(segments, flow_, forward, backward, stop, reward, *ends)


def rows_of(drawn: Drawn) -> list[range]:
    bounds = drawn.segments.ptr.tolist()
    return [range(*bounds[k : k + 2]) for k in range(len(bounds) - 1)]


@given(trajectories())
def test_trajectory_balance(drawn: Drawn) -> None:
    found = gflownet.trajectory_balance(
        drawn.log_forward, drawn.log_backward, drawn.log_reward, drawn.log_z, drawn.segments
    )
    estimate = gflownet.log_z_estimate(drawn.log_forward, drawn.log_backward, drawn.log_reward, drawn.segments)
    for k, rows in enumerate(rows_of(drawn)):
        expected = float(drawn.log_z[k] - drawn.log_reward[k])
        for row in rows:
            expected += float(drawn.log_forward[row])
            if row != rows[0]:
                expected -= float(drawn.log_backward[row])
        assert float(found[k]) == pytest.approx(expected, abs=1e-9)
        assert float(drawn.log_z[k] - estimate[k]) == pytest.approx(expected, abs=1e-9)


@given(trajectories(), st.data())
def test_log_partition_variance(drawn: Drawn, data: st.DataObject) -> None:
    estimate, total = drawn.log_reward, drawn.log_reward.numel()
    cuts = sorted(data.draw(st.sets(st.integers(1, total))) | {total})
    groups = Segments(torch.tensor([0, *cuts]))
    found = gflownet.log_partition_variance(estimate, groups).tolist()
    for begin, end in zip([0, *cuts], cuts, strict=False):
        mean = sum(estimate[begin:end].tolist()) / (end - begin)
        assert found[begin:end] == pytest.approx([mean - value for value in estimate[begin:end].tolist()], abs=1e-9)


@given(trajectories())
def test_detailed_balance(drawn: Drawn) -> None:
    found = gflownet.detailed_balance(
        drawn.log_flow, drawn.log_forward, drawn.log_backward, drawn.log_reward, drawn.segments
    )
    for k, rows in enumerate(rows_of(drawn)):
        for row in rows:
            expected = float(drawn.log_flow[row] + drawn.log_forward[row])
            if row == rows[-1]:
                expected -= float(drawn.log_reward[k])
            else:
                expected -= float(drawn.log_flow[row + 1] + drawn.log_backward[row + 1])
            assert float(found[row]) == pytest.approx(expected, abs=1e-9)


@given(trajectories())
def test_forward_looking_adds_the_reward_of_states_to_their_flow(drawn: Drawn) -> None:
    """Pan et al. 2023, eq. 7, with log-rewards as energies."""
    found = gflownet.detailed_balance(
        drawn.log_flow + drawn.state_log_reward,
        drawn.log_forward,
        drawn.log_backward,
        drawn.log_reward,
        drawn.segments,
    )
    for rows in rows_of(drawn):
        for row in rows[:-1]:
            gain = float(drawn.state_log_reward[row + 1] - drawn.state_log_reward[row])
            one = float(drawn.log_flow[row] + drawn.log_forward[row])
            other = float(drawn.log_flow[row + 1] + drawn.log_backward[row + 1])
            assert float(found[row]) == pytest.approx(one - other - gain, abs=1e-9)


@given(trajectories())
def test_modified_detailed_balance(drawn: Drawn) -> None:
    found = gflownet.modified_detailed_balance(
        drawn.state_log_reward, drawn.log_stop, drawn.log_forward, drawn.log_backward, drawn.segments
    )
    expected = []
    for rows in rows_of(drawn):
        for row in rows[:-1]:
            left = drawn.state_log_reward[row + 1] + drawn.log_backward[row + 1] + drawn.log_stop[row]
            right = drawn.state_log_reward[row] + drawn.log_forward[row] + drawn.log_stop[row + 1]
            expected.append(float(right - left))
    assert found.tolist() == pytest.approx(expected, abs=1e-9)


def assert_weighed(residual: torch.Tensor, weight: torch.Tensor, expected: list[tuple[float, float]]) -> None:
    """The residuals, in any order, with weights in proportion to those of `expected`, (residual, weight) each."""
    total = sum(factor for _, factor in expected)
    found = sorted(zip(residual.tolist(), weight.tolist(), strict=True))
    assert len(found) == len(expected)
    for (value, share), (wanted, factor) in zip(found, sorted(expected), strict=True):
        assert value == pytest.approx(wanted, abs=1e-9)
        assert share == pytest.approx(factor / total)


@given(trajectories(), st.sampled_from([0.5, 0.9, 1.0, 1.1]))
def test_sub_trajectory_balance(drawn: Drawn, decay: float) -> None:
    """All pairs i < j of the states of a trajectory and its finished object, decay^(j - i) over the sum of all."""
    residual, weight = gflownet.sub_trajectory_balance(
        drawn.log_flow, drawn.log_forward, drawn.log_backward, drawn.log_reward, drawn.segments, decay
    )
    expected = []
    for k, rows in enumerate(rows_of(drawn)):
        flows = [*(float(drawn.log_flow[row]) for row in rows), float(drawn.log_reward[k])]
        back = [*(float(drawn.log_backward[row]) for row in rows[1:]), 0.0]
        for i in range(len(rows)):
            for j in range(i + 1, len(rows) + 1):
                steps = sum(float(drawn.log_forward[rows[m]]) - back[m] for m in range(i, j))
                expected.append((flows[i] + steps - flows[j], decay ** (j - i)))
    assert_weighed(residual, weight, expected)
    assert float(weight.sum()) == pytest.approx(1)


@given(trajectories())
def test_sub_trajectories_of_length_one_and_of_full_length_are_the_other_two(drawn: Drawn) -> None:
    """Little decay leaves steps; and the whole of a trajectory has the residual of trajectory balance."""
    rows = (drawn.log_flow, drawn.log_forward, drawn.log_backward, drawn.log_reward, drawn.segments)
    residual, weight = gflownet.sub_trajectory_balance(*rows, 1e-9)
    steps = gflownet.detailed_balance(*rows)
    torch.testing.assert_close((weight * residual.square()).sum(), steps.square().mean(), rtol=1e-6, atol=1e-6)
    first = drawn.log_flow[drawn.segments.ptr[:-1]]
    whole = gflownet.trajectory_balance(drawn.log_forward, drawn.log_backward, drawn.log_reward, first, drawn.segments)
    found = residual.tolist()
    for value in whole.tolist():
        assert any(value == pytest.approx(other, abs=1e-9) for other in found)


@given(trajectories(), st.floats(0.1, 1), seeds)
def test_modified_sub_trajectory_balance(drawn: Drawn, decay: float, seed: int) -> None:
    """Pairs of log Z and what each prefix that may be finished says of it: log R + Σ log P_B - Σ log P_F - log stop."""
    may_finish = torch.rand(drawn.log_flow.numel(), generator=seeded(seed)) < 0.6
    may_finish[drawn.segments.ptr[1:] - 1] = True
    log_finish = (drawn.state_log_reward - drawn.log_stop)[may_finish]
    estimate = gflownet.log_z_estimates_of_prefixes(
        log_finish, may_finish, drawn.log_forward, drawn.log_backward, drawn.segments
    )
    residual, weight = gflownet.modified_sub_trajectory_balance(
        drawn.log_z, estimate, may_finish, drawn.segments, decay
    )
    says, expected = [], []
    for k, rows in enumerate(rows_of(drawn)):
        points, steps = [float(drawn.log_z[k])], 0.0
        for row in rows:
            steps += float(drawn.log_backward[row]) if row != rows[0] else 0.0
            if bool(may_finish[row]):
                says.append(float(drawn.state_log_reward[row] - drawn.log_stop[row]) + steps)
                points.append(says[-1])
            steps -= float(drawn.log_forward[row])
        for j in range(len(points)):
            expected += [(points[i] - points[j], decay ** (j - i)) for i in range(j)]
    assert estimate.tolist() == pytest.approx(says, abs=1e-9)
    assert_weighed(residual, weight, expected)


@given(trajectories())
def test_where_only_the_last_state_may_be_finished_it_is_trajectory_balance(drawn: Drawn) -> None:
    last = drawn.segments.ptr[1:] - 1
    may_finish = torch.zeros_like(drawn.log_flow, dtype=torch.bool).index_fill(0, last, True)
    forward, backward = drawn.log_forward, drawn.log_backward
    estimate = gflownet.log_z_estimates_of_prefixes(
        drawn.log_reward - forward[last], may_finish, forward, backward, drawn.segments
    )
    residual, weight = gflownet.modified_sub_trajectory_balance(drawn.log_z, estimate, may_finish, drawn.segments, 0.9)
    whole = gflownet.trajectory_balance(forward, backward, drawn.log_reward, drawn.log_z, drawn.segments)
    torch.testing.assert_close(residual, whole)
    torch.testing.assert_close(weight, torch.full_like(whole, 1 / whole.numel()))


@given(trajectories())
def test_trajectories_do_not_affect_each_other(drawn: Drawn) -> None:
    def objectives(some: Drawn) -> tuple[Tensor, ...]:
        rows = (some.log_flow, some.log_forward, some.log_backward, some.log_reward, some.segments)
        return gflownet.detailed_balance(*rows), gflownet.trajectory_balance(*rows[1:4], some.log_z, some.segments)

    together = objectives(drawn)
    for k, rows in enumerate(rows_of(drawn)):
        part = slice(rows.start, rows.stop)
        segments = Segments(torch.tensor([0, len(rows)]))
        alone = objectives(Drawn(segments, *(c[part] for c in drawn[1:6]), *(c[k : k + 1] for c in drawn[6:])))
        torch.testing.assert_close(alone[0], together[0][part])
        torch.testing.assert_close(alone[1], together[1][k : k + 1])


def test_long_trajectories_do_not_lose_small_differences() -> None:
    """Running sums over many trajectories in float32."""
    lengths = torch.full((3000,), 20)
    segments = Segments.from_lengths(lengths)
    log_forward = torch.full((60_000,), -3.3)
    log_backward = torch.full((60_000,), -1.1).index_fill(0, segments.ptr[:-1], 0)
    residual, _ = gflownet.sub_trajectory_balance(
        torch.zeros(60_000), log_forward, log_backward, torch.zeros(3000), segments, 0.9
    )
    first, last = residual.split(20 * 21 // 2)[0], residual.split(20 * 21 // 2)[-1]
    torch.testing.assert_close(first, last, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("squared", [9.0, 0.25, 0.0, 1.0, 4.0]),
        ("huber", [2.5, 0.125, 0.0, 0.5, 1.5]),
        ("log-cosh", [math.log(math.cosh(x)) for x in (-3.0, -0.5, 0.0, 1.0, 2.0)]),
    ],
)
def test_regression_losses_by_hand(kind: gflownet.Regression, expected: list[float]) -> None:
    residual = torch.tensor([-3.0, -0.5, 0.0, 1.0, 2.0], dtype=torch.float64)
    assert gflownet.regression(kind)(residual).tolist() == pytest.approx(expected, abs=1e-12)


def test_log_cosh_of_large_residuals_is_finite() -> None:
    residual = torch.tensor([-1e4, 1e4], requires_grad=True)
    loss = gflownet.regression("log-cosh")(residual)
    loss.sum().backward()
    assert loss.tolist() == pytest.approx([1e4 - math.log(2)] * 2)
    assert residual.grad is not None
    assert residual.grad.tolist() == [-1, 1]


def test_flow_matching_is_inflow_over_outflow() -> None:
    inflow, outflow = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 2.0])
    assert gflownet.flow_matching(inflow, outflow).tolist() == [-2, 0]
