"""Pictures of distributions show what they are given."""

from __future__ import annotations

import numpy as np
import pytest

from graphwright.drawing.distributions import plot_distribution, plot_grid, plot_pareto, plot_rewards


def test_distributions_are_sorted_by_target_and_measured() -> None:
    axes = plot_distribution(np.array([0.2, 0.5, 0.3]), {"learned": np.array([0.3, 0.5, 0.2])}).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [0.5, 0.3, 0.2]
    np.testing.assert_allclose(axes.collections[0].get_offsets(), [[0, 0.5], [1, 0.2], [2, 0.3]])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["target", "learned: total variation 0.1"]


def test_only_objects_that_hold_mass_are_drawn() -> None:
    """Of 4096 the two that are wanted and the two that are sampled; of too many, the likeliest by either."""
    target, learned = np.full(4096, 1e-9), np.full(4096, 1e-9)
    target[[5, 70]] = 0.3, 0.7
    learned[[70, 900]] = 0.4, 0.6
    axes = plot_distribution(target, {"learned": learned}).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [0.7, 0.3, 1e-9]
    np.testing.assert_array_equal(axes.collections[0].get_offsets()[:, 1], [0.4, 1e-9, 0.6])
    assert axes.get_xlabel() == "3 of 4096 objects, the most likely first"
    learned[:] = 0.4 / 4095
    learned[900] = 0.6
    axes = plot_distribution(target, {"learned": learned}).axes[0]
    assert len(axes.patches) == 200
    assert 0.6 in axes.collections[0].get_offsets()[:, 1]
    held = 0.6 + 199 * 0.4 / 4095
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[0] == "target (100.0% shown)"
    assert texts[1].endswith(f"({held:.1%} shown)")


def test_grids_share_their_colours() -> None:
    first, second, _ = plot_grid({"target": np.eye(4) / 4, "learned": np.full((4, 4), 1 / 16)}).axes
    assert first.images[0].get_clim() == second.images[0].get_clim() == (0, 0.25)


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_titles_of_grids_are_within_the_picture(panels: int) -> None:
    figure = plot_grid({f"target {panel}": np.eye(8) / 8 for panel in range(panels)})
    figure.canvas.draw()
    assert figure.get_tightbbox().y1 < figure.get_figheight() - 0.05
    assert figure.get_tightbbox().y0 > 0


def test_rewards_and_fronts_are_counted() -> None:
    axes = plot_rewards({"a": np.log([0.1, 0.5, 0.9]), "b": np.zeros(2)}).axes[0]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert set(texts) == {"a: mean 0.5", "b: mean 1"}
    assert axes.get_xlabel() == "reward R"
    points = np.array([[1, 0, 2], [0, 1, 2], [0, 0, 1]])
    figure = plot_pareto(points, ("x", "y", "z"))
    assert len(figure.axes) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["samples", "Pareto front (2 of 3)"]


@pytest.mark.parametrize(
    ("log_rewards", "label", "ends"),
    [
        ([3000.0, 2000.0, 2500.0], "log R", (2000, 3000)),  # R overflows
        ([660.0, 500.0, 540.0], "log R", (500, 660)),  # R is one bar at 0, one at the greatest
        ([-13.8, -13.8, 4.6], "log R", (-13.8, 4.6)),
        ([44.0, 44.0], "log R", (43.5, 44.5)),
        (np.log([1e-30, 0.2, 0.5, 0.8, 1.0]), "reward R", (0, 1)),  # log R is one bar at the floor, one at 0
        (np.log([0.1, 0.6, 2.6]), "reward R", (0.1, 2.6)),
    ],
)
def test_rewards_are_on_the_scale_that_shows_them(
    log_rewards: list[float], label: str, ends: tuple[float, float]
) -> None:
    axes = plot_rewards({"a": np.array(log_rewards)}).axes[0]
    assert axes.get_xlabel() == label
    outline = axes.patches[0].get_xy()
    np.testing.assert_allclose([outline[:, 0].min(), outline[:, 0].max()], ends, atol=1e-12)
