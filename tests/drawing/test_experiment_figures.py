"""Figures of experiments hold the numbers that they are given."""

from __future__ import annotations

import pytest

from graphwright.drawing.experiments import Line, Panel, draw_intervals, draw_panels
from graphwright.drawing.style import new_figure


def test_panels_stand_side_by_side_and_a_name_keeps_its_colour() -> None:
    figure = new_figure(9, 3.6)
    lines = {"one": Line([1, 10], [2.0, 3.0], [1.5, 2.5], [2.5, 3.5]), "other": Line([1, 10], [4.0, 5.0])}
    panels = [
        Panel(lines, "nodes", "cost", {"optimum": 1.0, "greedy": 2.0}, logarithmic="xy"),
        Panel(lines, "size", "seconds", ticks=["few", "many"], marker=None),
    ]
    draw_panels(figure, panels)
    left, right = figure.axes
    assert [line.get_color() for line in left.lines[:2]] == [line.get_color() for line in right.lines]
    assert [list(line.get_ydata()) for line in right.lines] == [[2.0, 3.0], [4.0, 5.0]]
    assert (len(left.lines), len(left.collections)) == (4, 1)
    assert (left.get_xscale(), left.get_yscale(), right.get_xscale()) == ("log", "log", "linear")
    assert [label.get_text() for label in right.get_xticklabels()] == ["few", "many"]
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["one", "other", "optimum", "greedy"]


def test_intervals_stand_below_each_other_beside_their_references() -> None:
    figure = new_figure(9, 3.6)
    draw_intervals(figure, {"ours": (2.0, 1.5, 3.0), "theirs": (4.0, 4.0, 4.5)}, {"random": 6.0}, "cost")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ours", "theirs"]
    first, _ = axes.containers
    (bar,) = first.lines[2]
    assert bar.get_segments()[0][:, 0] == pytest.approx([1.5, 3.0])
    assert axes.texts[0].get_text() == "random"
