"""Moving pictures of teams: what leaves a torus on one side comes in on the other; maps have their links."""

from __future__ import annotations

import numpy as np

from graphwright.drawing.teams import trails_of


def test_a_trail_over_the_border_of_a_torus_is_drawn_on_both_sides() -> None:
    places = np.array([[[8.0, 4.0]], [[9.0, 4.0]], [[0.0, 4.0]], [[1.0, 4.0]]])
    out, into = sorted((line.tolist() for line in trails_of(places, 10)), reverse=True)
    assert out == [[8, 4], [9, 4], [10, 4], [11, 4]]
    assert into == [[-2, 4], [-1, 4], [0, 4], [1, 4]]
    (plain,) = trails_of(places[:2], 10)
    assert plain.tolist() == [[8, 4], [9, 4]]
    (jumped,) = trails_of(places, None)
    assert jumped.tolist() == places[:, 0].tolist()
