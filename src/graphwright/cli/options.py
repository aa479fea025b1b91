"""Options that many commands have."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import tyro

from graphwright.cli.commands import with_fields
from graphwright.training.config import Device

Threads = Annotated[int, tyro.conf.arg(help="CPU threads.")]
OnDevice = Annotated[Device, tyro.conf.arg(help="Where networks run; auto is the CPU, and CUDA has to be asked for.")]
Trust = Annotated[
    bool,
    tyro.conf.arg(help="Run code of its maker's own that a run names, found in the working directory or installed."),
]
AsJson = Annotated[bool, tyro.conf.arg(help="Write one JSON document to stdout.")]


def with_agents(settings: Any) -> Any:
    """The same settings in a class whose `sizes`, which are numbers of agents, are the option `--agents`."""
    kind = type(settings)
    words = "Numbers of agents; each team's is drawn from this list. By default the problem's own."
    sizes = Annotated[tuple[int, ...] | None, tyro.conf.arg(name="agents", help=words)]
    named = with_fields(kind, {"sizes": sizes}, {"sizes": settings.sizes})
    return named(**{each.name: getattr(settings, each.name) for each in dataclasses.fields(settings)})
