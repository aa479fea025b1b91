"""What `graphwright evaluate` and `graphwright transfer` say of teams."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from graphwright.adapters.reading import count
from graphwright.cli.evaluate import Evaluate
from graphwright.cli.outputs import require_output, require_picture
from graphwright.cli.terminal import marked
from graphwright.core.files import write_atomically
from graphwright.core.numbers import to_plain_json
from graphwright.drawing.teams import save_episode, save_transfer
from graphwright.envs.registry import find_problem
from graphwright.training.agent import Agent, load
from graphwright.training.config import ConfigError, Device, use_threads
from graphwright.training.evaluate_team import (
    TeamOptions,
    TeamRow,
    evaluate_team,
    joined,
    play_rows,
    play_rule,
    require_team,
)
from graphwright.training.play_teams import PlayedTeams
from graphwright.training.statistics import Interval


@dataclass(frozen=True, kw_only=True)
class EvaluateTeam(Evaluate):
    """Let teams of any size follow a policy: success, return to an agent and length of episodes, with 95 % intervals.

    Random choice and the problem's scripted agents play the same instances beside it.
    """

    options: Annotated[TeamOptions, tyro.conf.arg(name="")]
    record: Path | None = None
    """File, as *.npz, for every step of every episode of the policy."""
    picture: Path | None = None
    """File, as *.gif, for the first episode."""
    column_width: ClassVar[int] = 26

    def measure(self, agent: Agent) -> tuple[dict[str, Any], Table]:
        """A row for each number of agents."""
        require_files(self.record, self.picture)
        played = play_rows(agent, self.options, record=self.record is not None or self.picture is not None)
        write_files(agent.problem.name, [(row.agents, each) for row, each in played], self.record, self.picture)
        rows = [row for row, _ in played]
        head = {"problem": agent.problem.name, "run": str(self.directory), "decode": self.options.decode}
        document = {**head, "rows": [row.as_dict() for row in rows]}
        return document, team_table(
            f"{agent.problem.name}: {count(self.options.episodes, 'episode')} each", "policy", rows
        )


@dataclass(frozen=True, kw_only=True)
class EvaluateTeamPolicy:
    """Let teams of any size follow a baseline of a problem, or random choice, without a run."""

    problem: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROBLEM")]
    """Its name, as `graphwright problems` lists it, or your own as module:NAME."""
    policy: str
    """Name of a baseline, or "random"."""
    options: Annotated[TeamOptions, tyro.conf.arg(name="")] = field(default_factory=TeamOptions)
    record: Path | None = None
    """File, as *.npz, for every step of every episode."""
    picture: Path | None = None
    """File, as *.gif, for the first episode."""
    threads: int = 2
    """CPU threads."""
    json: bool = False
    """Write one JSON document to stdout."""

    @property
    def played(self) -> Any:
        """The environment with its options."""
        return getattr(self, "environment", None) or find_problem(self.problem).environment

    def run(self) -> None:
        """Evaluate, and print a table or JSON."""
        use_threads(self.threads)
        require_files(self.record, self.picture)
        problem, record = find_problem(self.problem), self.record is not None or self.picture is not None
        played = play_rule(problem, require_team(problem, self.played), self.policy, self.options, record)
        write_files(problem.name, [(row.agents, each) for row, each in played], self.record, self.picture)
        rows = [row for row, _ in played]
        if self.json:
            found = [{name: value for name, value in row.as_dict().items() if name != "baselines"} for row in rows]
            print(to_plain_json({"problem": problem.name, "policy": self.policy, "rows": found}, indent=2))
        else:
            table = team_table(f"{problem.name}: {count(self.options.episodes, 'episode')} each", self.policy, rows)
            Console(width=max(Console().width, 26 * len(table.columns))).print(table)


def require_files(record: Path | None, picture: Path | None) -> None:
    """Raise ConfigError, naming the option, where these could not be written."""
    for option, path, suffix in (("--record", record, ".npz"), ("--picture", picture, ".gif")):
        if path is None:
            continue
        if path.suffix.lower() != suffix:
            raise ConfigError(f"{option} {path}: is written as {suffix[1:]}; name it {path.with_suffix(suffix).name}")
        require_output(option, path)


def write_files(
    problem: str, played: Sequence[tuple[int, PlayedTeams]], record: Path | None, picture: Path | None
) -> None:
    """Every episode as arrays, and the first one as a moving picture. played: with the numbers of agents."""
    if record is not None:
        data = io.BytesIO()
        arrays: dict[str, Any] = joined([(number, each.record) for number, each in played])
        np.savez_compressed(data, **arrays)
        write_atomically(record, data.getvalue())
    if picture is not None:
        number, episodes = played[0]
        first = {name: values[0] for name, values in episodes.record.items()}
        save_episode(first, f"{problem}, {number} agents", picture)


@dataclass(frozen=True)
class Transfer:
    """How policies carry over to other team sizes: a row for each run and number of agents, as it was trained."""

    directories: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN...")]
    """Directories of runs of one problem."""
    options: Annotated[TeamOptions, tyro.conf.arg(name="")] = field(default_factory=TeamOptions)
    picture: Path | None = None
    """File, as *.png, for a heat map of success, or of the return where there is no success."""
    threads: int = 2
    """CPU threads."""
    device: Device = "auto"
    """Where the networks run; auto is the CPU, and CUDA has to be asked for."""
    trust: bool = False
    """Run code of its maker's own that a run names, found in the working directory or installed."""
    json: bool = False
    """Write one JSON document to stdout."""

    def run(self) -> None:
        """Evaluate all runs, and print a table or JSON."""
        use_threads(self.threads)
        if not self.directories:
            raise ConfigError("transfer: name at least one run")
        if self.picture is not None:
            require_picture("--picture", self.picture)
        agents = [load(each, self.device, trust=self.trust) for each in self.directories]
        problems = list(dict.fromkeys(agent.problem.name for agent in agents))
        if len(problems) > 1:
            raise ConfigError(f"transfer: the runs are of different problems ({', '.join(problems)}); name some of one")
        rows = [evaluate_team(agent, self.options, baselines=False) for agent in agents]
        names = [_trained(agent, path) for agent, path in zip(agents, self.directories, strict=True)]
        if self.picture is not None:
            what = "success" if "success" in rows[0][0].score else "return_per_agent"
            cells = {
                name: {row.agents: row.score[what] for row in each} for name, each in zip(names, rows, strict=True)
            }
            save_transfer(cells, what, self.picture)
        runs = [
            {
                "run": str(path),
                "algorithm": agent.config.algorithm,
                "trained_on": list(agent.config.collection.sizes),
                "rows": [{name: value for name, value in row.as_dict().items() if name != "baselines"} for row in each],
            }
            for path, agent, each in zip(self.directories, agents, rows, strict=True)
        ]
        if self.json:
            print(to_plain_json({"problem": problems[0], "decode": self.options.decode, "runs": runs}, indent=2))
        else:
            table = _table(f"{problems[0]}: {count(self.options.episodes, 'episode')} each", "run", rows[0][0].score)
            for name, each in zip(names, rows, strict=True):
                for row in each:
                    table.add_row(str(row.agents), marked(name), *_cells(row.score))
            Console(width=max(Console().width, 26 * len(table.columns))).print(table)


def team_table(title: str, policy: str, rows: Sequence[TeamRow]) -> Table:
    """The policy of that name of each row in bold, the baselines below it."""
    table = _table(title, "policy", rows[0].score)
    for row in rows:
        table.add_row(str(row.agents), f"[bold]{marked(policy)}", *(f"[bold]{cell}" for cell in _cells(row.score)))
        for name, score in row.baselines.items():
            table.add_row("", marked(name), *_cells(score))
    return table


def _table(title: str, who: str, score: dict[str, float]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("agents", justify="right")
    table.add_column(who, overflow="fold")
    for name in _names(score):
        table.add_column(name.replace("_", " "), justify="right")
    return table


def _names(score: dict[str, float]) -> list[str]:
    return [name for name in score if not name.endswith(("_low", "_high"))]


def _cells(score: dict[str, float]) -> list[str]:
    return [Interval(score[name], score[f"{name}_low"], score[f"{name}_high"]).text(2) for name in _names(score)]


def _trained(agent: Agent, path: Path) -> str:
    """Where the run is, how and with how many agents it was trained."""
    return f"{path.name} ({agent.config.algorithm}, {'/'.join(map(str, agent.config.collection.sizes))})"
