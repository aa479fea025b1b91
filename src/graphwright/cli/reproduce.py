"""`graphwright reproduce NAME`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import tyro
from rich.console import Console

from graphwright.cli.outputs import require_folder
from graphwright.cli.terminal import marked
from graphwright.experiments.experiment import ExperimentOptions
from graphwright.experiments.registry import find_experiment


@dataclass(frozen=True)
class Reproduce:
    """Run a published experiment: train what it needs, write a table (CSV, Markdown) and a figure."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """permutation, masking, architectures, sizes, s2v, attack, node-types or nervenet."""
    options: Annotated[ExperimentOptions, tyro.conf.arg(name="")] = field(default_factory=ExperimentOptions)

    def run(self) -> None:
        """Run it, print the table and say where it is."""
        from rich.markdown import Markdown  # which is slow to import

        require_folder("--out", self.options.out)
        report = find_experiment(self.name)(self.options, Console(stderr=True))
        suffix = "-faithful" if self.options.mode == "faithful" else ""
        paths = report.write(self.options.out, f"{self.name}{suffix}")
        Console().print(Markdown(report.markdown()))
        written = ", ".join(str(path) for path in paths)
        Console(stderr=True, highlight=False).print(f"Written: {marked(written)}", soft_wrap=True)
