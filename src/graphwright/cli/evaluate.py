"""`graphwright evaluate RUN`."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from graphwright.training.agent import load
from graphwright.training.config import Device, use_threads
from graphwright.training.evaluate import EvaluationOptions, EvaluationRow, evaluate


@dataclass(frozen=True)
class Evaluate:
    """Compare a policy with random choice, greedy and the optimum on graphs that it has never seen."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    options: Annotated[EvaluationOptions, tyro.conf.arg(name="")]
    threads: int = 2
    """CPU threads."""
    device: Device = "auto"
    """Where the network runs; auto takes CUDA where there is one."""
    json: bool = False
    """Write one JSON document to stdout."""

    def run(self) -> None:
        """Evaluate, and print a table or JSON."""
        use_threads(self.threads)
        agent = load(self.directory, self.device)
        rows = evaluate(agent, self.options)
        if self.json:
            document = {"problem": agent.problem.name, "run": str(self.directory), "decode": self.options.decode}
            print(json.dumps(document | {"rows": [_finite(dataclasses.asdict(row)) for row in rows]}, indent=2))
        else:
            topology = self.options.generator or agent.config.generator
            title = f"{agent.problem.name} on {topology}: mean costs of {self.options.graphs} graphs"
            Console().print(evaluation_table(title, rows))


def _finite(row: dict[str, float]) -> dict[str, float | None]:
    """JSON has no infinity: a ratio to a bound of 0 becomes null."""
    return {name: value if math.isfinite(value) else None for name, value in row.items()}


def evaluation_table(title: str, rows: Sequence[EvaluationRow]) -> Table:
    """Mean costs, a row for each size."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("nodes", "random", "greedy", "policy", "optimum", "ratio", "95 % interval", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            f"{row.size}",
            f"{row.random:.3f}",
            f"{row.greedy:.3f}",
            f"[bold]{row.policy:.3f}",
            f"{row.optimum:.3f}{'' if row.proven == row.graphs else ' *'}",
            f"[bold]{row.ratio:.4f}",
            f"{row.ratio_low:.4f}–{row.ratio_high:.4f}",
            f"{row.seconds:.1f} s",
        )
    unproven = sum(row.graphs - row.proven for row in rows)
    if unproven:
        table.caption = f"* a lower bound: {unproven} optima are not proven; a longer --time-limit may prove them"
    return table
