"""`graphwright evaluate RUN`."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from graphwright.cli.instances import FileOptions
from graphwright.training.agent import load
from graphwright.training.config import ConfigError, Device, use_threads
from graphwright.training.evaluate import EvaluationOptions, EvaluationRow, evaluate


@dataclass(frozen=True)
class Evaluate:
    """Compare a policy with random choice, heuristics and the optimum on graphs that it has never seen.

    Runs of flow networks have options of their own: `graphwright evaluate RUN --help`.
    """

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    options: Annotated[EvaluationOptions, tyro.conf.arg(name="")]
    instances: tuple[Path, ...] = ()
    """Files to evaluate on instead of random graphs, one row each."""
    files: Annotated[FileOptions, tyro.conf.arg(name="")] = dataclasses.field(default_factory=FileOptions)
    threads: int = 2
    """CPU threads."""
    device: Device = "auto"
    """Where the network runs; auto is the CPU, and CUDA has to be asked for."""
    json: bool = False
    """Write one JSON document to stdout."""

    def run(self) -> None:
        """Evaluate, and print a table or JSON."""
        use_threads(self.threads)
        if len(set(self.instances)) < len(self.instances):
            raise ConfigError("--instances: a file is named twice; name each once")
        agent = load(self.directory, self.device)
        files = {str(path): self.files.read(path, agent.config.rules)[1] for path in self.instances}
        rows = evaluate(agent, self.options, files or None)
        if self.json:
            document: dict[str, Any] = {
                "problem": agent.problem.name,
                "objective": agent.problem.objective,
                "run": str(self.directory),
            }
            document |= {"decode": self.options.decode, "maximise": agent.config.environment.maximise}
            print(json.dumps(document | {"rows": [_finite(dataclasses.asdict(row)) for row in rows]}, indent=2))
            return
        topology = self.options.generator or agent.config.generator or agent.problem.topology
        what = "files" if files else f"{self.options.graphs} instances each, {topology}"
        table = evaluation_table(f"{agent.problem.name}: mean {agent.problem.objective}, {what}", rows)
        # Wide enough for whole numbers: a terminal that is narrower wraps lines, never digits.
        Console(width=max(Console().width, 15 * len(table.columns))).print(table)


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: a ratio to a bound of 0 becomes null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()
    }


def evaluation_table(title: str, rows: Sequence[EvaluationRow]) -> Table:
    """Mean objectives, a row for each size or file."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    heuristics = list(rows[0].heuristics)
    solved = any(row.optimum is not None for row in rows)
    headings = ["graphs", "random", *heuristics, "policy", *(["optimum"] if solved else []), "ratio"]
    for heading in (*headings, "95 % interval", "time"):
        table.add_column(heading.replace("-", " "), justify="right", overflow="fold")
    for row in rows:
        optimum = [] if row.optimum is None else [f"{row.optimum:.3f}{'' if row.proven == row.graphs else ' *'}"]
        table.add_row(
            row.name,
            f"{row.random:.3f}",
            *(f"{row.heuristics[name]:.3f}" for name in heuristics),
            f"[bold]{row.policy:.3f}",
            *optimum,
            f"[bold]{row.ratio:.4f}",
            f"{row.ratio_low:.4f}–{row.ratio_high:.4f}",
            f"{row.seconds:.1f} s",
        )
    table.caption = "\n".join(_remarks(rows)) or None
    return table


def _remarks(rows: Sequence[EvaluationRow]) -> list[str]:
    """What a reader must know beside the numbers."""
    remarks = []
    unproven = sum(row.graphs - row.proven for row in rows if row.optimum is not None)
    if unproven:
        remarks.append(f"* a bound: {unproven} optima are not proven; a longer --time-limit may prove them")
    others = {row.reference for row in rows} - {"optimum"}
    if others:
        remarks.append(f"the ratio is to {' and '.join(sorted(others))}")
    incomplete = sum(row.graphs - row.complete for row in rows)
    if incomplete:
        remarks.append(f"{incomplete} of the policy's solutions are NOT COMPLETE")
    return remarks
