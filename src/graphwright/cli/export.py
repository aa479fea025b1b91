"""`graphwright export RUN`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from graphwright.cli.options import Trust
from graphwright.cli.outputs import require_output
from graphwright.cli.policies import policy_of
from graphwright.core.doing import now
from graphwright.drawing.letters import printable
from graphwright.training.config import ConfigError


@dataclass(frozen=True)
class Export:
    """Write a policy's forward pass as a program of torch alone, for graphs of any size.

    `torch.export.load(FILE).module()` reads it without Graphwright, and `torch._inductor.aoti_load_package(FILE)` what
    was compiled; docs/deployment.md says what it takes.
    """

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run, or the name of a problem, for the policy that comes with it."""
    out: Path
    """File to write, *.pt2."""
    compile: bool = False
    """Into machine code for processors like this one, several times as fast where one graph is decided at a time;
    takes a C++ compiler and a minute."""
    trust: Trust = False

    def run(self) -> None:
        """Export it, and say where it is."""
        if self.out.suffix != ".pt2":
            raise ConfigError(f"--out {self.out}: programs of torch.export are .pt2 files; name it so")
        require_output("--out", self.out)
        agent = policy_of(self.directory, "auto", self.trust)
        now("compiling the policy" if self.compile else "exporting the policy")
        agent.export(self.out, self.compile)
        print(printable(f"{self.out}: scores of the actions of {agent.problem.name}, for graphs of any size"))
