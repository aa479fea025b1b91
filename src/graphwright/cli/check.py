"""`graphwright check PROBLEM FILE SOLUTION.json`."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from graphwright.adapters.named_graph import NamedGraph
from graphwright.cli.instances import FileOptions, say_reading
from graphwright.cli.terminal import printable
from graphwright.core import GraphError
from graphwright.core.files import read_whole
from graphwright.envs.registry import find_problem
from graphwright.envs.verdict import Verdict
from graphwright.training.config import ConfigError

_SUMS = 1e-12  # of an objective: what the order of summation may change in it
_LARGEST = 1 << 28  # bytes of a solution


@dataclass(frozen=True)
class Check:
    """Recompute what a solution is worth, and whether it is one, without the environment that it was found in."""

    problem: tyro.conf.Positional[str]
    """Name of the problem."""
    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """The graph that was solved."""
    solution: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SOLUTION.json")]
    """What `solve --json` wrote, or an object with `nodes`, `links` (pairs), or both, by the names of the file."""
    reading: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)

    def run(self) -> None:
        """Print the verdict on one line, and each fault on one; exit with 1 where there are any."""
        problem = find_problem(self.problem)
        if problem.verify is None:
            raise ConfigError(f"check: {problem.name} has no definition apart from its environment to check against")
        named, instance = self.reading.read(self.file, problem.optimization)
        say_reading(self.file, named)
        given = _solution(self.solution, self.file)
        nodes, links = (_places(given, key, named, self.solution) for key in ("nodes", "links"))
        verdict = problem.verify(instance, nodes, links)
        faults = [*(fault.named(named.names) for fault in verdict.faults), *_claim(given, verdict)]
        print(f"{problem.objective} {verdict.objective:.12g}, {'NOT VALID' if faults else 'valid'}")
        for fault in faults:
            print(printable(f"  {fault}"))
        if faults:
            sys.exit(1)


def _solution(path: Path, file: Path) -> dict[str, Any]:
    """The object that holds the solution: of a document of `solve --json`, the result of that file."""
    try:
        document = json.loads(read_whole(path, _LARGEST))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: no JSON ({error})") from None
    results = document.get("results") if isinstance(document, dict) else None
    if isinstance(results, list):
        same = [one for one in results if isinstance(one, dict) and one.get("file") == str(file)]
        document = (same or results)[0] if len(same or results) == 1 else None
    if not isinstance(document, dict) or not document.keys() & {"nodes", "links"}:
        raise ConfigError(f"{path}: holds no solution of {file}: an object with `nodes`, `links`, or both")
    return document


def _places(given: dict[str, Any], key: str, named: NamedGraph, path: Path) -> list[Any]:
    """The numbers of the nodes that a solution names, or pairs of them."""
    place = {name: node for node, name in enumerate(named.names)}

    def of(name: object) -> int:
        if str(name) not in place:
            raise GraphError(f"{path}: `{key}` names {name!r}, which is no node of the graph")
        return place[str(name)]

    entries = given.get(key, [])
    if not isinstance(entries, list):
        raise GraphError(f"{path}: `{key}` is no list")
    if key == "nodes":
        return [of(name) for name in entries]
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in entries):
        raise GraphError(f"{path}: `links` is no list of pairs of names")
    return [(of(one), of(other)) for one, other in entries]


def _claim(given: dict[str, Any], verdict: Verdict) -> list[str]:
    """What the solution says of its own objective, where that is wrong."""
    claimed = given.get("objective")
    if not isinstance(claimed, int | float):
        return []
    if abs(claimed) < sys.float_info.max and math.isclose(claimed, verdict.objective, rel_tol=_SUMS):
        return []
    return [f"its objective is said to be {claimed!r}"]
