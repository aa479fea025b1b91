"""`graphwright sample RUN`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich.console import Console

from graphwright.cli.options import Threads, Trust
from graphwright.cli.outputs import require_output
from graphwright.cli.terminal import marked
from graphwright.core.doing import now
from graphwright.core.files import write_atomically
from graphwright.core.memory import STEP, require_memory
from graphwright.core.numbers import require
from graphwright.envs.generative.reading import suffixes
from graphwright.envs.reversible import Reversible
from graphwright.training.agent import load
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.gflownet.conditions import Goal

_TEXT = (".smi", ".txt")


@dataclass(frozen=True)
class Sample:
    """Write objects that a trained sampler builds to a file."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    out: Path
    """File to write: .npz for grids and edges between named nodes, .jsonl for other graphs, .smi for molecules, .txt
    for words."""
    num: int = 1000
    """Objects."""
    seed: int = 0
    """The same seed gives the same objects."""
    beta: float | None = None
    """Exponent of the reward, for samplers that were trained on many; by default the greatest."""
    preference: tuple[float, ...] | None = None
    """Weights of the objectives, for samplers that were trained on many; by default drawn."""
    focus: tuple[float, ...] | None = None
    """Direction in the space of objectives, for samplers that were trained on many; by default drawn."""
    threads: Threads = 2
    trust: Trust = False

    def run(self) -> None:
        """Sample, and write the file whole or not at all."""
        use_threads(self.threads)
        require("num", self.num)
        require_output("--out", self.out)
        agent = load(self.directory, trust=self.trust)
        goal = Goal(self.beta, self.preference, self.focus)
        generation, environment = agent.problem.sampled, agent.config.environment
        one = generation.export(environment, agent.sample(1, self.seed, goal))  # a try, before all that are wanted
        right = _suffixes(environment, one)
        if self.out.suffix not in right:
            raise ConfigError(f"--out {self.out}: {agent.problem.name} is written to {' or '.join(right)} files")
        require_memory(STEP * self.num)
        now(f"building {self.num:,} objects")
        exported = generation.export(environment, agent.sample(self.num, self.seed, goal))
        if isinstance(exported, list):
            data = "".join(f"{line}\n" for line in exported).encode()
        else:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **dict(exported))  # type: ignore[arg-type]
            data = buffer.getvalue()
        write_atomically(self.out, data)
        Console(stderr=True, highlight=False).print(
            f"{marked(self.out)}: {self.num} objects of {marked(agent.problem.name)}", soft_wrap=True
        )


def _suffixes(environment: Reversible, exported: Mapping[str, np.ndarray] | list[str]) -> list[str]:
    """Of the files that hold what was exported, as those that are read are called."""
    if not isinstance(exported, list):
        return [".npz"]
    if exported[0].startswith("{"):
        return [".jsonl"]
    return [suffix for suffix in suffixes(environment) if suffix in _TEXT] or list(_TEXT)
