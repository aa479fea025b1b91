"""Where a run's numbers go: a CSV file, TensorBoard, and a line on the terminal."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from graphwright.core.files import write_atomically


class MetricsFile:
    """`metrics.csv`: a row for each iteration. Its first row fixes the columns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Mapping[str, float]) -> None:
        """Add a row; NaN becomes an empty cell."""
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(row)
            writer.writerow("" if math.isnan(value) else f"{value:.8g}" for value in row.values())

    def rows(self) -> list[dict[str, float]]:
        """All rows; empty cells become NaN."""
        if not self.path.exists():
            return []
        with self.path.open(newline="") as file:
            return [{key: float(value or "nan") for key, value in row.items()} for row in csv.DictReader(file)]

    def forget_after(self, iteration: int) -> None:
        """Drop the rows of later iterations, which a checkpoint knows nothing of."""
        rows = self.rows()
        kept = [row for row in rows if row["iteration"] <= iteration]
        if len(kept) < len(rows):
            lines = self.path.read_text().splitlines(keepends=True)
            write_atomically(self.path, "".join(lines[: len(kept) + 1]).encode())


class RunLog:
    """Writes each iteration's numbers to `metrics.csv` and TensorBoard, and shows the latest while the run goes on."""

    def __init__(self, directory: Path, iteration: int, console: Console) -> None:
        self.file = MetricsFile(directory / "metrics.csv")
        self.file.forget_after(iteration)
        self.tensorboard = SummaryWriter(str(directory), purge_step=iteration + 1)
        self.progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:3.0f} %  {task.fields[line]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            refresh_per_second=4,
        )
        self.task = self.progress.add_task(directory.name, total=1.0, line="")

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
