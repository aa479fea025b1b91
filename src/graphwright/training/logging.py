"""Where a run's numbers go: a CSV file, TensorBoard, and a line on the terminal."""

from __future__ import annotations

import io
import math
import secrets
import time
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from graphwright.core.doing import now
from graphwright.core.files import named_errors, write_atomically
from graphwright.training.directory import METRICS_FILE

SECONDS_A_LINE = 5.0
"""Between lines where there is no terminal."""


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


class EventsFile:
    """Scalars for TensorBoard: a file each time that a run begins or goes on, whose steps replace those of older files.

    They are written at once: TensorBoard's own writer has a thread, which dies with a traceback where the disk is full.
    first: the step from which on older files do not count.
    """

    def __init__(self, directory: Path, first: int) -> None:
        self.path = directory / f"events.out.tfevents.{time.time_ns()}.{secrets.token_hex(8)}"
        self._write(file_version="brain.Event:2")
        self._write(step=first, session_log={"status": 1})  # SessionLog.START

    def append(self, step: int, scalars: Mapping[str, float]) -> None:
        """Add the scalars of a step that are numbers."""
        values = [{"tag": tag, "simple_value": value} for tag, value in scalars.items() if not math.isnan(value)]
        self._write(step=step, summary={"value": values})

    def _write(self, **event: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event  # which is slow to import
        from tensorboard.summary.writer.record_writer import RecordWriter

        record = io.BytesIO()
        RecordWriter(record).write(Event(wall_time=time.time(), **event).SerializeToString())
        with named_errors(self.path), self.path.open("ab") as file:
            file.write(record.getvalue())


class Bar:
    """The latest numbers of a run on a terminal, in place; what does not fit into a line goes on in the next."""

    def __init__(self, name: str, console: Console) -> None:
        whole = Column(overflow="fold", no_wrap=False)
        self._progress = Progress(
            TextColumn("[bold]{task.description}", table_column=whole),
            BarColumn(bar_width=12),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[line]}", table_column=whole),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
            console=console,
            refresh_per_second=4,
        )
        self._task = self._progress.add_task(escape(name), total=1.0, line="")

    def __enter__(self) -> Bar:
        self._progress.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._progress.__exit__(*error)

    def show(self, progress: float, line: str) -> None:
        """`line` of an iteration's numbers at `progress` (0 to 1)."""
        self._progress.update(self._task, completed=progress, line=line)


class Lines:
    """The latest numbers of a run where there is no terminal: a line every few seconds, and the last one."""

    def __init__(self, name: str, console: Console) -> None:
        self._name, self._console = name, console
        self._shown, self._latest = time.monotonic() - SECONDS_A_LINE, ""

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: Any) -> None:
        self._print()

    def show(self, progress: float, line: str) -> None:
        """`line` of an iteration's numbers at `progress` (0 to 1), if it is time for one."""
        self._latest = f"{self._name} {100 * progress:3.0f} %  {line}"
        if time.monotonic() - self._shown >= SECONDS_A_LINE:
            self._print()

    def _print(self) -> None:
        if self._latest:
            self._console.print(self._latest, soft_wrap=True, markup=False, highlight=False)
        self._shown, self._latest = time.monotonic(), ""


class RunLog:
    """Writes each iteration's numbers to `metrics.csv` and TensorBoard, and shows the latest while the run goes on."""

    def __init__(self, directory: Path, iteration: int, console: Console) -> None:
        self.file = MetricsFile(directory / METRICS_FILE)
        self.file.forget_after(iteration)
        self._events = partial(EventsFile, directory, iteration + 1)
        self._shows_itself = not console.quiet
        self.display = (Bar if console.is_terminal or console.is_jupyter else Lines)(directory.name, console)

    @cached_property
    def events(self) -> EventsFile:
        """Made with the first numbers, so that a run with nothing left to do leaves no file without any."""
        return self._events()

    def __enter__(self) -> RunLog:
        if self._shows_itself:
            now("")
        self.display.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.display.__exit__(kind, error, trace)
        now("writing what was learned")

    def write(self, row: Mapping[str, float], progress: float, line: str) -> None:
        """One iteration's numbers, iteration and steps among them, and what the terminal shows of them."""
        self.file.append(row)
        scalars = {name: value for name, value in row.items() if name not in ("iteration", "steps")}
        self.events.append(int(row["iteration"]), scalars)
        self.display.show(progress, line)
