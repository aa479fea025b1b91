"""The policy that a command is given: that of a run, or the one that comes with the package for a problem."""

from __future__ import annotations

import sys
from pathlib import Path

from graphwright.core.doing import now
from graphwright.drawing.letters import printable
from graphwright.envs.registry import PROBLEMS
from graphwright.training.agent import Agent, load
from graphwright.training.pretrained import load_pretrained


def policy_of(given: Path, device: str, trust: bool) -> Agent:
    """What the directory of a run left, or what comes with the package, of which is said on stderr what it is worth.

    Raises as `load` and `load_pretrained` do.
    """
    now(f"loading the policy of {given}")
    name = str(given)
    if given.exists() or name not in PROBLEMS:
        return load(given, device, trust=trust)
    found = load_pretrained(name, device)
    print(printable(f"{name}: {found.sentence()}"), file=sys.stderr)
    return found.agent
