"""`graphwright solve RUN FILE...`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich.console import Console
from rich.markup import escape

from graphwright.adapters.files import read_graph
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphBatch, GraphError, simplify
from graphwright.training.agent import Agent, load
from graphwright.training.config import ConfigError, Device, use_threads
from graphwright.training.decode import Decoding
from graphwright.training.solve import Solution, solve


@dataclass(frozen=True)
class Solve:
    """Solve graphs from files with a trained policy."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    files: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILE...")]
    """Graphs: .graphml .txt .csv .col .mis .clq .json .npz"""
    weight: str = "weight"
    """Node attribute that holds the weights; 1 where a file has none of this name."""
    undirected: bool = False
    """Forget the directions of directed files."""
    decode: Decoding = "greedy"
    """greedy takes the likeliest action, sample draws, best-of keeps the cheapest of --samples draws."""
    samples: int = 16
    """Solutions of each graph for best-of."""
    seed: int = 0
    """Seed of sampled decoding."""
    time_limit: float = 10.0
    """Seconds for proving a lower bound, each graph; 0 for none."""
    threads: int = 2
    """CPU threads."""
    device: Device = "auto"
    """Where the network runs; auto takes CUDA where there is one."""
    json: bool = False
    """Write one JSON document to stdout."""
    picture: Path | None = None
    """Draw the solution of one FILE as a PNG."""

    def run(self) -> None:
        """Solve all files, then print the solutions or JSON."""
        use_threads(self.threads)
        if not self.files:
            raise ConfigError("solve: name at least one FILE")
        if self.picture is not None and len(self.files) > 1:
            raise ConfigError("--picture draws one FILE; solve the others without it")
        if self.picture is not None and not self.picture.absolute().parent.is_dir():
            raise ConfigError(f"--picture {self.picture}: there is no such folder; make it first")
        agent = load(self.directory, self.device)
        graphs = [self._read(path, agent) for path in self.files]
        solutions = [self._solve(agent, named, instance) for named, instance in graphs]
        if self.picture is not None:
            _draw(self.picture, self.files[0], graphs[0][0], graphs[0][1], solutions[0])
        if self.json:
            results = [
                {"file": str(path), **asdict(solution)} for path, solution in zip(self.files, solutions, strict=True)
            ]
            print(json.dumps({"problem": agent.problem.name, "run": str(self.directory), "results": results}, indent=2))
            return
        for path, solution in zip(self.files, solutions, strict=True):
            _print(path, solution)

    def _read(self, path: Path, agent: Agent) -> tuple[NamedGraph, GraphBatch]:
        """The file's graph, and the instance that it is."""
        named = read_graph(path, weight=self.weight)
        if named.directed and not self.undirected:
            raise GraphError(f"{path}: the graph is directed; pass --undirected to forget the directions")
        graph = simplify(named.graph) if self.undirected else named.graph
        try:
            return named, agent.config.environment.instance(graph)
        except GraphError as error:
            raise GraphError(f"{path}: {error}") from None

    def _solve(self, agent: Agent, named: NamedGraph, instance: GraphBatch) -> Solution:
        return solve(
            agent,
            instance,
            named.names,
            decoding=self.decode,
            samples=self.samples,
            seed=self.seed,
            time_limit=self.time_limit,
        )


def _print(path: Path, solution: Solution) -> None:
    status = "complete" if solution.complete else "NOT COMPLETE"
    facts = [
        f"{len(solution.nodes)} nodes",
        f"cost {solution.cost:g}",
        status,
        *_gap(solution),
        f"{solution.seconds:.2f} s",
    ]
    console = Console(highlight=False)
    console.print(f"[bold]{escape(path.name)}[/]: {', '.join(facts)}", soft_wrap=True)
    console.print("  " + ", ".join(solution.nodes), markup=False, soft_wrap=True)


def _gap(solution: Solution) -> list[str]:
    """What is proven of the solution, in words."""
    if solution.lower_bound is None:
        return []
    above = solution.cost - solution.lower_bound
    if above <= 1e-6 * solution.cost:
        return ["optimal"]
    if solution.lower_bound <= 0:
        return ["no bound proven in time"]
    return [f"at most {100 * above / solution.lower_bound:.3g} % above the optimum"]


def _draw(picture: Path, path: Path, named: NamedGraph, instance: GraphBatch, solution: Solution) -> None:
    from graphwright.training.plots import plot_selection

    chosen = set(solution.nodes)
    position, geographic = _positions(named.graph)
    plot_selection(
        instance.edge_index[:, instance.links[0]].T.numpy(),
        np.array([name in chosen for name in named.names], dtype=bool),
        position,
        f"{path.stem}: {len(chosen)} of {len(named.names)} nodes cover all {instance.links[0].numel()} edges",
        picture,
        geographic=geographic,
    )


def _positions(graph: GraphBatch) -> tuple[np.ndarray | None, bool]:
    """Where a file puts its nodes [N, 2], and whether that is longitude and latitude."""
    columns = {name.lower(): column for name, column in graph.nodes.items()}
    for names, geographic in ((("longitude", "latitude"), True), (("lon", "lat"), True), (("x", "y"), False)):
        if all(name in columns and columns[name].dim() == 1 for name in names):
            return np.stack([columns[name].double().numpy() for name in names], axis=1), geographic
    for name in ("position", "pos"):
        if name in columns and columns[name].dim() == 2 and columns[name].shape[1] == 2:
            return columns[name].double().numpy(), False
    return None, False
