"""A graph and the solution so far, as an array of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphwright.core import GraphBatch
from graphwright.drawing.graphs import draw_solution, place_nodes
from graphwright.envs.optimization import Optimization


class FrameRenderer:
    """Draws the states of one episode; every node keeps its place.

    state: a batch of one graph; its column `position` [N, 2] is used where there is one.
    """

    def __init__(self, state: GraphBatch) -> None:
        given = state.nodes["position"].double().numpy() if "position" in state.nodes else None
        self.edges = state.edge_index[:, state.links[0]].t().numpy()
        self.position = place_nodes(self.edges, state.num_nodes, given)[0]

    def draw(self, environment: Optimization, state: GraphBatch, title: str) -> np.ndarray:
        """[height, width, 3] uint8."""
        solution = environment.solution(state)
        edges = state.edge_index[:, state.links[0]].t().numpy()
        figure = draw_solution(edges, solution.nodes.numpy(), solution.links.t().numpy(), self.position, title)
        figure.set_dpi(64)
        canvas: Any = figure.canvas
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()
