"""The policy that a command is given: that of a run, or the one that comes with the package for a problem."""

from __future__ import annotations

import sys
from pathlib import Path

from graphwright.core.doing import now
from graphwright.drawing.letters import printable
from graphwright.envs.problem import Problem
from graphwright.envs.registry import PROBLEMS, find_problem, meant
from graphwright.training.agent import Agent, load
from graphwright.training.checkpoint import CONFIG_FILE
from graphwright.training.config import ConfigError
from graphwright.training.pretrained import load_pretrained


def policy_of(given: Path, device: str, trust: bool) -> Agent:
    """What the directory of a run left, or what comes with the package, of which is said on stderr what it is worth.

    Raises as `load` and `load_pretrained` do.
    """
    now(f"loading the policy of {given}")
    name = str(given)
    if given.exists() or name not in PROBLEMS:
        require_meant(given)
        return load(given, device, trust=trust)
    found = load_pretrained(name, device)
    print(printable(f"{name}: {found.sentence()}"), file=sys.stderr)
    return found.agent


def require_meant(given: Path) -> None:
    """Raise ConfigError where no directory is `given`, but what looks like the name of a problem."""
    name = str(given)
    if not given.exists() and (":" in name or meant(name)):
        own = f"a problem of your own comes with no policy; train one: `graphwright train {name} --run RUN`"
        raise ConfigError(f"{name}: there is no run of this name; {own if ':' in name else meant(name).strip()}")


def problem_by_name(given: str) -> Problem:
    """The problem that `--policy`, which is of no run, is asked for. Raises ValueError where a run is named."""
    if (Path(given) / CONFIG_FILE).is_file():
        raise ConfigError(
            f"--policy: solves a problem without a run, and {given} is one; name the problem, or leave out --policy"
        )
    return find_problem(given)
