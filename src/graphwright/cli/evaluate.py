"""`graphwright evaluate RUN`."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro
from rich.table import Table

from graphwright.adapters.reading import count
from graphwright.algorithms.registry import find_algorithm
from graphwright.cli.arguments import asks_for_help, is_on, option_of
from graphwright.cli.commands import Parsing
from graphwright.cli.evaluate_policy import policy_command, warn_of_load
from graphwright.cli.instances import FileOptions, read_all, say_slowness
from graphwright.cli.options import AsJson, OnDevice, Threads, Trust
from graphwright.cli.outputs import require_folder
from graphwright.cli.policies import policy_of, require_meant
from graphwright.cli.tables import control_table, evaluation_table, sampling_table
from graphwright.cli.terminal import print_found
from graphwright.envs.registry import PROBLEMS
from graphwright.training.agent import Agent, read_config
from graphwright.training.checkpoint import CONFIG_FILE
from graphwright.training.config import use_threads
from graphwright.training.control import ControlOptions
from graphwright.training.evaluate import EvaluationOptions, SamplingOptions, evaluate
from graphwright.training.evaluate_solutions import generated
from graphwright.training.pretrained import require_pretrained


@dataclass(frozen=True, kw_only=True)
class Evaluate(ABC):
    """Compare a policy with others. What there is to choose depends on what the run learned."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run, or the name of a problem, for the policy that comes with it."""
    threads: Threads = 2
    device: OnDevice = "auto"
    trust: Trust = False
    json: AsJson = False

    column_width: ClassVar[int] = 15
    """Characters that a column of the table takes in the mean."""

    def run(self) -> None:
        """Evaluate, and print a table or JSON."""
        use_threads(self.threads)
        document, table = self.measure(policy_of(self.directory, self.device, self.trust))
        print_found(document, table, self.json, self.column_width)

    @abstractmethod
    def measure(self, agent: Agent) -> tuple[dict[str, Any], Table]:
        """What is measured, for programs and for people."""


@dataclass(frozen=True, kw_only=True)
class EvaluateSolutions(Evaluate):
    """Compare a policy with random choice, heuristics and the optimum on graphs that it has never seen.

    Runs that learned to sample have options of their own: `graphwright evaluate RUN --help`.
    """

    options: Annotated[EvaluationOptions, tyro.conf.arg(name="")]
    instances: tuple[Path, ...] = ()
    """Files to evaluate on instead of random graphs, one row each."""
    files: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)

    def measure(self, agent: Agent) -> tuple[dict[str, Any], Table]:
        """A row for each size or file."""
        files, read = read_all(self.instances, self.files, self.options, agent.config.played)
        batches = files or generated(agent, self.options)
        say_slowness(agent, batches.values())
        rows = evaluate(agent, self.options, batches)
        problem, environment = agent.problem, agent.config.environment
        document = {
            "problem": problem.name,
            "objective": problem.objective,
            "run": str(self.directory),
            "decode": self.options.decode,
            "maximise": environment.maximise,
            **({"read": read} if read else {}),
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        topology = self.options.generator or agent.config.collection.generator or problem.topology
        what = "files" if files else f"{count(self.options.graphs, 'instance')} each, {topology}"
        return document, evaluation_table(f"{problem.name}: mean {problem.objective}, {what}", rows)


@dataclass(frozen=True, kw_only=True)
class EvaluateSampling(Evaluate):
    """Compare a sampler with uniform random building, and with its exact target where that is known."""

    options: Annotated[SamplingOptions, tyro.conf.arg(name="")]
    pictures: Path | None = None
    """Folder for pictures: rewards, the best objects, the exact distribution, objectives; as far as there are any."""

    def measure(self, agent: Agent) -> tuple[dict[str, Any], Table]:
        """The sampler beside random building."""
        if self.pictures is not None:
            require_folder("--pictures", self.pictures)
        found = evaluate(agent, self.options, pictures=self.pictures)
        head = {"problem": agent.problem.name, "run": str(self.directory), "algorithm": agent.config.algorithm}
        title = f"{agent.problem.name}: {found.objects:,} objects"
        return head | dataclasses.asdict(found), sampling_table(title, found)


@dataclass(frozen=True, kw_only=True)
class EvaluateControl(Evaluate):
    """Run a policy of what never ends for many slots, beside nothing: its mean backlog, interval and throughput.

    `graphwright evaluate PROBLEM --policy NAME` does the same for a baseline.
    """

    options: Annotated[ControlOptions, tyro.conf.arg(name="")]
    instances: tuple[Path, ...] = ()
    """Files to evaluate on instead of random networks, one row each."""
    files: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)

    def measure(self, agent: Agent) -> tuple[dict[str, Any], Table]:
        """A row for each size or file."""
        environment = agent.config.environment
        files, read = read_all(self.instances, self.files, self.options, environment)
        warn_of_load(environment, files)
        rows = evaluate(agent, self.options, files or None)
        document = {
            "problem": agent.problem.name,
            "policy": str(self.directory),
            **({"read": read} if read else {}),
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        return document, control_table(f"{agent.problem.name}: {self.directory}", rows)


def evaluate_command(words: Sequence[str]) -> Parsing:
    """The class of the command, for what `words` name: a problem and a policy of its own, or a run.

    Raises as `problem_by_name`, `require_pretrained` and `read_config` do: what is wrong with what is evaluated is more
    to the point than options that it has not.
    """
    named = words[0] if words and not words[0].startswith("-") else None
    if option_of(words, "--policy") is not None:
        kind = policy_command(named, words)
    elif named is None or (asks_for_help(words) and not (Path(named) / CONFIG_FILE).exists()):
        kind = EvaluateSolutions
    elif named in PROBLEMS and not Path(named).exists():
        require_pretrained(named)
        kind = EvaluateSolutions
    else:
        kind = _run_command(Path(named), is_on(words, "--trust"))
    return Parsing(kind, list(words))


def _run_command(directory: Path, trust: bool) -> type[Evaluate]:
    require_meant(directory)
    problem, config = read_config(directory, trust)
    if "reversible" in find_algorithm(config.algorithm).needs:
        return EvaluateSampling
    if problem.is_endless:
        return EvaluateControl
    if problem.is_game:
        from graphwright.cli.evaluate_games import EvaluateGames  # which is one of these, and stands beside

        return EvaluateGames
    if problem.is_team:
        from graphwright.cli.evaluate_team import EvaluateTeam  # which is one of these, and stands beside

        return EvaluateTeam
    return EvaluateSolutions
