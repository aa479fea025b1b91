"""Where a run's numbers go: a CSV file, TensorBoard, and a line on the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from graphwright.core.files import named_errors, write_atomically
from graphwright.training.directory import METRICS_FILE


class MetricsFile:
    """`metrics.csv`: a row for each iteration and a column for each metric that any of them had.

    A metric that a row does not have, or that is NaN, is an empty cell. A new one becomes the last column of all rows.
    What a crash left half-written at the end is not read, and `forget_after` cuts it off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: list[str] | None = None

    def append(self, row: Mapping[str, float]) -> None:
        """Add a row; NaN becomes an empty cell."""
        if self._columns is None:
            self._columns = _columns_of(self._lines())
        new = [name for name in row if name not in self._columns]
        if new:
            self._columns = self._columns + new
            self._rewrite(self.rows())
        with named_errors(self.path), self.path.open("a", newline="") as file:
            file.write(_line(self._columns, row))

    def rows(self) -> list[dict[str, float]]:
        """All whole rows; empty cells become NaN."""
        lines = self._lines()
        columns = _columns_of(lines)
        found = []
        for line in lines[1:]:
            cells = line.rstrip("\r\n").split(",")
            try:
                found.append(dict(zip(columns, (float(cell or "nan") for cell in cells), strict=True)))
            except ValueError:  # a crash of the machine may leave anything at the end of a file
                break
        return found

    def forget_after(self, iteration: int) -> None:
        """Drop the rows of later iterations, which a checkpoint knows nothing of, and what is not whole."""
        self._columns = _columns_of(self._lines())
        kept = [row for row in self.rows() if row.get("iteration", math.inf) <= iteration]
        if self._columns and kept:
            self._rewrite(kept)
        else:
            self._columns = None
            self.path.unlink(missing_ok=True)

    def _lines(self) -> list[str]:
        """The lines that are whole, that is, end."""
        if not self.path.is_file():  # a pipe would be waited for
            return []
        text = self.path.read_bytes().decode(errors="replace")
        return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def _rewrite(self, rows: Sequence[Mapping[str, float]]) -> None:
        columns = self._columns or []
        text = "".join([",".join(columns) + "\n", *(_line(columns, row) for row in rows)])
        write_atomically(self.path, text.encode())


def _columns_of(lines: Sequence[str]) -> list[str]:
    return lines[0].rstrip("\r\n").split(",") if lines else []


def _line(columns: Sequence[str], row: Mapping[str, float]) -> str:
    cells = (row.get(name, math.nan) for name in columns)
    return ",".join("" if math.isnan(cell) else f"{cell:.8g}" for cell in cells) + "\n"


class RunLog:
    """Writes each iteration's numbers to `metrics.csv` and TensorBoard, and shows the latest while the run goes on."""

    def __init__(self, directory: Path, iteration: int, console: Console) -> None:
        self.file = MetricsFile(directory / METRICS_FILE)
        self.file.forget_after(iteration)
        from torch.utils.tensorboard import SummaryWriter  # which is slow to import

        self.tensorboard = SummaryWriter(str(directory), purge_step=iteration + 1)
        self.progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:3.0f} %  {task.fields[line]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            refresh_per_second=4,
        )
        self.task = self.progress.add_task(escape(directory.name), total=1.0, line="")

    def __enter__(self) -> RunLog:
        self.progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.__exit__(kind, error, trace)
        self.tensorboard.close()

    def write(self, row: Mapping[str, float], progress: float, line: str) -> None:
        """One iteration's numbers, iteration and steps among them, and what the terminal shows of them."""
        self.file.append(row)
        for name, value in row.items():
            if name not in ("iteration", "steps") and not math.isnan(value):
                self.tensorboard.add_scalar(name, value, int(row["iteration"]))
        self.progress.update(self.task, completed=progress, line=line)
