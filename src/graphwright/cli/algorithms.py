"""`graphwright algorithms`."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from graphwright.algorithms.registry import ALGORITHMS


@dataclass(frozen=True)
class Algorithms:
    """List the learning algorithms, with what each needs of a problem and what feeds it."""

    def run(self) -> None:
        """Print the list."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("algorithm", "what it is", "needs", "learns from", "options"):
            table.add_column(heading, overflow="fold")
        for name, entry in ALGORITHMS.items():
            found = entry.load()
            summary = (found.__doc__ or "").strip().splitlines()[0].removesuffix(".")
            needs = ", ".join(entry.needs) or "nothing more"
            table.add_row(f"[bold]{name}", summary, needs, entry.collector, f"--{found.options}.*")
        Console().print(table)
