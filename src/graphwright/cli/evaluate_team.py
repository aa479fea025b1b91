"""What `graphwright evaluate` and `graphwright transfer` say of teams."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import tyro
from rich.table import Table

from graphwright.adapters.reading import count
from graphwright.cli.evaluate import Evaluate
from graphwright.cli.evaluate_policy import ByName
from graphwright.cli.options import AsJson, OnDevice, Threads, Trust
from graphwright.cli.outputs import require_output, require_picture
from graphwright.cli.terminal import empty_table, marked, print_found
from graphwright.core.files import write_atomically
from graphwright.drawing.teams import save_episode, save_transfer
from graphwright.envs.problem import Problem
from graphwright.training.agent import Agent, load
from graphwright.training.config import ConfigError, use_threads
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
from graphwright.training.team_sizes import sizes_of

COLUMN_WIDTH = 26


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
    column_width: ClassVar[int] = COLUMN_WIDTH

    def measure(self, agent: Agent) -> tuple[dict[str, Any], Table]:
        """A row for each number of agents."""
        require_files(self.record, self.picture)
        played = play_rows(agent, self.options, record=self.record is not None or self.picture is not None)
        write_files(agent.problem.name, [(row.agents, each) for row, each in played], self.record, self.picture)
        rows = [row for row, _ in played]
        head = {
            "problem": agent.problem.name,
            "run": str(self.directory),
            "decode": agent.decoding(self.options.decode),
        }
        document = {**head, "rows": [row.as_dict() for row in rows]}
        return document, team_table(
            f"{agent.problem.name}: {count(self.options.episodes, 'episode')} each", "policy", rows
        )


@dataclass(frozen=True, kw_only=True)
class EvaluateTeamPolicy(ByName):
    """Let teams of any size follow a baseline of a problem, or random choice, without a run."""

    options: Annotated[TeamOptions, tyro.conf.arg(name="")] = field(default_factory=TeamOptions)
    record: Path | None = None
    """File, as *.npz, for every step of every episode."""
    picture: Path | None = None
    """File, as *.gif, for the first episode."""
    column_width: ClassVar[int] = COLUMN_WIDTH

    def measure(self, problem: Problem) -> tuple[dict[str, Any], Table]:
        """A row for each number of agents."""
        require_files(self.record, self.picture)
        record = self.record is not None or self.picture is not None
        played = play_rule(problem, require_team(problem, self.played), self.policy, self.options, record)
        write_files(problem.name, [(row.agents, each) for row, each in played], self.record, self.picture)
        rows = [row for row, _ in played]
        found = [{name: value for name, value in row.as_dict().items() if name != "baselines"} for row in rows]
        table = team_table(f"{problem.name}: {count(self.options.episodes, 'episode')} each", self.policy, rows)
        return {"problem": problem.name, "policy": self.policy, "rows": found}, table


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
        save_episode(first, f"{problem}, {count(number, 'agent')}", picture)


@dataclass(frozen=True)
class Transfer:
    """How policies carry over to other team sizes: a row for each run and number of agents, as it was trained."""

    directories: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN...")]
    """Directories of runs of one problem."""
    options: Annotated[TeamOptions, tyro.conf.arg(name="")] = field(default_factory=TeamOptions)
    picture: Path | None = None
    """File, as *.png, for a heat map of success, or of the return where there is no success."""
    threads: Threads = 2
    device: OnDevice = "auto"
    trust: Trust = False
    json: AsJson = False

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
                "decode": agent.decoding(self.options.decode),
                "trained_on": sizes_of(path, agent.config),
                "rows": [{name: value for name, value in row.as_dict().items() if name != "baselines"} for row in each],
            }
            for path, agent, each in zip(self.directories, agents, rows, strict=True)
        ]
        table = _table(f"{problems[0]}: {count(self.options.episodes, 'episode')} each", "run", rows[0][0].score)
        for name, each in zip(names, rows, strict=True):
            for row in each:
                table.add_row(str(row.agents), marked(name), *_cells(row.score))
        ways = {each["decode"] for each in runs}
        document = {"problem": problems[0], "decode": ways.pop() if len(ways) == 1 else None, "runs": runs}
        print_found(document, table, self.json, COLUMN_WIDTH)


def team_table(title: str, policy: str, rows: Sequence[TeamRow]) -> Table:
    """The policy of that name of each row in bold, the baselines below it."""
    table = _table(title, "policy", rows[0].score)
    for row in rows:
        table.add_row(str(row.agents), f"[bold]{marked(policy)}", *(f"[bold]{cell}" for cell in _cells(row.score)))
        for name, score in row.baselines.items():
            table.add_row("", marked(name), *_cells(score))
    return table


def _table(title: str, who: str, score: dict[str, float]) -> Table:
    return empty_table(title, ("agents", who, *(name.replace("_", " ") for name in _names(score))), left=who)


def _names(score: dict[str, float]) -> list[str]:
    return [name for name in score if not name.endswith(("_low", "_high"))]


def _cells(score: dict[str, float]) -> list[str]:
    return [Interval(score[name], score[f"{name}_low"], score[f"{name}_high"]).text(2) for name in _names(score)]


def _trained(agent: Agent, path: Path) -> str:
    """Where the run is, how and with how many agents it was trained."""
    return f"{path.name} ({agent.config.algorithm}, {'/'.join(map(str, sizes_of(path, agent.config)))})"
