"""`graphwright algorithms`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graphwright.algorithms.registry import ALGORITHMS
from graphwright.cli.terminal import wrapped

_CODE = re.compile(r" \(`[^`]*`\)")  # where a formula is, which the list leaves out


@dataclass(frozen=True)
class Algorithms:
    """List the learning algorithms, with what each needs of a problem and what feeds it."""

    def run(self) -> None:
        """Print the list."""
        for place, (name, entry) in enumerate(ALGORITHMS.items()):
            found = entry.load()
            summary = _CODE.sub("", " ".join((found.__doc__ or "").partition("\n\n")[0].split()))
            facts = {"needs": ", ".join(entry.needs), "data": entry.collector, "options": f"--{found.options}.*"}
            lines = [line for label, text in facts.items() for line in wrapped(text, label)]
            print(*[""] * bool(place), *wrapped(f"{name}: {summary}"), *lines, sep="\n")
