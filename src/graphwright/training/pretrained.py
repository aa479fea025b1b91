"""Policies that come with the package: small ones, each trained for a minute (`make pretrained`), to solve at once.

`pretrained/PROBLEM/` has the files of a run that `load` needs, and `about.json`: how it was trained, what it is worth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphwright.envs.optimization import Optimization
from graphwright.envs.registry import find_problem
from graphwright.training import agent as agents
from graphwright.training.agent import Agent, load
from graphwright.training.config import ConfigError

ABOUT_FILE = "about.json"


@dataclass(frozen=True)
class Pretrained:
    """A policy that comes with the package. about: what `about.json` says."""

    agent: Agent
    about: dict[str, Any]

    def sentence(self) -> str:
        """How it was trained and what it is worth, in a line."""
        about, rows = self.about, self.about["rows"]
        worth = []
        for row in rows:
            failed = about["graphs"] - row["complete"]
            lost = f", {failed} of {about['graphs']} not solved" if failed else ""
            worth.append(f"{_worth(row)}{lost}")
        trained = f"{about['algorithm']}, {about['seconds']:.0f} s on random graphs of {about['sizes']} nodes"
        return f"the policy that comes with Graphwright ({trained}): {'; '.join(worth)}"


def _worth(row: Mapping[str, Any]) -> str:
    """Of one size; `ratio` says how many times worse than the reference, a rule where nothing better is known."""
    if row["reference"] == row["rule"]:
        return f"{1 / row['ratio']:.3f} times the {row['rule']}'s return on {row['name']} nodes"
    beside = f", {row['rule']} {row['rule_ratio']:.3f}" if row.get("rule_ratio") is not None else ""
    return f"{row['ratio']:.3f} times the {row['reference']} on {row['name']} nodes{beside}"


def pretrained_names() -> list[str]:
    """The problems for which there is one."""
    return sorted(path.parent.name for path in agents.PRETRAINED.glob(f"*/{ABOUT_FILE}"))


def pretrained_run(problem: str) -> Path:
    """The folder of the one for the problem of that name, which is read as a run is."""
    return agents.PRETRAINED / problem


def require_pretrained(problem: str) -> None:
    """Raise ConfigError, naming those that there are, where there is none for the problem of that name."""
    if problem in pretrained_names():
        return
    if not isinstance(find_problem(problem).environment, Optimization):
        raise ConfigError(
            f"no policy for {problem} comes with Graphwright, only for problems with an objective "
            f"({', '.join(pretrained_names())}); train one: `graphwright train {problem} --run RUN`"
        )
    raise ConfigError(
        f"no policy for {problem} comes with Graphwright; train one: `graphwright train {problem} --run RUN` "
        f"(there are some for {', '.join(pretrained_names())})"
    )


def load_pretrained(problem: str, device: str = "auto") -> Pretrained:
    """The one for the problem of that name. Raises as `require_pretrained` does."""
    require_pretrained(problem)
    place = pretrained_run(problem)
    about = json.loads((place / ABOUT_FILE).read_text(encoding="utf-8"))
    return Pretrained(load(place, device), about)


def pretrained(problem: str, device: str = "auto") -> Agent:
    """The policy that comes with the package for the problem of that name. Raises as `load_pretrained` does."""
    return load_pretrained(problem, device).agent
