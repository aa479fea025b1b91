"""A graph and the solution so far, as an array of pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graphwright.core import GraphBatch
from graphwright.drawing.graphs import NO_MARKS, draw_solution
from graphwright.drawing.layout import place_nodes
from graphwright.drawing.style import pixels
from graphwright.envs.optimization import Optimization

_ROW = 0.25  # inches


class FrameRenderer:
    """Draws the states of one episode; every node keeps its place.

    state: a batch of one graph; its column `position` [N, 2] is used where there is one, or `given` [N, 2] float, which
    is longitude and latitude if `geographic`. marks: name → nodes [m] int that play a part.
    """

    def __init__(
        self,
        state: GraphBatch,
        given: np.ndarray | None = None,
        geographic: bool = False,
        marks: Mapping[str, np.ndarray] = NO_MARKS,
    ) -> None:
        if given is None and "position" in state.nodes:
            given = state.nodes["position"].double().numpy()
        edges = state.edge_index[:, state.links[0]].t().numpy()
        self.position, self.geographic = place_nodes(edges, state.num_nodes, given)[0], geographic
        self.marks = marks
        self.box: tuple[float, float, float, float] | None = None

    def draw(self, environment: Optimization, state: GraphBatch, title: str) -> np.ndarray:
        """[height, width, 3] uint8."""
        solution = environment.so_far(state)
        shown = state.links[0] if environment.shows_edges else state.links[0][:0]
        figure = draw_solution(
            state.edge_index[:, shown].t().numpy(),
            solution.nodes.numpy(),
            solution.links.t().numpy(),
            self.position,
            title,
            marks=self.marks,
            geographic=self.geographic,
        )
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        (axes,) = figure.axes
        if self.box is None:  # of the first frame, with room for a second row of the legend
            row, (left, low, width, height) = _ROW / figure.get_figheight(), axes.get_position(original=True).bounds
            self.box = left, low + row, width, height - row
        axes.set_position(self.box)
        return pixels(figure, 64)
