"""`graphwright problems`."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from graphwright.envs.problems import PROBLEMS


@dataclass(frozen=True)
class Problems:
    """List the problems, one line each."""

    def run(self) -> None:
        """Print the list."""
        table = Table(box=None, show_header=False, pad_edge=False)
        for problem in PROBLEMS.values():
            blocks = ", ".join(f"{block.name} ({block.rows})" for block in problem.environment.actions.blocks)
            table.add_row(f"[bold]{problem.name}", problem.summary, f"action: {blocks}")
        Console().print(table)
