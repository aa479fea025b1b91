"""Every numbering of a small graph through untrained networks: how many different answers does each give?

An MLP and a CNN read the adjacency matrix and the node features as a grid; a graph network reads the graph.
"""

from __future__ import annotations

from functools import partial
from itertools import permutations

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn

from graphwright.core import Features, from_edges, relabel
from graphwright.drawing.experiments import Line, Panel, draw_panels
from graphwright.experiments.experiment import ExperimentOptions
from graphwright.experiments.report import Cell, Report
from graphwright.nn import Encoder, EncoderConfig
from graphwright.nn.critics import GraphValue

_EDGES = {5: [(0, 1), (1, 2), (2, 3), (3, 4), (0, 2)], 6: [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 2), (1, 4)]}
_TOLERANCE = 1e-4


def reproduce(options: ExperimentOptions, console: Console) -> Report:
    """The number of different outputs over all numberings, a row for each network, size and seed."""
    rows: list[list[Cell]] = []
    spread: dict[str, np.ndarray] = {}
    for size in _EDGES:
        for seed in range(options.seeds):
            for name, outputs in _outputs(size, seed).items():
                rows.append([name, size, seed, outputs.numel(), count_distinct(outputs)])
                spread.setdefault(f"{name}, {size} nodes", np.sort(outputs.numpy()) - float(outputs.mean()))

    lines = {name: Line(np.linspace(0, 1, len(values)).tolist(), values.tolist()) for name, values in spread.items()}
    panel = Panel(lines, "numberings, sorted by output", "output − mean output", marker=None)

    notes = [
        f"All numberings of one graph of 5 and one of 6 nodes, with fixed random node features, through untrained "
        f"networks. Outputs count as different where they are more than {_TOLERANCE:g} apart."
    ]
    return Report(
        "Permutation: different outputs over all numberings of one graph",
        notes,
        ["network", "nodes", "seed", "numberings", "different outputs"],
        rows,
        partial(draw_panels, panels=[panel], columns=2),
    )


def count_distinct(outputs: Tensor) -> int:
    """How many values of `outputs` [P] are more than the tolerance above the next smaller one, and the smallest."""
    return 1 + int((outputs.sort().values.diff() > _TOLERANCE).sum())


@torch.no_grad()
def _outputs(size: int, seed: int) -> dict[str, Tensor]:
    """Network → output for every numbering, [size!] float64, so that rounding stays far below the tolerance."""
    torch.manual_seed(seed)
    features = torch.randn(size, 2)
    graph = from_edges(torch.tensor(_EDGES[size]).T, torch.tensor([size]), undirected=True, nodes={"x": features})
    mlp = nn.Sequential(nn.Linear(size * (size + 2), 64), nn.ReLU(), nn.Linear(64, 1)).double()
    cnn = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 1)
    ).double()
    encoder = Encoder(Features(nodes={"x": 2}), EncoderConfig(kind="sage", width=64, depth=2))
    value = GraphValue(64, "mean")
    outputs: dict[str, list[Tensor]] = {"MLP": [], "CNN": [], "GNN": []}
    for order in permutations(range(size)):
        numbered = relabel(graph, torch.tensor(order))
        adjacency = torch.zeros(size, size).index_put((numbered.edge_index[0], numbered.edge_index[1]), torch.ones(()))
        grid = torch.cat([adjacency, numbered.nodes["x"]], dim=1).double()
        outputs["MLP"].append(mlp(grid.flatten()[None]))
        outputs["CNN"].append(cnn(grid[None, None]))
        outputs["GNN"].append(value(encoder(numbered), numbered))
    return {name: torch.cat([output.reshape(-1) for output in some]).double() for name, some in outputs.items()}
