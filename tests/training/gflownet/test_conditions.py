"""Conditions: how exponents, weights and directions are drawn, and how they are written down."""

from __future__ import annotations

import math

import pytest
import torch

from graphwright.core import Features
from graphwright.envs.generative.environment import blank
from graphwright.training.gflownet.conditions import ConditionConfig, Goal, refocus, thermometer
from strategies import seeded


def test_a_thermometer_by_hand() -> None:
    found = thermometer(torch.tensor([0.0, 1.0, 2.5, 3.9, 4.0]), 0.0, 4.0, 4)
    assert found.tolist() == [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 0.5, 0],
        pytest.approx([1, 1, 1, 0.9]),
        [1, 1, 1, 1],
    ]
    assert thermometer(torch.tensor([-1.0, 9.0]), 0.0, 4.0, 2).tolist() == [[0, 0], [1, 1]]
    assert bool(thermometer(torch.tensor([2.0]), 2.0, 2.0, 3).isfinite().all())


def test_a_thermometer_tells_any_two_values_apart() -> None:
    values = torch.linspace(1, 32, 200)
    filled = thermometer(values, 1.0, 32.0, 16).sum(1)
    assert bool((filled.diff() > 0).all())
    torch.testing.assert_close(filled * 31 / 16 + 1, values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["constant", "uniform", "log-uniform", "gamma"])
def test_exponents_are_drawn_as_named(kind: str) -> None:
    """Means over many draws; of gamma, before it is cut at the ends."""
    config = ConditionConfig(beta=kind, low=1.0, high=9.0, shape=50.0)  # type: ignore[arg-type]
    beta = config.draw(20_000, 1, seeded()).beta
    assert beta.dtype == torch.float32
    assert bool(((beta >= 1) & (beta <= 9)).all())
    if kind == "constant":
        assert bool((beta == 1).all())
    elif kind == "uniform":
        assert float(beta.mean()) == pytest.approx(5, abs=0.1)
        assert float(beta.std()) == pytest.approx(8 / math.sqrt(12), abs=0.1)
    elif kind == "log-uniform":
        assert float(beta.log().mean()) == pytest.approx(math.log(9) / 2, abs=0.03)
        assert float(beta.log().std()) == pytest.approx(math.log(9) / math.sqrt(12), abs=0.03)
    else:
        assert float(beta.mean()) == pytest.approx(5, abs=0.05)
        assert float(beta.std()) == pytest.approx(5 / math.sqrt(50), abs=0.05)


def test_weights_add_up_and_directions_have_length_one() -> None:
    config = ConditionConfig(preference=1.5, focus=True)
    drawn = config.draw(5000, 3, seeded())
    assert drawn.preference is not None
    assert drawn.focus is not None
    torch.testing.assert_close(drawn.preference.sum(1), torch.ones(5000))
    torch.testing.assert_close(drawn.preference.mean(0), torch.full((3,), 1 / 3), rtol=0, atol=0.02)
    torch.testing.assert_close(drawn.focus.norm(dim=1), torch.ones(5000))
    assert bool((drawn.focus >= 0).all())
    assert bool((drawn.preference >= 0).all())


@pytest.mark.parametrize(
    ("options", "width"),
    [
        ({}, 0),
        ({"beta": "uniform", "bins": 5}, 5),
        ({"preference": 1.0}, 3),
        ({"focus": True}, 3),
        ({"beta": "gamma", "bins": 4, "preference": 1.0, "focus": True}, 10),
    ],
)
def test_what_is_attached_is_what_the_policy_is_promised(options: dict[str, object], width: int) -> None:
    config = ConditionConfig(**options)  # type: ignore[arg-type]
    assert config.varies == (width > 0)
    features = config.features(Features({"x": 1}, graphs={"g": 2}), 3)
    assert features.graphs == {"g": 2, **({"condition": width} if width else {})}
    drawn = config.draw(7, 3, seeded())
    graph = config.attach(blank(7), drawn)
    assert torch.equal(graph.graphs["beta"], drawn.beta)
    if width:
        assert graph.graphs["condition"].shape == (7, width)
    if config.beta != "constant":
        column = thermometer(drawn.beta, config.low, config.high, config.bins)
        assert torch.equal(graph.graphs["condition"][:, : config.bins], column)
    seen = graph.graphs.get("condition")
    if drawn.focus is not None:
        assert seen is not None
        assert torch.equal(seen[:, -3:], drawn.focus)
        seen = seen[:, :-3]
    if drawn.preference is not None:  # as large as other columns are, and 0 where all weights are alike
        assert seen is not None
        torch.testing.assert_close(seen[:, -3:], 3 * drawn.preference - 1)
        assert torch.equal(graph.graphs["preference"], drawn.preference)


def test_a_goal_takes_the_place_of_what_is_drawn() -> None:
    config = ConditionConfig(beta="uniform", high=8.0, preference=1.0, focus=True)
    drawn = config.goals(4, 2, seeded(), Goal())
    assert drawn.beta.tolist() == [8.0] * 4
    fixed = config.goals(4, 2, seeded(), Goal(2.0, (0.25, 0.75), (0.0, 1.0)))
    assert fixed.preference is not None
    assert fixed.focus is not None
    assert fixed.beta.tolist() == [2.0] * 4
    assert fixed.preference.tolist() == [[0.25, 0.75]] * 4
    assert fixed.focus.tolist() == [[0.0, 1.0]] * 4
    weights = config.goals(4, 2, seeded(), Goal(preference=(1.0, 3.0))).preference
    assert weights is not None
    assert weights.tolist() == [[0.25, 0.75]] * 4, "weights count by their shares, as drawn ones do"
    for bad in ((0.0, 0.0), (-1.0, 2.0), (1.0, float("inf")), (1.0, float("nan"))):
        with pytest.raises(ValueError, match="give weights of at least 0"):
            config.goals(4, 2, seeded(), Goal(preference=bad))
    assert ConditionConfig(low=3.0).goals(1, 1, seeded(), Goal()).beta.tolist() == [3.0]
    assert ConditionConfig(low=64.0).draw(1, 1, seeded()).beta.tolist() == [64.0], "a constant has no greatest value"
    with pytest.raises(ValueError, match=r"preference .*takes 2 numbers"):
        config.goals(4, 2, seeded(), Goal(preference=(1.0,)))
    with pytest.raises(ValueError, match=r"focus .*trained without --condition\.focus"):
        ConditionConfig().goals(4, 2, seeded(), Goal(focus=(1.0, 0.0)))


def test_hindsight_writes_a_new_direction_for_the_reward_and_the_policy() -> None:
    config = ConditionConfig(beta="uniform", bins=4, preference=1.0, focus=True)
    before = config.attach(blank(3), config.draw(3, 2, seeded()))
    after = refocus(before, torch.tensor([2]), torch.tensor([[0.6, 0.8]], dtype=torch.float64), 2)
    assert after.graphs["focus"][2].tolist() == pytest.approx([0.6, 0.8])
    assert after.graphs["condition"][2, -2:].tolist() == pytest.approx([0.6, 0.8])
    for name in ("focus", "condition"):
        assert torch.equal(after.graphs[name][:2], before.graphs[name][:2])
        assert not torch.equal(after.graphs[name][2], before.graphs[name][2])
    assert torch.equal(after.graphs["condition"][:, :-2], before.graphs["condition"][:, :-2])


@pytest.mark.parametrize(
    "options", [{"low": 0.0}, {"beta": "uniform", "low": 5.0, "high": 4.0}, {"bins": 0}, {"hindsight": 1.5}]
)
def test_ranges_that_are_none_are_refused(options: dict[str, float | str]) -> None:
    with pytest.raises(ValueError, match="--condition"):
        ConditionConfig(**options)  # type: ignore[arg-type]
