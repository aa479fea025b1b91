"""What `graphwright` alone and `graphwright --help` show. Nothing that is slow is imported for it."""

from __future__ import annotations

from graphwright.cli.commands import GROUPS

_FIRST = (
    ("graphwright train vertex-cover --run runs/vc --seconds 60", "learn on small random graphs"),
    ("graphwright evaluate runs/vc --sizes 20 100", "see what that is worth on larger ones"),
    ("graphwright solve runs/vc my-network.csv", "use it on a graph of your own"),
)


def overview() -> str:
    """What there is to do, at most 80 columns wide, and the first three commands."""
    lines = ["Reinforcement learning on graphs of any size.", "", "Usage: graphwright COMMAND ... [--help] [--version]"]
    for heading, commands in GROUPS.items():
        lines += ["", heading]
        lines += [f"  {name:<12}{command.summary}" for name, command in commands.items()]
    lines += ["", "To begin with"]
    for command, purpose in _FIRST:
        lines += [f"  {command}", f"      {purpose}"]
    return "\n".join([*lines, "", "`graphwright COMMAND --help` shows all options of a command."])
