"""`graphwright problems`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import tyro

from graphwright.cli.terminal import wrapped
from graphwright.core import ActionBlock
from graphwright.drawing.letters import printable
from graphwright.envs.capabilities import capabilities_of
from graphwright.envs.local import Local
from graphwright.envs.problem import Problem
from graphwright.envs.registry import PROBLEMS, find_problem
from graphwright.envs.simultaneous import Simultaneous


@dataclass(frozen=True)
class Problems:
    """List the problems, each with all that can be done with it."""

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NAME...")] = ()
    """Only these; one of your own as module:NAME."""

    def run(self) -> None:
        """Print the list."""
        for place, name in enumerate(self.names or PROBLEMS):
            print(*[""] * bool(place), *self._lines(name), sep="\n")

    def _lines(self, name: str) -> Iterator[str]:
        """What is said of one problem, in lines of 80 columns."""
        try:
            problem = find_problem(name)
        except ImportError as error:
            if self.names:
                raise
            yield from wrapped(f"{name}: {printable(str(error))}")
            return
        yield from wrapped(f"{printable(name)}: {printable(problem.summary)}")
        for label, entries in facts(problem).items():
            if entries:
                yield from wrapped(", ".join(entries), label)


def facts(problem: Problem) -> dict[str, list[str]]:
    """Label → what can be said of a problem under it; empty lists where there is nothing."""
    environment = problem.environment if problem.is_played else problem.builder
    return {
        "action": [describe(block) for block in environment.actions.blocks],
        "instances": list(problem.laws) if problem.is_played else [],
        "can be": uses(problem),
        "rules": [*problem.heuristics, *problem.baselines, *problem.opponents],
    }


def uses(problem: Problem) -> list[str]:
    """What can be done with a problem, in the words of the command line."""
    found, has = ["trained", "evaluated"], capabilities_of(problem)
    found += ["played by two sides"] if problem.is_game else []
    found += ["played by a team"] if problem.is_team else []
    if "objective" in has:
        found += ["solved"]
        found += ["checked"] if problem.verify is not None else []
        found += ["solved exactly"] if problem.solve_exactly is not None else []
        found += ["improved (--improve)"] if problem.improve is not None else []
        sees = isinstance(problem.environment, Local) and problem.environment.sight
        at_once = isinstance(problem.environment, Simultaneous)
        found += [f"solved {'at a million nodes' if sees else 'faster'} (--decode parallel)"] if at_once else []
    found += ["imitated"] if "expert" in has else []
    found += ["sampled"] if "reversible" in has else []
    return found


def describe(block: ActionBlock) -> str:
    """An action block in a few words: "select (1 a node)"."""
    numbers = " real number" + "s" * (block.columns > 1) if block.continuous else ""
    return f"{block.name} ({block.columns}{numbers} {block.rows.label})"
