"""`graphwright evaluate PROBLEM --policy NAME`: a baseline without a run."""

from __future__ import annotations

import dataclasses
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro
from rich.table import Table

from graphwright.cli.arguments import option_of
from graphwright.cli.commands import with_fields
from graphwright.cli.instances import FileOptions, read_all
from graphwright.cli.options import AsJson, Threads
from graphwright.cli.policies import problem_by_name
from graphwright.cli.tables import control_table, heuristic_table
from graphwright.cli.terminal import print_found
from graphwright.core import GraphBatch
from graphwright.drawing.letters import printable
from graphwright.envs.endless import Endless
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem
from graphwright.envs.readable import Readable
from graphwright.envs.registry import find_problem
from graphwright.training.acting import require_baseline
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.control import ControlOptions, evaluate_rule, random_instances
from graphwright.training.evaluate_heuristic import SOLVER, evaluate_heuristic


@dataclass(frozen=True, kw_only=True)
class ByName(ABC):
    """Evaluate what a problem knows by a name."""

    problem: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROBLEM")]
    """Its name, as `graphwright problems` lists it, or your own as module:NAME."""
    policy: str
    """Name of a baseline, a heuristic or an opponent, "random", or of what is solved "solver"."""
    threads: Threads = 2
    json: AsJson = False
    column_width: ClassVar[int] = 0
    """Characters that a column of the table takes in the mean."""
    options: Any

    @property
    def played(self) -> Any:
        """The environment with its options."""
        return getattr(self, "environment", None) or find_problem(self.problem).environment

    def run(self) -> None:
        """Evaluate, and print a table or JSON."""
        use_threads(self.threads)
        for name in ("decode", "simulations"):
            if given := getattr(self.options, name, None):
                told = f"is about what is trained, as --policy {self.policy} is not; leave it out"
                raise ConfigError(f"--{name} {given}: {told}")
        print_found(*self.measure(problem_by_name(self.problem)), self.json, self.column_width)

    @abstractmethod
    def measure(self, problem: Problem) -> tuple[dict[str, Any], Table]:
        """What is measured, for programs and for people."""


@dataclass(frozen=True, kw_only=True)
class EvaluatePolicy(ByName):
    """Evaluate a baseline of a problem by its name, without a run.

    Of what never ends: mean backlog with its 95 % interval by batch means, and throughput. Of what is solved: the mean
    objective of a heuristic, of the solver, or of random choice.
    """

    options: Annotated[ControlOptions, tyro.conf.arg(name="")] = field(default_factory=ControlOptions)
    instances: tuple[Path, ...] = ()
    """Files to evaluate on instead of random instances, one row each."""
    files: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)
    time_limit: float = 10.0
    """Seconds for the solver (--policy solver), each graph."""

    def measure(self, problem: Problem) -> tuple[dict[str, Any], Table]:
        """A row for each size or file."""
        if not problem.is_played:
            raise ConfigError(
                f"{problem.name} is sampled: it has no policy without a run; `graphwright train {problem.name}`, then "
                "`graphwright evaluate RUN`, which shows random building beside it"
            )
        environment = self.played
        if isinstance(environment, Endless):
            require_baseline(problem, self.policy)
        if self.instances and not isinstance(environment, Readable):
            raise ConfigError(f"--instances: {problem.name} reads no files; leave it out")
        files, read = read_all(self.instances, self.files, self.options, environment)
        instances = files or random_instances(problem, self.options)
        rows, table = self._rows(problem, environment, instances)
        document = {
            "problem": problem.name,
            "policy": self.policy,
            "objective": problem.objective,
            **({"read": read} if read else {}),
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        return document, table

    def _rows(self, problem: Problem, environment: Any, instances: Mapping[str, GraphBatch]) -> tuple[list[Any], Table]:
        title, options = f"{problem.name}: {self.policy}", self.options
        if isinstance(environment, Endless):
            if self.instances:
                warn_of_load(environment, instances)
            rows = evaluate_rule(problem, environment, self.policy, instances, options)
            return list(rows), control_table(title, rows)
        if not isinstance(environment, Optimization):
            raise ConfigError(
                f"--policy {self.policy}: {problem.name} has no objective; train a policy and evaluate that"
            )
        found = evaluate_heuristic(
            problem, environment, self.policy, instances, seed=options.seed, time_limit=self.time_limit
        )
        return list(found), heuristic_table(title, problem.objective, found)


def policy_command(name: str | None, words: Sequence[str]) -> Any:
    """`EvaluatePolicy`, or that of teams or games, with the environment's options of the problem of that name, if any.

    Raises as `problem_by_name` does, and ConfigError for an option among `words` that would do nothing.
    """
    base: Any = EvaluatePolicy
    if name is None:
        return base
    problem = problem_by_name(name)
    if problem.is_team:
        from graphwright.cli.evaluate_team import EvaluateTeamPolicy as base  # which stands on `evaluate`, too
    elif problem.is_game:
        from graphwright.cli.evaluate_games import EvaluateGamePolicy as base  # likewise
    else:
        _require_used(problem, words)
    return environment_options(base, name)


def _require_used(problem: Problem, words: Sequence[str]) -> None:
    """Raise ConfigError where an option is among `words` that would do nothing."""
    given, policy = {word.partition("=")[0].replace("_", "-") for word in words}, option_of(words, "--policy")
    if "--slots" in given and not problem.is_endless:
        raise ConfigError(f"--slots: is for what never ends, and {problem.name} ends by itself; leave it out")
    if "--time-limit" in given and (problem.is_endless or policy != SOLVER):
        raise ConfigError(f"--time-limit: is the solver's, and --policy {policy} does not solve; leave it out")


def environment_options(command: Any, problem: str) -> Any:
    """`command` with the options of the environment of the problem of that name, if there is one."""
    try:
        environment = find_problem(problem).environment
    except (ValueError, ImportError):
        return command  # the command says what is wrong with it
    if not dataclasses.is_dataclass(environment) or not dataclasses.fields(environment):
        return command
    return with_fields(command, {"environment": type(environment)}, {"environment": environment})


def warn_of_load(environment: Endless, instances: Mapping[str, GraphBatch]) -> None:
    """Say on stderr, of each file, where its load breaks the bound beyond which backlogs grow without end."""
    for name, batch in instances.items():
        load = environment.load(batch)
        if load is not None and float(load.max()) >= 1:
            print(
                printable(
                    f"{name}: unstable: load {float(load.max()):.3g}, where less than 1 can be served "
                    f"({environment.load_bound}); backlogs grow without end"
                ),
                file=sys.stderr,
            )
