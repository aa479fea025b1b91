"""`graphwright compare RUN...`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from graphwright.cli.options import AsJson
from graphwright.cli.outputs import require_picture
from graphwright.cli.terminal import empty_table, marked, print_found
from graphwright.training.compare import compare
from graphwright.training.config import ConfigError


@dataclass(frozen=True)
class Compare:
    """Learning curves of runs of one problem, and where they end. Runs that differ in the seed alone are one line.

    Of several seeds it is the interquartile mean, with its 95 % interval by the bootstrap over runs. Numbers alone are
    read, so that runs of a problem of one's own need no --trust.
    """

    directories: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN...")]
    """Directories of runs."""
    picture: Path | None = None
    """File for the curves: .png, .svg or .pdf."""
    metric: str | None = None
    """A column of their `metrics.csv`, such as return or episode_length; by default what they are validated by."""
    json: AsJson = False

    def run(self) -> None:
        """Print a table or JSON, and draw the curves."""
        if not self.directories:
            raise ConfigError("compare: name at least one RUN")
        if self.picture is not None:
            require_picture("--picture", self.picture)
        metric, groups = compare(self.directories, self.metric)
        if self.picture is not None:
            from graphwright.drawing.curves import plot_comparison

            names = [f"{number}: {group.name}" for number, group in enumerate(groups, 1)]
            curves = {name: (group.steps, *group.middle()) for name, group in zip(names, groups, strict=True)}
            plot_comparison(curves, metric, self.picture)
        rows = [
            {
                "runs": [str(run) for run in group.runs],
                "steps": float(group.steps[-1]),
                "value": group.last.value,
                "low": group.last.low,
                "high": group.last.high,
            }
            for group in groups
        ]
        headings = ("runs", "seeds", "steps", metric.replace("_", " "), "95 % interval")
        table = empty_table(None, headings, left="runs")
        for group in groups:
            steps = f"{group.steps[-1]:,.0f}"
            table.add_row(
                marked(group.name), str(len(group.runs)), steps, f"[bold]{group.last.value:,.4f}", group.last.span()
            )
        print_found({"metric": metric, "rows": rows}, table, self.json)
