"""`Report`: what an experiment found, as a table (CSV and Markdown) and a figure."""

from __future__ import annotations

import csv
import io
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from graphwright.core.files import write_atomically
from graphwright.drawing.style import new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell = str | int | float


@dataclass(frozen=True)
class Report:
    """title: one line. notes: what a reader has to know, a paragraph each. columns, rows: the table.

    draw: puts the figure's axes onto an empty figure.
    """

    title: str
    notes: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    draw: Callable[[Figure], None]

    def markdown(self) -> str:
        """Title, table and notes."""
        right = ["---:" if isinstance(cell, int | float) else "---" for cell in self.rows[0]]
        lines = ["| " + " | ".join(row) + " |" for row in (self.columns, right)]
        lines += ["| " + " | ".join(map(spell, row)) + " |" for row in self.rows]
        return "\n".join([f"# {self.title}", "", *lines, "", *(f"{note}\n" for note in self.notes)])

    def csv(self) -> str:
        """The table alone, with all digits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()

    def write(self, directory: Path, name: str) -> list[Path]:
        """`NAME.csv`, `NAME.md` and `NAME.png` in `directory`, which is made if need be."""
        directory.mkdir(parents=True, exist_ok=True)
        paths = [directory / f"{name}.{suffix}" for suffix in ("csv", "md", "png")]
        write_atomically(paths[0], self.csv().encode())
        made = (
            f"Made on {date.today()} ({platform.machine()}, {os.cpu_count()} cores).\n\n![{self.title}]({name}.png)\n"
        )
        write_atomically(paths[1], f"{self.markdown()}\n{made}".encode())
        figure = new_figure(9, 3.6)
        self.draw(figure)
        save_figure(figure, paths[2])
        return paths


def spell(cell: Cell) -> str:
    """A cell as it is read: four significant digits after a ratio's point, thousands apart."""
    if isinstance(cell, float):
        return f"{cell:.4f}" if abs(cell) < 10 else f"{cell:,.2f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
