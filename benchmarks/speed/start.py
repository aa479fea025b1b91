"""CPU time to begin: importing the package and showing the help, over importing torch alone.

    python benchmarks/speed/start.py [--repeats 5]

Each command runs in a fresh process, in turns, so that what else the machine does falls on all of them. The table has
the median of the CPU seconds of the processes, and its ratio to that of `import torch`.
"""

from __future__ import annotations

import os
import statistics
import sys
from dataclasses import dataclass

import tyro

COMMANDS = {
    "import torch": ("-c", "import torch"),
    "import graphwright": ("-c", "import graphwright"),
    "graphwright": ("-m", "graphwright"),
    "graphwright --help": ("-m", "graphwright", "--help"),
    "graphwright --version": ("-m", "graphwright", "--version"),
}


@dataclass(frozen=True)
class Options:
    """What to measure."""

    repeats: int = 5
    """Processes of each command."""
    only: tuple[str, ...] = tuple(COMMANDS)[1:]
    """Names of commands, beside `import torch`."""


def main(options: Options) -> None:
    taken: dict[str, list[float]] = {name: [] for name in ("import torch", *options.only)}
    for _ in range(options.repeats):
        for name, seconds in taken.items():
            seconds.append(cpu_seconds(COMMANDS[name]))
    base = statistics.median(taken["import torch"])
    print("| command | CPU s | over import torch |\n|---|---:|---:|")
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        print(f"| `{name}` | {middle:.2f} | {middle / base:.2f} |")


def cpu_seconds(arguments: tuple[str, ...]) -> float:
    """Of a Python with these arguments, whose output goes nowhere. Raises RuntimeError where it fails."""
    with open(os.devnull, "wb") as nowhere:
        actions = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), stream) for stream in (1, 2)]
        pid = os.posix_spawn(sys.executable, [sys.executable, *arguments], dict(os.environ), file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {status}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
