"""`graphwright sample RUN`, and `graphwright evaluate RUN` for runs of flow networks."""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from graphwright.core.files import write_atomically
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.gflownet.agent import load_flow
from graphwright.training.gflownet.conditions import Goal
from graphwright.training.gflownet.evaluate import (
    FlowEvaluation,
    FlowEvaluationOptions,
    ParetoEvaluation,
    evaluate_flow,
)


@dataclass(frozen=True)
class Sample:
    """Write objects that a flow network builds to a file."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    out: Path
    """File to write: .npz for grids and edges between named nodes, .jsonl for other graphs, .smi for molecules, .txt
    for words."""
    num: int = 1000
    """Objects."""
    seed: int = 0
    """The same seed gives the same objects."""
    beta: float | None = None
    """Exponent of the reward, for samplers that were trained on many; by default the greatest."""
    preference: tuple[float, ...] | None = None
    """Weights of the objectives, for samplers that were trained on many; by default drawn."""
    focus: tuple[float, ...] | None = None
    """Direction in the space of objectives, for samplers that were trained on many; by default drawn."""
    threads: int = 2
    """CPU threads."""

    def run(self) -> None:
        """Sample, and write the file whole or not at all."""
        use_threads(self.threads)
        if self.num < 1:
            raise ConfigError(f"--num {self.num}: give at least 1")
        agent = load_flow(self.directory)
        objects = agent.sample(self.num, self.seed, Goal(self.beta, self.preference, self.focus))
        exported = agent.task.sampled.export(agent.config.environment, objects)
        arrays = not isinstance(exported, list)
        if arrays != (self.out.suffix == ".npz"):
            right = "an .npz file" if arrays else "a file of lines, such as .jsonl, .smi or .txt"
            raise ConfigError(f"--out {self.out}: {agent.task.name} is written to {right}")
        if isinstance(exported, list):
            data = "".join(f"{line}\n" for line in exported).encode()
        else:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **dict(exported))  # type: ignore[arg-type]
            data = buffer.getvalue()
        write_atomically(self.out, data)
        Console(stderr=True, highlight=False).print(f"{self.out}: {self.num} objects of {agent.task.name}")


@dataclass(frozen=True)
class EvaluateFlow:
    """Compare a sampler with uniform random building, and with its exact target where that is known."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    options: Annotated[FlowEvaluationOptions, tyro.conf.arg(name="")]
    pictures: Path | None = None
    """Folder for pictures: rewards, the best objects, the exact distribution, objectives; as far as there are any."""
    threads: int = 2
    """CPU threads."""
    json: bool = False
    """Write one JSON document to stdout."""

    def run(self) -> None:
        """Evaluate, and print a table or JSON."""
        use_threads(self.threads)
        agent = load_flow(self.directory)
        found = evaluate_flow(agent, self.options, self.pictures)
        if self.json:
            head = {"task": agent.task.name, "run": str(self.directory), "algorithm": agent.config.algorithm}
            print(json.dumps(head | dataclasses.asdict(found), indent=2))
            return
        Console().print(flow_table(f"{agent.task.name}: {found.objects:,} objects", found))


def flow_table(title: str, found: FlowEvaluation) -> Table:
    """The sampler beside random building."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    exact = found.log_z_exact is not None
    for heading in ("", "sampler", "random", *(["exact"] if exact else [])):
        table.add_column(heading, justify="left" if not heading else "right")
    if found.log_z is not None or exact:
        table.add_row("log Z", _number(found.log_z), "", _number(found.log_z_exact))
    if found.total_variation is not None:
        table.add_row("total variation from R / Z", _number(found.total_variation), "", "0")
    table.add_row("mean reward", _number(found.mean_reward), _number(found.mean_reward_random))
    table.add_row("mean log reward", _number(found.mean_log_reward), _number(found.mean_log_reward_random))
    table.add_row(f"mean of the {found.top} best", _number(found.top_reward), _number(found.top_reward_random))
    table.add_row("different objects", str(found.different), str(found.different_random))
    if found.modes is not None:
        table.add_row("modes", str(found.modes), str(found.modes_random))
        spread = (_number(found.top_diversity), _number(found.top_diversity_random))
        table.add_row(f"diversity of the {found.top} best", *spread)
    if found.pareto is not None:
        _add_fronts(table, found.pareto)
    return table


def _add_fronts(table: Table, found: ParetoEvaluation) -> None:
    for name, better in (("hypervolume", "more"), ("r2", "less"), ("igd", "less")):
        row = (_number(getattr(found, name)), _number(getattr(found, f"{name}_random")))
        table.add_row(f"{name.upper() if len(name) < 4 else name} ({better} is better)", *row)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}" if abs(value) < 1e6 else f"{value:.4g}"
