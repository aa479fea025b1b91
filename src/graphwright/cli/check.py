"""`graphwright check PROBLEM FILE SOLUTION.json`."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from graphwright.cli.answers import NamedAnswer, options_of
from graphwright.cli.instances import FileOptions, say_reading
from graphwright.core.files import read_whole
from graphwright.core.numbers import shown
from graphwright.drawing.letters import printable
from graphwright.envs.optimization import Optimization
from graphwright.envs.registry import find_problem
from graphwright.envs.verdict import Verdict
from graphwright.training.config import ConfigError
from graphwright.training.config_json import build

_SUMS = 1e-12  # of an objective: what the order of summation may change in it
_LARGEST = 1 << 28  # bytes of a solution


@dataclass(frozen=True)
class Check:
    """Recompute what a solution is worth, and whether it is one, without the environment that it was found in."""

    problem: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROBLEM")]
    """Name of the problem."""
    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """The graph that was solved."""
    solution: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SOLUTION.json")]
    """What `solve --json` wrote, or an object with `nodes`, `links` (pairs) or a `plan`, by the names of the file."""
    reading: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)

    def run(self) -> None:
        """Print the verdict on one line, and each fault on one; exit with 1 where there are any."""
        problem = find_problem(self.problem)
        if problem.is_endless:
            _ = problem.optimization
        if problem.verify is None:
            raise ConfigError(
                f"check: {problem.name} has no definition apart from its environment to check against: its solutions "
                "are no nodes, links or plan that somebody could carry out"
            )
        document = _document(self.solution)
        rules = _options(problem.optimization, document, self.solution)
        named, instance = self.reading.read(self.file, rules)
        say_reading(self.file, named)
        given = _solution(document, self.solution, self.file)
        verdict = problem.verify(instance, NamedAnswer(named.names, given, self.solution).answer(), options_of(rules))
        faults = [*(fault.named(named.names) for fault in verdict.faults), *_claim(given, verdict)]
        others = [f"{name} {value}" for name, value in _changed(problem.optimization, rules)]
        under = f", with {', '.join(others)}" if others else ""
        print(printable(f"{problem.objective} {shown(verdict.objective)}{under}, {'NOT VALID' if faults else 'valid'}"))
        for fault in faults:
            print(printable(f"  {fault}"))
        if faults:
            sys.exit(1)


def _changed(default: Optimization, rules: Optimization) -> list[tuple[str, Any]]:
    """The options that are not what they are by default."""
    usual = options_of(default)
    return [(name, value) for name, value in options_of(rules).items() if usual[name] != value]


def _document(path: Path) -> Any:
    try:
        return json.loads(read_whole(path, _LARGEST))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: no JSON ({error})") from None


def _options(environment: Optimization, document: Any, path: Path) -> Optimization:
    """`environment` with the options under which the solution of a document of `solve --json` was found."""
    given = document.get("environment") if isinstance(document, dict) else None
    if given is None:
        return environment
    try:
        rules: Optimization = build(environment, given, "environment.")
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return rules


def _solution(document: Any, path: Path, file: Path) -> dict[str, Any]:
    """The object that holds the solution: of a document of `solve --json`, the result of that file."""
    results = document.get("results") if isinstance(document, dict) else None
    if isinstance(results, list):
        same = [one for one in results if isinstance(one, dict) and one.get("file") == str(file)]
        document = (same or results)[0] if len(same or results) == 1 else None
    if not isinstance(document, dict) or not document.keys() & {"nodes", "links", "plan"}:
        raise ConfigError(f"{path}: holds no solution of {file}: an object with `nodes`, `links`, or a `plan`")
    return document


def _claim(given: dict[str, Any], verdict: Verdict) -> list[str]:
    """What the solution says of its own objective, where that is wrong."""
    claimed = given.get("objective")
    if claimed is None:
        return []
    if not isinstance(claimed, int | float) or isinstance(claimed, bool):
        return [f"its objective is said to be {claimed!r}, which is no number"]
    if abs(claimed) < sys.float_info.max and math.isclose(claimed, verdict.objective, rel_tol=_SUMS):
        return []
    return [f"its objective is said to be {claimed!r}"]
