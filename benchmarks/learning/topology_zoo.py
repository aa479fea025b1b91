"""Smallest covers of 22 real telecommunication networks with a policy that was trained on random graphs.

    python benchmarks/learning/topology_zoo.py RUN [RUN ...]

The networks are those of tests/instances/topology-zoo, with unit weights: watch every link from the fewest routers.
The table gives each network's optimum (proven), greedy and the policy; the last row is the total.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from graphwright.adapters.files import read_graph
from graphwright.core import GraphBatch
from graphwright.training.agent import load

NETWORKS = Path(__file__).parents[2] / "tests" / "instances" / "topology-zoo"


@dataclass(frozen=True)
class Options:
    """What to solve with."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run directories, a column each."""
    samples: int = 1
    """Best of so many solutions; 1 decodes greedily."""


def main(options: Options) -> None:
    torch.set_num_threads(1)
    agents = [load(run, "cpu") for run in options.runs]
    problem, environment = agents[0].problem, agents[0].config.environment
    paths = sorted(NETWORKS.glob("*.graphml"))
    graphs = [environment.instance(read_graph(path).graph) for path in paths]
    networks = GraphBatch.concat(graphs)
    columns = {
        "nodes": networks.node_segments.lengths,
        "optimum": problem.solve_exactly(environment, networks, 60.0).objective,
        "greedy": environment.cost(problem.heuristics["greedy"](environment, networks)),
    }
    for run, agent in zip(options.runs, agents, strict=True):
        columns[run.name] = environment.cost(agent.solve(networks, "best-of", samples=options.samples))
    print("| network | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for row, path in enumerate(paths):
        print(f"| {path.stem} | " + " | ".join(f"{int(values[row])}" for values in columns.values()) + " |")
    totals = {name: int(values.sum()) for name, values in columns.items()}
    print("| **total** | " + " | ".join(f"**{total}**" for total in totals.values()) + " |")
    excess = (f"{name} {100 * (total / totals['optimum'] - 1):+.2f} %" for name, total in totals.items())
    print("\nAgainst the optimum: " + ", ".join(list(excess)[2:]))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
